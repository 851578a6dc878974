"""Staff's choices on selected messages: retry now, requeue dead letters, cancel.

The rules are those of `notifications.queue.choices`; here they get a question, an honest answer
and an entry in the log of staff's actions.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from uuid import UUID

from django.db.models import Q
from django.utils import timezone

from notifications.models import Delivery, Message, User
from notifications.models.state import CANCELLABLE, DEAD_LETTER, State
from notifications.queue import choices as queue


@dataclass(frozen=True, slots=True)
class Choice:
    """One thing staff can do with messages."""

    name: str
    """The action's name in forms and URLs."""
    label: str
    icon: str
    target: str
    """What it changes, in the singular; the plural adds an s."""
    done: str
    """What became of its targets."""
    run: Callable[[UUID, User, str], int]
    """Do it to one message, with a reason; returns the number of deliveries changed."""
    targets: Callable[[], Q]
    """Which deliveries it would change."""
    consequence: str = ""
    """What the confirmation says will happen; a choice without it asks nothing."""
    asks_reason: bool = False

    def count(self, messages: Sequence[Message]) -> int:
        """How many deliveries of these messages it would change now."""
        return Delivery.objects.filter(self.targets(), message__in=messages).count()


RETRY = Choice(
    name="retry_now",
    label="Retry now",
    icon="bolt",
    target="waiting delivery",
    done="will be tried now",
    run=lambda id_, by, _reason: queue.retry_now([id_], by=by),
    targets=lambda: Q(state=State.PENDING, due_at__gt=timezone.now()),
)
REQUEUE = Choice(
    name="requeue",
    label="Requeue dead letters",
    icon="replay",
    target="dead letter",
    done="will be sent again",
    run=lambda id_, by, reason: queue.requeue([id_], by=by, reason=reason),
    targets=lambda: Q(state__in=DEAD_LETTER),
    consequence="Each is sent again as a new generation, with 24 hours to get out. "
    "Its history stays. Deliveries that went out are not touched.",
    asks_reason=True,
)
CANCEL = Choice(
    name="cancel",
    label="Cancel",
    icon="block",
    target="waiting delivery",
    done="will not be sent",
    run=lambda id_, by, _reason: queue.cancel([id_], by=by),
    targets=lambda: Q(state__in=CANCELLABLE),
    consequence="Nothing is sent to these recipients. "
    "What a provider has been given already cannot be called back.",
)

ALL: Sequence[Choice] = (RETRY, REQUEUE, CANCEL)


@dataclass(frozen=True, slots=True)
class Answer:
    """What a choice did."""

    changed: dict[Message, int]
    """The messages it changed, each with the number of its deliveries."""
    untouched: int
    """How many of the chosen messages had nothing to change."""

    def sentence(self, choice: Choice) -> str:
        """The answer in words, what was not done included."""
        if not self.changed:
            return f"Nothing was changed: there was no {choice.target}."
        total = sum(self.changed.values())
        text = f"{counted(total, choice.target)} {choice.done}"
        if self.untouched:
            text += f"; {counted(self.untouched, 'message')} had none and stayed as before"
        return f"{text}."


def carry_out(choice: Choice, messages: Iterable[Message], *, by: User, reason: str) -> Answer:
    """Do `choice` to each of `messages`, one transaction each, and say what came of it."""
    counts = {message: choice.run(message.id, by, reason) for message in messages}
    changed = {message: count for message, count in counts.items() if count}
    return Answer(changed, untouched=len(counts) - len(changed))


def counted(number: int, noun: str) -> str:
    """`1 delivery`, `2 deliveries`."""
    if number == 1:
        return f"1 {noun}"
    plural = f"{noun[:-1]}ies" if noun.endswith("y") else f"{noun}s"
    return f"{number} {plural}"
