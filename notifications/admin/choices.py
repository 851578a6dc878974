"""Staff's choices on messages: retry now, requeue dead letters, cancel, settle what is in doubt.

The rules are those of `notifications.queue`; here they get a question and an honest answer.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from uuid import UUID

from django.db import transaction

from notifications.models import Delivery, Message
from notifications.queue.bulk_choices import (
    BATCH,
    CANCEL,
    CHOICES,
    REQUEUE,
    RESEND,
    RETRY,
    SENT,
    Decision,
    NamedChoice,
)
from notifications.queue.choices import Result


@dataclass(frozen=True, slots=True)
class Choice:
    """One thing staff can do with messages, in words."""

    name: str
    """The action's name in forms and URLs."""
    label: str
    icon: str
    pattern: str
    """What will happen: `what` are its targets, and whose they are."""
    target: str
    """What it changes, in the singular."""
    done: str
    """What became of its targets."""
    consequence: str = ""
    """What the confirmation explains; for a few messages a choice without it asks nothing."""
    needs_reason: bool = False
    """Whether one must say why; where it asks at all, one may."""
    asks_provider: bool = False

    @property
    def rule(self) -> NamedChoice:
        """What it does, and to what."""
        return CHOICES[self.name]

    def count(self, messages: Sequence[Message]) -> int:
        """How many deliveries of these messages it would change now."""
        return Delivery.objects.filter(self.rule.targets(), message__in=messages).count()

    def sentence(self, what: str, *, through: str = "") -> str:
        """What will happen, or happened, to `what`: `Requeue 2 dead letters through ses`."""
        way = f" through {through}" if through else ""
        return f"{self.pattern.format(what=what)}{way}"


ALL: Sequence[Choice] = (
    Choice(
        name=RETRY,
        label="Retry now",
        icon="bolt",
        pattern="Retry {what} now",
        target="waiting delivery",
        done="will be tried now",
    ),
    Choice(
        name=REQUEUE,
        label="Requeue dead letters",
        icon="replay",
        pattern="Requeue {what}",
        target="dead letter",
        done="will be sent again",
        consequence="Each is sent again as a new generation, with 24 hours to get out. "
        "Its history stays. Deliveries that went out are not touched.",
        needs_reason=True,
        asks_provider=True,
    ),
    Choice(
        name=CANCEL,
        label="Cancel",
        icon="block",
        pattern="Cancel {what}",
        target="waiting delivery",
        done="will not be sent",
        consequence="Nothing is sent to these recipients. "
        "What a provider has been given already cannot be called back.",
        needs_reason=True,
    ),
    Choice(
        name=SENT,
        label="It was sent",
        icon="mark_email_read",
        pattern="Settle {what} as sent",
        target="uncertain delivery",
        done="counts as sent",
        consequence="Nothing is sent. From now on they count as sent; "
        "a provider's later report still moves them on.",
        needs_reason=True,
    ),
    Choice(
        name=RESEND,
        label="Send again",
        icon="forward_to_inbox",
        pattern="Send {what} again",
        target="uncertain delivery",
        done="will be sent again",
        consequence="A provider may have taken them already: "
        "then their recipients get a second copy. "
        "Each is sent as a new generation, with 24 hours to get out. Its history stays.",
        needs_reason=True,
        asks_provider=True,
    ),
)

BY_NAME = {choice.name: choice for choice in ALL}


@dataclass(slots=True)
class Answer:
    """What a choice did."""

    chosen: int
    """The number of messages it was made for."""
    done: Counter[UUID] = field(default_factory=Counter)
    """Its deliveries, by message."""
    suppressed: Counter[UUID] = field(default_factory=Counter)

    @property
    def changed(self) -> set[UUID]:
        """The messages it changed."""
        return {*self.done, *self.suppressed}

    def sentence(self, choice: Choice) -> str:
        """The answer in words, what was not done included."""
        if not self.changed:
            return f"Nothing was changed: there was no {choice.target}."
        parts = [f"{counted(self.done.total(), choice.target)} {choice.done}"]
        if stopped := self.suppressed.total():
            parts.append(f"{counted(stopped, 'recipient')} got nothing: suppressed meanwhile")
        if untouched := self.chosen - len(self.changed):
            parts.append(f"{counted(untouched, 'message')} had none and stayed as before")
        return f"{'; '.join(parts)}."


def carry_out(
    choice: Choice,
    ids: Sequence[UUID],
    decision: Decision,
    *,
    chosen: int,
    record: Callable[[Result], None],
) -> Answer:
    """Do `choice` to the messages, some of them in one transaction, and say what came of it.

    They are those of the `chosen` ones that it can change. What each transaction changes is given
    to `record`, within it.
    """
    answer = Answer(chosen)
    for start in range(0, len(ids), BATCH):
        with transaction.atomic():
            result = choice.rule.run(ids[start : start + BATCH], decision)
            record(result)
        answer.done.update(result.done)
        answer.suppressed.update(result.suppressed)
    return answer


def counted(number: int, noun: str) -> str:
    """`1 delivery`, `2,000 deliveries`."""
    if number == 1:
        return f"1 {noun}"
    return f"{number:,} {plural(noun)}"


def plural(noun: str) -> str:
    """`deliveries` of `delivery`."""
    return f"{noun[:-1]}ies" if noun.endswith("y") else f"{noun}s"
