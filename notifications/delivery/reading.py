"""How an answer is read: one table for what each reading means."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum, StrEnum, auto

from notifications.models.handoff import Outcome
from notifications.models.state import State


class Reading(StrEnum):
    """What a provider's answer, or its silence, was taken to mean."""

    SENT = "sent"
    QUEUED = "queued"
    UNREACHABLE = "unreachable"
    MISCONFIGURED = "misconfigured"
    EXHAUSTED = "exhausted"
    REFUSED_HERE = "refused_here"
    TEMPORARY = "temporary"
    RECIPIENT_REFUSED = "recipient_refused"
    MESSAGE_REFUSED = "message_refused"
    UNBUILDABLE = "unbuildable"
    AMBIGUOUS = "ambiguous"
    NOT_BEGUN = "not_begun"
    CLOSED = "closed"


class Reach(Enum):
    """What a hand-off's end says about whether its provider works at all."""

    REACHED = auto()
    """It answered, whatever it said."""
    FAILED = auto()
    """It could not be reached, or broke off."""
    NEUTRAL = auto()
    """Nothing: it was not asked, or it closes or switches the provider off in its own way."""


@dataclass(frozen=True, slots=True)
class Rule:
    """How a reading ends the attempt, where the delivery goes, and what the breaker counts."""

    outcome: Outcome
    state: State
    reach: Reach


RULES: dict[Reading, Rule] = {
    # an SMTP server took it
    Reading.SENT: Rule(Outcome.ACCEPTED, State.SENT, Reach.REACHED),
    # an HTTP provider took it
    Reading.QUEUED: Rule(Outcome.ACCEPTED, State.QUEUED, Reach.REACHED),
    # DNS, connect, TLS, greeting, or a drop before the dot
    Reading.UNREACHABLE: Rule(Outcome.NOT_ACCEPTED, State.PENDING, Reach.FAILED),
    # our credentials were refused
    Reading.MISCONFIGURED: Rule(Outcome.NOT_ACCEPTED, State.PENDING, Reach.NEUTRAL),
    # quota or rate limit
    Reading.EXHAUSTED: Rule(Outcome.NOT_ACCEPTED, State.PENDING, Reach.NEUTRAL),
    # this provider will not, another may
    Reading.REFUSED_HERE: Rule(Outcome.NOT_ACCEPTED, State.PENDING, Reach.REACHED),
    # an SMTP 4xx before or at the dot
    Reading.TEMPORARY: Rule(Outcome.NOT_ACCEPTED, State.PENDING, Reach.REACHED),
    # for good, that recipient
    Reading.RECIPIENT_REFUSED: Rule(Outcome.REFUSED, State.REJECTED, Reach.REACHED),
    # for good, the message
    Reading.MESSAGE_REFUSED: Rule(Outcome.REFUSED, State.FAILED, Reach.REACHED),
    # a local error while building it
    Reading.UNBUILDABLE: Rule(Outcome.REFUSED, State.FAILED, Reach.NEUTRAL),
    # it may have been taken
    Reading.AMBIGUOUS: Rule(Outcome.UNCERTAIN, State.UNCERTAIN, Reach.FAILED),
    # the worker stopped before it began
    Reading.NOT_BEGUN: Rule(Outcome.NOT_ACCEPTED, State.PENDING, Reach.NEUTRAL),
    # the provider was closed or switched off before its turn came
    Reading.CLOSED: Rule(Outcome.NOT_ACCEPTED, State.PENDING, Reach.NEUTRAL),
}

FOR_ALL = (Reading.MISCONFIGURED, Reading.EXHAUSTED)
"""What is said of one hand-off by these is meant for all."""


def reach_of(readings: Iterable[Reading]) -> Reach:
    """What one hand-off says by the readings of its recipients: one failure is a failure."""
    found = [RULES[reading].reach for reading in readings]
    if len(found) == 1:
        return found[0]
    if Reach.FAILED in found:
        return Reach.FAILED
    return Reach.REACHED if Reach.REACHED in found else Reach.NEUTRAL
