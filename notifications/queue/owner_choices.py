"""What an owner chooses for one message: as staff do, but told why where nothing can be done."""

from datetime import datetime

from django.db import connection, transaction
from django.utils import timezone

from notifications.history.changes import add_event, lock_messages
from notifications.history.headline import Standing, headline
from notifications.models import Delivery, Message, User
from notifications.models.errors import LimboError
from notifications.models.state import DEAD_LETTER, State
from notifications.queue.choices import cancel, requeue, retry_now

RETRY_REASON = "asked for by its owner"

# The deadline keeps its distance unless another one is given.
_RESCHEDULE = """
WITH m AS (
    UPDATE notifications_message SET
        expires_at = coalesce(
            %(expires_at)s, %(send_at)s + (expires_at - coalesce(send_at, accepted_at))
        ),
        send_at = %(send_at)s, due_at = %(send_at)s
    WHERE id = %(id)s AND state = 'scheduled' RETURNING id
)
UPDATE notifications_delivery d SET due_at = %(send_at)s
FROM m WHERE d.message_id = m.id AND d.state = 'scheduled'
"""


class IllegalChoiceError(LimboError):
    """The message's state forbids it; the text says why, in a whole sentence."""


def cancel_message(message: Message, *, by: User) -> None:
    """Stop what no provider has been given yet. Raises IllegalChoiceError if there is nothing."""
    if not cancel([message.id], by=by):
        raise _illegal("Nothing of it waits that could be cancelled", message)


def retry_message(message: Message, *, by: User, uncertain: bool) -> None:
    """Try at once what waits for another try, and send again what ended without success.

    With `uncertain` also that of which nobody knows whether it went out. Raises IllegalChoiceError
    if there is nothing.
    """
    states = (*DEAD_LETTER, State.UNCERTAIN) if uncertain else DEAD_LETTER
    with transaction.atomic():
        waiting = retry_now([message.id], by=by)
        again = requeue([message.id], by=by, reason=RETRY_REASON, states=states)
    if not waiting and not again:
        raise _illegal("Nothing of it can be tried again", message)


def reschedule_message(
    message: Message, *, by: User, send_at: datetime, expires_at: datetime | None
) -> None:
    """Send a scheduled message at another time, which is to come.

    Its deadline moves along unless another one is given. Raises IllegalChoiceError if it is not
    scheduled any more.
    """
    with transaction.atomic():
        lock_messages([message.id])
        with connection.cursor() as cursor:
            times = {"send_at": send_at, "expires_at": expires_at}
            cursor.execute(_RESCHEDULE, {"id": message.id, **times})
            changed = cursor.rowcount
        if changed:
            data = {"by": by.get_username(), "send_at": send_at.isoformat()}
            add_event(message_id=message.id, kind="rescheduled", data=data)
    if not changed:
        raise _illegal("Only what is scheduled can be rescheduled", message)


def _illegal(problem: str, message: Message) -> IllegalChoiceError:
    """The problem, and how the message stands."""
    states = Delivery.objects.filter(message=message).values_list("state", flat=True)
    stands = headline([Standing(State(state)) for state in states], now=timezone.now())
    return IllegalChoiceError(f"{problem}. {stands}")
