"""P6: what staff did cannot be unwritten, by nobody."""

from collections.abc import Callable

import pytest
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.contenttypes.models import ContentType
from django.db import IntegrityError, connection, transaction

from notifications.models import Message, StaffAction, User, triggers
from tests.factories import UserFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def entry() -> LogEntry:
    user = UserFactory(is_staff=True)
    kind = ContentType.objects.get_for_model(Message)
    return LogEntry.objects.create(
        user=user, content_type=kind, object_id="1", object_repr="it", action_flag=CHANGE
    )


def run(statement: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement)


def kind_of(entry: LogEntry) -> ContentType:
    assert entry.content_type is not None
    return entry.content_type


WAYS: dict[str, Callable[[LogEntry], object]] = {
    "changing it": lambda entry: entry.save(),
    "changing all": lambda _entry: LogEntry.objects.update(object_repr="another"),
    "removing it": lambda entry: entry.delete(),
    "removing all": lambda _entry: LogEntry.objects.all()._raw_delete("default"),
    "through the proxy": lambda _entry: StaffAction.objects.update(change_message=""),
    "by SQL": lambda _entry: run("UPDATE django_admin_log SET user_id = user_id"),
    "removing who did it": lambda entry: entry.user.delete(),
    "removing what kind of thing it was": lambda entry: kind_of(entry).delete(),
}


@pytest.mark.parametrize("way", WAYS)
def test_an_action_is_neither_changed_nor_removed(way: str, entry: LogEntry) -> None:
    before = LogEntry.objects.values().get()
    with pytest.raises(IntegrityError, match="append-only"), transaction.atomic():
        WAYS[way](entry)
    assert LogEntry.objects.values().get() == before
    assert User.objects.filter(pk=entry.user_id).exists()


@pytest.mark.parametrize(
    "statement",
    ["TRUNCATE django_admin_log", "TRUNCATE notifications_user CASCADE"],
    ids=["the log", "the users with all that points to them"],
)
def test_the_log_is_not_emptied(statement: str, entry: LogEntry) -> None:
    # what was inserted here is checked now: nothing may be pending when a table is altered
    run("SET CONSTRAINTS ALL IMMEDIATE")
    # the tests' own emptying goes without this trigger
    triggers.never_emptied().enable(StaffAction)  # type: ignore[arg-type]
    with pytest.raises(IntegrityError, match="append-only"), transaction.atomic():
        run(statement)
    assert LogEntry.objects.get() == entry


def test_a_user_who_has_done_nothing_can_be_removed(entry: LogEntry) -> None:
    UserFactory().delete()
    assert LogEntry.objects.get() == entry
