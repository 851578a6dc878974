"""The choices by name, as forms and stored bulk actions know them: what each does, and to what."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from django.db.models import Exists, OuterRef, Q, QuerySet
from django.db.models.functions import Now

from notifications.models import Delivery, Message, User
from notifications.models.state import CANCELLABLE, DEAD_LETTER, RANK, State
from notifications.queue import choices
from notifications.queue.choices import Result


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
    waits: bool = False
    """It changes only those that are due later."""

    def targets(self) -> Q:
        """The deliveries that it would change now."""
        wanted = Q(state__in=self.states)
        return wanted & Q(due_at__gt=Now()) if self.waits else wanted

    def narrow(self, messages: QuerySet[Message]) -> QuerySet[Message]:
        """Those of `messages` that have such a delivery."""
        mine = Delivery.objects.filter(self.targets(), message=OuterRef("pk"))
        return messages.filter(Exists(mine), state__in=self._message_states())

    def _message_states(self) -> Sequence[State]:
        """Where a message with such a delivery can stand: asked for, since that has an index."""
        return RANK[: 1 + max(RANK.index(state) for state in self.states)]


RETRY = "retry_now"
REQUEUE = "requeue"
CANCEL = "cancel"
SENT = "settle_as_sent"
RESEND = "send_again"

CHOICES: Mapping[str, NamedChoice] = {
    RETRY: NamedChoice(
        lambda ids, decision: choices.retry_now(ids, by=decision.by), (State.PENDING,), waits=True
    ),
    REQUEUE: NamedChoice(
        lambda ids, decision: choices.requeue(
            ids, by=decision.by, reason=decision.reason, through=decision.through
        ),
        DEAD_LETTER,
    ),
    CANCEL: NamedChoice(lambda ids, decision: choices.cancel(ids, by=decision.by), CANCELLABLE),
    SENT: NamedChoice(
        lambda ids, decision: choices.settle_as_sent(ids, by=decision.by, reason=decision.reason),
        (State.UNCERTAIN,),
    ),
    RESEND: NamedChoice(
        lambda ids, decision: choices.requeue(
            ids,
            by=decision.by,
            reason=decision.reason,
            states=(State.UNCERTAIN,),
            through=decision.through,
        ),
        (State.UNCERTAIN,),
    ),
}
