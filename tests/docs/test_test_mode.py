"""The paper about test mode names every address that does something, and its example works."""

import json
import re
from pathlib import Path

import pytest

from notifications.delivery.transports.sandbox import DOMAIN, SCRIPTS
from notifications.intake.tokens import issue_token
from notifications.models import Message, Scope
from tests.api.conftest import Api
from tests.factories import UserFactory

PAGE = (Path(__file__).parents[2] / "docs/how-to/test-mode.md").read_text()


def test_every_address_is_listed() -> None:
    assert set(re.findall(rf"^\| `(\w+)@{DOMAIN}`", PAGE, re.MULTILINE)) == SCRIPTS.keys()


@pytest.mark.django_db
def test_the_example_is_taken_as_a_test() -> None:
    (body,) = re.findall(r"-d '(\{.*?\})'", PAGE)
    _, plain = issue_token(owner=UserFactory(), name="ci", scopes=list(Scope), is_test=True)
    assert Api(UserFactory(), plain).post(json.loads(body)).status_code == 200
    assert Message.objects.get().is_test
