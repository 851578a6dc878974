"""The rows of told messages, as COPY takes them: one line of text each, by table."""

from dataclasses import dataclass, field

from limbo.local.demo_data.telling import Event, Handoff, Recipient, Telling, moment
from limbo.local.demo_data.times import SECOND
from notifications.models.handoff import Outcome

COLUMNS = {
    "message": (
        "id, owner_id, sender, sender_address, subject, header_message_id, accepted_at, expires_at,"
        " state, seq, due_at, tags, metadata, send_at, preferred_provider, failover, lease_token,"
        " lease_until"
    ),
    "content": "message_id, text",
    "delivery": (
        "id, message_id, owner_id, kind, position, address, name, state, generation, rounds,"
        " backoffs, due_at, finalized_at"
    ),
    "handoff": (
        "id, message_id, provider_id, idempotency_key, provider_message_id, tries, outcome,"
        " reading, code, answer, started_at, ended_at"
    ),
    "attempt": "handoff_id, delivery_id, generation, outcome, reading, code, answer",
    "event": "message_id, delivery_id, seq, kind, at, data",
    "requestlog": (
        "owner_id, at, method, path, status, address, duration_ms, message_id, request_id"
    ),
    "suppression": "id, owner_id, address, reason, note, created_at",
}
"""Of each table those that are not left to the database, in the order of loading."""

Value = str | int | bool | None

_LEASE = 60 * SECOND

# a hand-off keeps the words of the attempt that says most; see history.outcomes
_STANDS_AT = (
    Outcome.IN_FLIGHT,
    Outcome.UNCERTAIN,
    Outcome.ACCEPTED,
    Outcome.NOT_ACCEPTED,
    Outcome.REFUSED,
)


def line(*values: Value) -> str:
    """A row of `values`, with what COPY reads as signs escaped."""
    return "\t".join([_written(value) for value in values]) + "\n"


def _written(value: Value) -> str:
    if value is None:
        return "\\N"
    text = str(value)
    if "\\" in text or "\n" in text or "\t" in text:
        return text.replace("\\", "\\\\").replace("\n", "\\n").replace("\t", "\\t")
    return text


@dataclass(frozen=True, slots=True)
class Letter:
    """What one message says, and whose it is."""

    owner_id: int
    sender: str
    sender_address: str
    subject: str
    text: str
    tag: str
    metadata: str | None
    only_provider: str
    """The only provider that it may go through; empty for any."""


@dataclass(slots=True)
class Rows:
    """The rows of many messages."""

    lines: dict[str, list[str]] = field(default_factory=lambda: {name: [] for name in COLUMNS})
    events: list[tuple[str, Event]] = field(default_factory=list)
    """Beside each the message's id."""

    def add(self, letter: Letter, tell: Telling) -> None:
        """Take over a message with all of its history, but for the line of its request."""
        header_id = f"<{tell.id}@{letter.sender_address.partition('@')[2]}>"
        in_flight = tell.is_in_flight
        self._add(
            "message",
            tell.id,
            letter.owner_id,
            letter.sender,
            letter.sender_address,
            letter.subject,
            header_id,
            moment(tell.accepted_at),
            moment(tell.expires_at),
            tell.state.value,
            len(tell.events),
            _moment(tell.due_at),
            f"{{{letter.tag}}}",
            letter.metadata,
            _moment(tell.send_at),
            letter.only_provider,
            not letter.only_provider,
            tell.handoffs[-1].id if in_flight else None,
            moment(tell.now + _LEASE) if in_flight else None,
        )
        self._add("content", tell.id, letter.text)
        for recipient in tell.recipients:
            self._add_delivery(letter.owner_id, tell.id, recipient)
        for handoff in tell.handoffs:
            self._add_handoff(tell.id, handoff)
        self.events += [(tell.id, event) for event in tell.events]

    def add_request(
        self, owner_id: int, at: int, status: int, message_id: str | None, request_id: str
    ) -> None:
        """Take over a line of the request log."""
        # as many addresses as a few applications have, at an address for examples (RFC 5737)
        address = f"203.0.113.{owner_id % 50 + 1}"
        duration = 2 + (at // 1000) % 9
        path = "/v1/mail"
        self._add(
            "requestlog",
            owner_id,
            moment(at),
            "POST",
            path,
            status,
            address,
            duration,
            message_id,
            request_id,
        )

    def add_suppression(self, id_: str, owner_id: int, address: str, reason: str, at: int) -> None:
        """Take over that an address gets no mail."""
        note = "A provider reported it."
        self._add("suppression", id_, owner_id, address, reason, note, moment(at))

    def texts(self) -> dict[str, str]:
        """All of it by table; the events in the order in which they happened."""
        self.events.sort(key=_by_time)
        for message_id, event in self.events:
            self._add(
                "event",
                message_id,
                event.delivery_id,
                event.seq,
                event.kind,
                moment(event.at),
                event.data,
            )
        return {table: "".join(lines) for table, lines in self.lines.items()}

    def _add(self, table: str, *values: Value) -> None:
        self.lines[table].append(line(*values))

    def _add_delivery(self, owner_id: int, message_id: str, recipient: Recipient) -> None:
        self._add(
            "delivery",
            recipient.id,
            message_id,
            owner_id,
            recipient.kind,
            recipient.position,
            recipient.address,
            recipient.name,
            recipient.state.value,
            recipient.generation,
            recipient.rounds,
            recipient.backoffs,
            _moment(recipient.due_at),
            _moment(recipient.finalized_at),
        )

    def _add_handoff(self, message_id: str, handoff: Handoff) -> None:
        told = min(handoff.attempts, key=lambda attempt: _STANDS_AT.index(attempt.outcome))
        self._add(
            "handoff",
            handoff.id,
            message_id,
            handoff.way.id,
            handoff.id,
            handoff.provider_message_id,
            1,
            told.outcome.value,
            told.reading,
            told.code,
            told.answer,
            moment(handoff.started_at),
            _moment(handoff.ended_at),
        )
        for attempt in handoff.attempts:
            self._add(
                "attempt",
                handoff.id,
                attempt.delivery.id,
                attempt.generation,
                attempt.outcome.value,
                attempt.reading,
                attempt.code,
                attempt.answer,
            )


def _moment(at: int | None) -> str | None:
    return None if at is None else moment(at)


def _by_time(row: tuple[str, Event]) -> tuple[int, str, int]:
    message_id, event = row
    return event.at, message_id, event.seq
