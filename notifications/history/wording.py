"""Plain English for what happened: one sentence for each event and each attempt.

Two kinds of people read it. The owner of a message is told what a provider said of the message;
what tells of Limbo itself (tracebacks, refused credentials, staff's names) is for staff only.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from notifications.models import Outcome, State, SuppressionReason

_LONGEST_ANSWER = 160
"""Characters of a provider's answer that a sentence quotes; the whole is beside it."""

_STAFF_READINGS = ("unbuildable", "misconfigured")
"""Their answers tell of Limbo and its credentials, not of the message."""

_TRACEBACK = ("Traceback (most recent call last)", '\n  File "')
"""A fault of Limbo's own can end under any reading; kept answers are cut at their beginning."""

_READINGS = {
    "sent": "{provider} took it",
    "queued": "{provider} took it",
    "unreachable": "{provider} could not be reached",
    "misconfigured": "{provider} refused Limbo's credentials",
    "exhausted": "{provider} takes no more for now",
    "refused_here": "{provider} will not send this message",
    "temporary": "{provider} did not take it for now",
    "recipient_refused": "{provider} refused this recipient for good",
    "message_refused": "{provider} refused the message for good",
    "unbuildable": "Limbo could not build the message",
    "ambiguous": "{provider} did not confirm that it took the message, and may have taken it",
    "not_begun": "The worker stopped before it began",
    "closed": "{provider} was closed before its turn came",
    "worker_lost": "The worker ended before {provider} answered, which may have taken it",
}

_KINDS = {
    "accepted": "Limbo accepted the message",
    "retried": "{who} asked to try again now",
    "rescheduled": "{who} chose another time",
    State.PENDING: "Waiting for its turn",
    State.SCHEDULED: "Scheduled for later",
    State.HELD: "Held back",
    State.SENDING: "Handing it to {provider}",
    State.UNCERTAIN: "{provider} may have taken it",
    State.QUEUED: "{provider} took it",
    State.SENT: "{provider} took it",
    State.DEFERRED: "The recipient's server put it off; {provider} goes on trying",
    State.DELIVERED: "The recipient's server took it",
    State.BOUNCED: "It came back from the recipient's server",
    State.REJECTED: "{provider} refused this recipient",
    State.FAILED: "{provider} refused the message",
    State.COMPLAINED: "The recipient marked it as spam",
    State.SUPPRESSED: "The address is suppressed, so nothing was sent",
    State.DEAD: "Given up",
    State.CANCELLED: "Cancelled by {who}",
    State.EXPIRED: "Its deadline passed before it was tried",
}

_REASONS = {
    "deadline": "its deadline passed",
    "attempts used up": "every provider was asked as often as allowed",
    "poison": "each worker that took it up has died",
    **dict(SuppressionReason.choices),
}


@dataclass(frozen=True, slots=True)
class Reader:
    """Who reads: decides what is told, and how the people in the history are called."""

    owner: str
    """The username of the message's owner."""
    is_staff: bool

    def name(self, username: str) -> str:
        """What to call the person who acted."""
        if self.is_staff:
            return username or "Someone"
        return "You" if username == self.owner else "Support"

    def may_read(self, *, reading: str, answer: str) -> bool:
        """Whether the provider's words are for this reader."""
        internal = reading in _STAFF_READINGS or any(mark in answer for mark in _TRACEBACK)
        return self.is_staff or not internal


@dataclass(frozen=True, slots=True)
class Facts:
    """What an event or an attempt tells, as far as its reader may know it."""

    provider: str = ""
    reading: str = ""
    code: int | None = None
    answer: str = ""
    wait: float = 0.0
    """Seconds until the next try."""
    who: str = ""
    reason: str = ""
    send_at: str = ""
    """Not before then, in ISO 8601."""
    is_report: bool = False
    """The provider told it later, by its tracking."""
    is_requeue: bool = False
    through: str = ""
    """The provider that was chosen for a requeue."""
    is_settling: bool = False
    """A person said what became of a delivery in doubt."""
    is_repeat: bool = False
    """A hand-off in doubt was repeated under the provider's own key."""

    @classmethod
    def of_event(cls, data: Mapping[str, Any], reader: Reader) -> "Facts":
        """Read an event's `data`; the keys are those that `history` and `delivery` write."""
        reading, answer = str(data.get("reading", "")), str(data.get("answer", ""))
        told = reader.may_read(reading=reading, answer=answer)
        return cls(
            provider=str(data.get("provider", "")),
            reading=reading,
            code=data.get("code"),
            answer=answer if told else "",
            wait=float(data.get("wait", 0)),
            who=reader.name(str(data.get("by", ""))),
            reason=str(data.get("reason", "")),
            send_at=str(data.get("send_at", "")),
            is_report=data.get("source") == "tracking",
            is_requeue=data.get("choice") == "requeue",
            through=str(data.get("through", "")),
            is_settling=data.get("choice") == "settle",
            is_repeat=bool(data.get("repeat")),
        )

    @property
    def quoted(self) -> str:
        """The provider's words in one line, such as `250 2.0.0 OK`; empty if it said nothing."""
        words = " ".join(self.answer.split())
        if len(words) > _LONGEST_ANSWER:
            words = words[: _LONGEST_ANSWER - 1].rstrip() + "…"
        if self.code is None or words.startswith(str(self.code)):
            return words
        return f"{self.code} {words}".strip()


