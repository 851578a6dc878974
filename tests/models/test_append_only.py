"""P6: history cannot be quietly changed."""

from collections.abc import Callable

import pytest
from django.db import IntegrityError, models, transaction

from notifications.history.changes import add_event
from notifications.models import Event, RequestLog
from tests.factories import TemplateVersionFactory, make_message

pytestmark = pytest.mark.django_db


def an_event() -> models.Model:
    """A line of history."""
    message = make_message()
    add_event(message_id=message.id, kind="accepted", data={})
    return Event.objects.get(message=message)


def a_request() -> models.Model:
    """A line of the request log."""
    return RequestLog.objects.create(method="GET", path="/v1/mail", status=200, duration_ms=1)


def a_version() -> models.Model:
    """What a template said when messages were made from it."""
    version: models.Model = TemplateVersionFactory()
    return version


@pytest.mark.parametrize("row", [an_event, a_request, a_version])
def test_a_line_of_history_can_neither_be_changed_nor_removed(
    row: Callable[[], models.Model],
) -> None:
    line = row()
    with pytest.raises(IntegrityError, match="append-only"), transaction.atomic():
        line.save()
    with pytest.raises(IntegrityError, match="append-only"), transaction.atomic():
        line.delete()
    assert type(line)._default_manager.filter(pk=line.pk).exists()
