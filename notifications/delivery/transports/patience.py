"""How long each part of a hand-off may take.

A hand-off has one absolute deadline of 40 s, since a lease stands behind it, and its time is worth
most after `commit`: a server that is given up before it has surely not taken the message, one that
is given up after it may have, and nobody may try again. So what comes before has no more than five
eighths of the time (25 s). The answer to an HTTP request or to SMTP's final dot has whatever is
left, 15 s at least: that is where filters read the message.

In SMTP, RFC 5321, section 4.5.3.2, asks a relay for minutes a phase, which a lease cannot give. No
reply to a command may take longer than 10 s: servers answer those within moments, and within 9 s
when they first verify a recipient elsewhere. A greeting may take 15 s, since some servers hold it
back to tell spammers by their haste.
"""

from collections.abc import Mapping

from notifications.delivery.classify import Phase
from notifications.models.lease import boottime
from notifications.models.record import record

ANSWER_SHARE = 3 / 8
"""Of a hand-off's time; kept for the answer that says whether the message was taken."""

REPLY_SECONDS = 10.0
"""For the reply to a command, or the handshake of TLS."""

_SECONDS: Mapping[Phase, float] = {Phase.GREETING: 15.0}
"""The phases that have longer."""


@record
class Patience:
    """One hand-off's limits, in seconds of `boottime()`."""

    deadline: float
    """When all must be over."""
    commit_deadline: float
    """When `commit` must have been called, or is not called at all."""

    @classmethod
    def until(cls, deadline: float) -> "Patience":
        """The limits of a hand-off that begins now."""
        return cls(deadline, deadline - (deadline - boottime()) * ANSWER_SHARE)

    def limit(self, phase: Phase) -> float:
        """When `phase`, of those before the dot, must be over if it begins now."""
        return min(self.commit_deadline, boottime() + _SECONDS.get(phase, REPLY_SECONDS))
