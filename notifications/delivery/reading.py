"""How an answer is read: one table for what each reading means."""

from dataclasses import dataclass
from enum import StrEnum

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


@dataclass(frozen=True, slots=True)
class Rule:
    """How a reading ends the attempt, and where the delivery goes."""

    outcome: Outcome
    state: State


RULES: dict[Reading, Rule] = {
    # an SMTP server took it
    Reading.SENT: Rule(Outcome.ACCEPTED, State.SENT),
    # an HTTP provider took it
    Reading.QUEUED: Rule(Outcome.ACCEPTED, State.QUEUED),
    # DNS, connect, TLS, greeting, or a drop before the dot
    Reading.UNREACHABLE: Rule(Outcome.NOT_ACCEPTED, State.PENDING),
    # our credentials were refused
    Reading.MISCONFIGURED: Rule(Outcome.NOT_ACCEPTED, State.PENDING),
    # quota or rate limit
    Reading.EXHAUSTED: Rule(Outcome.NOT_ACCEPTED, State.PENDING),
    # this provider will not, another may
    Reading.REFUSED_HERE: Rule(Outcome.NOT_ACCEPTED, State.PENDING),
    # an SMTP 4xx before or at the dot
    Reading.TEMPORARY: Rule(Outcome.NOT_ACCEPTED, State.PENDING),
    # for good, that recipient
    Reading.RECIPIENT_REFUSED: Rule(Outcome.REFUSED, State.REJECTED),
    # for good, the message
    Reading.MESSAGE_REFUSED: Rule(Outcome.REFUSED, State.FAILED),
    # a local error while building it
    Reading.UNBUILDABLE: Rule(Outcome.REFUSED, State.FAILED),
    # it may have been taken
    Reading.AMBIGUOUS: Rule(Outcome.UNCERTAIN, State.UNCERTAIN),
    # the worker stopped before it began
    Reading.NOT_BEGUN: Rule(Outcome.NOT_ACCEPTED, State.PENDING),
    # the provider was closed or switched off before its turn came
    Reading.CLOSED: Rule(Outcome.NOT_ACCEPTED, State.PENDING),
}
