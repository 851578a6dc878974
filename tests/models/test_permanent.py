"""What history speaks of stays: the database refuses to remove it, or to give it another id."""

from collections.abc import Callable
from uuid import UUID, uuid4

import pytest
from django.db import IntegrityError, NotSupportedError, connection, models, transaction

from notifications.models import Delivery, Handoff, Message, Provider
from tests.factories import make_message
from tests.stories import handed_over

pytestmark = pytest.mark.django_db


def a_message() -> models.Model:
    """A message."""
    return make_message()


def a_delivery() -> models.Model:
    """One of its deliveries."""
    return Delivery.objects.get(message=make_message())


def a_handoff() -> models.Model:
    """One that is under way."""
    message = make_message()
    handed_over(message)
    return Handoff.objects.get(message=message)


def a_provider() -> models.Model:
    """One that has never had anything."""
    return Provider.objects.create(name="idle")


@pytest.mark.parametrize("make", [a_message, a_delivery, a_handoff, a_provider])
def test_what_history_speaks_of_can_neither_be_removed_nor_renamed(
    make: Callable[[], models.Model],
) -> None:
    row = make()
    rows = type(row)._base_manager.filter(pk=row.pk)
    with pytest.raises(IntegrityError, match="never removed"), transaction.atomic():
        rows._raw_delete(rows.db)
    with pytest.raises(IntegrityError, match="never removed"), transaction.atomic():
        rows.update(id=uuid4() if isinstance(row.pk, UUID) else row.pk + 1)
    assert rows.exists()


def test_nor_can_all_messages_be_removed_at_once() -> None:
    """What the trigger does not see, the foreign keys refuse that are left."""
    message = make_message()
    with transaction.atomic(), connection.cursor() as cursor:
        # what the factory's rows have left to check comes first
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        with pytest.raises(NotSupportedError, match="foreign key"), transaction.atomic():
            cursor.execute("TRUNCATE notifications_message")
    assert Message.objects.filter(pk=message.pk).exists()
