"""Changing a template from several sides at once."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection

from notifications.intake.templates.drafts import Draft
from notifications.intake.templates.keeping import change_template, create_template
from notifications.models import TemplateVersion
from tests.factories import UserFactory


@pytest.mark.django_db(transaction=True)
def test_changes_at_the_same_moment_follow_one_another() -> None:
    owner = UserFactory()
    create_template(owner=owner, draft=Draft("welcome", "", "Hello", "Hello."))

    def change(number: int) -> int:
        try:
            version = change_template(
                owner=owner, reference="welcome", draft=Draft(subject=f"Hello {number}")
            )
        finally:
            connection.close()
        assert version is not None
        return version.number

    with ThreadPoolExecutor(8) as pool:
        numbers = list(pool.map(change, range(40)))
    assert sorted(numbers) == list(range(2, 42))
    assert TemplateVersion.objects.get(number=numbers[7]).subject == "Hello 7"
