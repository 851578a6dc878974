"""How long each phase of an SMTP conversation may take.

RFC 5321, section 4.5.3.2, asks a relay for minutes a phase. A hand-off has one absolute deadline of
40 s, since a lease stands behind it, and its time is worth most after the final dot: a server that
is given up before it has surely not taken the message, one that is given up after it may have, and
nobody may try again. So what comes before the dot has no more than five eighths of the time (25 s),
and no reply to a command longer than 10 s of it: servers answer those within moments, and within
9 s when they first verify a recipient elsewhere. A greeting may take 15 s, since some servers hold
it back to tell spammers by their haste. The reply to the dot has whatever is left, 15 s at least:
that is where filters read the message.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from notifications.delivery.classify import Phase
from notifications.models.lease import boottime

DOT_SHARE = 3 / 8
"""Of a hand-off's time; kept for the reply to the final dot."""

REPLY_SECONDS = 10.0
"""For the reply to a command, or the handshake of TLS."""

_SECONDS: Mapping[Phase, float] = {Phase.GREETING: 15.0}
"""The phases that have longer."""


@dataclass(frozen=True, slots=True)
class Patience:
    """One hand-off's limits, in seconds of `boottime()`."""

    deadline: float
    """When all must be over."""
    dot_deadline: float
    """When the final dot must have been written, or is not written at all."""

    @classmethod
    def until(cls, deadline: float) -> "Patience":
        """The limits of a hand-off that begins now."""
        return cls(deadline, deadline - (deadline - boottime()) * DOT_SHARE)

    def limit(self, phase: Phase) -> float:
        """When `phase`, which begins now, must be over."""
        if phase is Phase.DOT:
            return self.deadline
        return min(self.dot_deadline, boottime() + _SECONDS.get(phase, REPLY_SECONDS))