def event_sentence(kind: str, facts: Facts, *, applied: bool = True) -> str:
    """What an event of `kind` says, and what followed from it at that moment."""
    follows = _what_followed(kind, facts) if applied else "this came too late and changed nothing"
    sentence = what_happened(kind, facts)
    return f"{sentence}; {follows}" if follows else sentence


def what_happened(kind: str, facts: Facts) -> str:
    """What an event of `kind` says, such as `sink took it (250 2.0.0 OK)`."""
    if facts.is_requeue:
        through = f" through {facts.through}" if facts.through else ""
        return _with_reason(f"{facts.who} chose to send it again{through}", facts)
    if facts.is_settling:
        return _with_reason(f"{facts.who} said that it was sent", facts)
    if kind in {State.DEAD, State.HELD, State.SUPPRESSED}:
        return _with_reason(_KINDS[kind], facts)
    if kind in (State.UNCERTAIN, State.CANCELLED, "retried") and facts.reason:
        return _with_reason(_fill(_KINDS[kind], facts), facts)
    pattern = _pattern(kind, facts)
    said = f" ({facts.quoted})" if facts.quoted else ""
    return _fill(pattern, facts) + said


def attempt_sentence(outcome: Outcome, facts: Facts) -> str:
    """How an attempt ended; while it is under way, that it is."""
    # tracking can settle an attempt whose answer nobody has read
    taken = outcome is Outcome.ACCEPTED
    return what_happened(State.SENT if taken else State.SENDING, facts)


def long_moment(at: datetime) -> str:
    """A moment with its day and year, in UTC: `3 May 2026, 10:02 UTC`."""
    at = at.astimezone(UTC)
    return f"{at.day} {at:%B %Y, %H:%M} UTC"


def duration(seconds: float) -> str:
    """A wait in words, rounded as people do: `40 s`, `5 min`, `2 h`."""
    if seconds < 90:
        return f"{max(round(seconds), 1)} s"
    minutes = round(seconds / 60)
    if minutes < 90:
        return f"{minutes} min"
    return f"{round(minutes / 60)} h"


def _pattern(kind: str, facts: Facts) -> str:
    by_kind = _KINDS.get(kind, kind)
    return by_kind if facts.is_report else _READINGS.get(facts.reading, by_kind)


def _fill(pattern: str, facts: Facts) -> str:
    who = facts.who
    if who in {"You", "Support"} and not pattern.startswith("{who}"):
        who = who.lower()
    return pattern.format(provider=facts.provider or "The provider", who=who)


def _with_reason(sentence: str, facts: Facts) -> str:
    reason = _REASONS.get(facts.reason, facts.reason)
    return f"{sentence}: {reason}" if reason else sentence


def _what_followed(kind: str, facts: Facts) -> str:
    if facts.send_at:
        return f"it is to go out on {long_moment(datetime.fromisoformat(facts.send_at))}"
    if kind == State.PENDING and facts.wait:
        return f"it will be tried again in {duration(facts.wait)}"
    if kind == State.UNCERTAIN:
        return _what_follows_doubt(facts)
    if kind == State.PENDING and facts.reading == "not_begun":
        return "another worker goes on"
    if kind == State.PENDING and facts.reading:
        return "the next provider is asked"
    if kind == State.FAILED and facts.reading == "refused_here":
        return "no other provider is left"
    return ""


def _what_follows_doubt(facts: Facts) -> str:
    parts = []
    if facts.is_repeat:
        parts.append("whether it took the first one stays open")
    if facts.wait:
        parts.append(f"it is asked again, without a second copy, in {duration(facts.wait)}")
    return "; ".join(parts)
