"""The choices by name, as forms and stored bulk actions know them: what each does, and to what."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from django.db.models import Exists, OuterRef, Q, QuerySet
from django.db.models.functions import Now

from notifications.models import Delivery, Message, User
from notifications.models.message import in_states
from notifications.models.state import CANCELLABLE, DEAD_LETTER, RANK, State
from notifications.queue import choices
from notifications.queue.choices import Result

BATCH = 200
"""Messages in one transaction: enough to share its statements, few enough for a short one."""


@dataclass(frozen=True, slots=True)
class Decision:
    """Who chose, and why."""

    by: User
    reason: str = ""
    through: str = ""
    """The provider that is asked first; empty: whichever would be."""


@dataclass(frozen=True, slots=True)
class NamedChoice:
    """What one choice does, and to which deliveries."""

    run: Callable[[Sequence[UUID], Decision], Result]
    """Do it to these messages, as one transaction."""
    states: Sequence[State]
    """Of the deliveries that it changes."""
    nothing: str
    """Why it left a message as it was that it was to change."""
    waits: bool = False
    """It changes only those that are due later."""

    def targets(self) -> Q:
        """The deliveries that it would change now."""
        wanted = Q(state__in=self.states)
        return wanted & Q(due_at__gt=Now()) if self.waits else wanted

    def narrow(self, messages: QuerySet[Message]) -> QuerySet[Message]:
        """Those of `messages` that have such a delivery."""
        mine = Delivery.objects.filter(self.targets(), message=OuterRef("pk"))
        return messages.filter(in_states(*self._message_states()), Exists(mine))

    def _message_states(self) -> Sequence[State]:
        """Where a message with such a delivery can stand: asked for, since that has an index."""
        return RANK[: 1 + max(RANK.index(state) for state in self.states)]


RETRY = "retry_now"
REQUEUE = "requeue"
CANCEL = "cancel"
SENT = "settle_as_sent"
RESEND = "send_again"


def _retry(ids: Sequence[UUID], decision: Decision) -> Result:
    return choices.retry_now(ids, by=decision.by, reason=decision.reason)


def _requeue(ids: Sequence[UUID], decision: Decision) -> Result:
    return _again(ids, decision, DEAD_LETTER)


def _cancel(ids: Sequence[UUID], decision: Decision) -> Result:
    return choices.cancel(ids, by=decision.by, reason=decision.reason)


def _settle(ids: Sequence[UUID], decision: Decision) -> Result:
    return choices.settle_as_sent(ids, by=decision.by, reason=decision.reason)


def _resend(ids: Sequence[UUID], decision: Decision) -> Result:
    return _again(ids, decision, (State.UNCERTAIN,))


def _again(ids: Sequence[UUID], decision: Decision, states: Sequence[State]) -> Result:
    return choices.requeue(
        ids, by=decision.by, reason=decision.reason, states=states, through=decision.through
    )


_NOT_WAITING = "It did not wait any more"
_NOT_DOUBTFUL = "It was not uncertain any more"

CHOICES: Mapping[str, NamedChoice] = {
    RETRY: NamedChoice(_retry, (State.PENDING,), _NOT_WAITING, waits=True),
    REQUEUE: NamedChoice(_requeue, DEAD_LETTER, "It was no dead letter any more"),
    CANCEL: NamedChoice(_cancel, CANCELLABLE, _NOT_WAITING),
    SENT: NamedChoice(_settle, (State.UNCERTAIN,), _NOT_DOUBTFUL),
    RESEND: NamedChoice(_resend, (State.UNCERTAIN,), _NOT_DOUBTFUL),
}
