"""What a provider can do to a hand-off, and how that is read whoever the provider is."""

from dataclasses import dataclass
from enum import StrEnum

from notifications.delivery.reading import Reading


class Fault(StrEnum):
    """How a provider misbehaves."""

    HANGS_UP_AT_ONCE = "hangs up at once"
    SAYS_NOTHING = "says nothing"
    DRIPS_AT_ONCE = "says its first words a byte at a time"
    IS_CLOSED = "greets with a refusal"
    IS_A_STRANGER = "shows a certificate of nobody we trust"
    REFUSES_TLS = "does not offer the encryption that we require"
    REFUSES_CREDENTIALS = "refuses our credentials"
    REFUSES_SENDER = "refuses the sender"
    LATER = "refuses it for now"
    NEVER = "refuses it for good"
    TOO_MANY = "has a limit that we reached"
    FAILS = "fails inside"
    GARBAGE = "answers what nobody can read"
    CUTS_SHORT = "breaks off in its answer"
    HANGS_UP_AFTER = "takes it and hangs up"
    RESETS_AFTER = "takes it and resets the connection"
    HALF_CLOSES_AFTER = "takes it and closes its half of the connection"
    SILENT_AFTER = "takes it and says nothing"
    DRIPS_AFTER = "takes it and answers a byte at a time"


@dataclass(frozen=True, slots=True)
class Expected:
    """What a hand-off must come to."""

    reading: Reading
    commits: int | None
    """How often `commit` was called; None: that depends on when the provider speaks."""


BEFORE = Expected(Reading.UNREACHABLE, commits=0)
DOUBT = Expected(Reading.AMBIGUOUS, commits=1)

EXPECTED: dict[Fault, Expected] = {
    Fault.HANGS_UP_AT_ONCE: BEFORE,
    Fault.SAYS_NOTHING: BEFORE,
    Fault.DRIPS_AT_ONCE: BEFORE,
    Fault.IS_CLOSED: BEFORE,
    Fault.IS_A_STRANGER: BEFORE,
    Fault.REFUSES_TLS: BEFORE,
    Fault.REFUSES_CREDENTIALS: Expected(Reading.MISCONFIGURED, commits=None),
    Fault.REFUSES_SENDER: Expected(Reading.REFUSED_HERE, commits=None),
    Fault.LATER: Expected(Reading.TEMPORARY, commits=1),
    Fault.NEVER: Expected(Reading.MESSAGE_REFUSED, commits=1),
    Fault.TOO_MANY: Expected(Reading.EXHAUSTED, commits=1),
    Fault.FAILS: DOUBT,
    Fault.GARBAGE: DOUBT,
    Fault.CUTS_SHORT: DOUBT,
    Fault.HANGS_UP_AFTER: DOUBT,
    Fault.RESETS_AFTER: DOUBT,
    Fault.HALF_CLOSES_AFTER: DOUBT,
    Fault.SILENT_AFTER: DOUBT,
    Fault.DRIPS_AFTER: DOUBT,
}

TIMED = (Fault.SAYS_NOTHING, Fault.DRIPS_AT_ONCE, Fault.SILENT_AFTER, Fault.DRIPS_AFTER)
"""Those that only the deadline ends."""
