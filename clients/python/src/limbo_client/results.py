"""What Limbo tells: a frozen dataclass for each kind of answer.

States, kinds of events and other words are strings, since a newer Limbo may know more of them.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from limbo_client.errors import Fault
from limbo_client.reading import NAME

OPEN_STATES = frozenset({"pending", "scheduled", "held", "sending", "uncertain"})
"""In which a message still waits for something; in any other it is settled."""

GONE_OUT_STATES = frozenset({"queued", "sent", "deferred", "delivered", "complained"})
"""Settled states in which a provider has taken it."""


@dataclass(frozen=True, slots=True)
class Submitted:
    """A message that was stored: it will not be lost any more."""

    id: str
    state: str
    url: str
    is_replayed: bool = False
    """Whether it was stored before, by an earlier request with the same idempotency key."""


@dataclass(frozen=True, slots=True)
class Refused:
    """A message of a batch that was not stored, and why."""

    status: int
    detail: str
    errors: tuple[Fault, ...] = ()


@dataclass(frozen=True, slots=True)
class Token:
    """A token, which cannot be read again."""

    id: str
    name: str
    prefix: str
    scopes: tuple[str, ...]
    allowed_senders: tuple[str, ...]
    allowed_networks: tuple[str, ...]
    created_at: datetime
    expires_at: datetime | None
    last_used_at: datetime | None
    revoked_at: datetime | None
    test: bool
    """Whether what it submits goes to the sandbox, and to nobody."""


@dataclass(frozen=True, slots=True)
class NewToken(Token):
    """A token on the one occasion when it is told."""

    token: str


@dataclass(frozen=True, slots=True)
class Attempt:
    """One hand-off to a provider, as it went for one recipient."""

    provider: str
    generation: int
    outcome: str
    reading: str
    code: int | None
    answer: str
    started_at: datetime
    ended_at: datetime | None


@dataclass(frozen=True, slots=True)
class Delivery:
    """One recipient, where its delivery stands, and what was tried."""

    id: str
    kind: str
    address: str
    name: str
    state: str
    generation: int
    due_at: datetime | None
    finalized_at: datetime | None
    attempts: tuple[Attempt, ...]


@dataclass(frozen=True, slots=True)
class Event:
    """One line of a message's history."""

    seq: int
    kind: str
    at: datetime
    recipient: str | None
    """Whose delivery it is about; None for the message as a whole."""
    applied: bool
    """False for a provider's report that came too late to change anything."""
    data: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class FeedEvent(Event):
    """One event of the feed; `message_id` and `seq` together name it."""

    message_id: str
    delivery_id: str | None


@dataclass(frozen=True, slots=True)
class Message:
    """A message as lists show it."""

    id: str
    url: str
    subject: str
    state: str
    tags: tuple[str, ...]
    test: bool
    """Whether it went to the sandbox, and so to nobody."""
    accepted_at: datetime
    send_at: datetime | None
    """When it goes out, or went; None for one that was sent at once."""
    expires_at: datetime
    sender: str = field(metadata={NAME: "from"})

    @property
    def is_settled(self) -> bool:
        """Whether nothing more is to be done for any recipient."""
        return self.state not in OPEN_STATES

    @property
    def is_failed(self) -> bool:
        """Whether it is settled, and did not go out to at least one recipient."""
        return self.is_settled and self.state not in GONE_OUT_STATES


@dataclass(frozen=True, slots=True)
class UsedTemplate:
    """The version of a template that a message was made from."""

    id: str
    name: str
    version: int


@dataclass(frozen=True, slots=True)
class MessageDetail(Message):
    """A message with its deliveries and its whole history."""

    priority: str
    reply_to: tuple[str, ...]
    headers: Mapping[str, str]
    metadata: Mapping[str, str]
    on_uncertain: str
    provider: str
    """The one that is asked first; empty where the sender named none."""
    failover: bool
    counts: Mapping[str, int]
    deliveries: tuple[Delivery, ...]
    events: tuple[Event, ...]
    template: UsedTemplate | None = None


@dataclass(frozen=True, slots=True)
class ProviderCounts:
    """What one provider was asked and said."""

    provider: str
    counts: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class TagCounts:
    """What happened to the messages with one tag."""

    tag: str
    counts: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class StepCounts:
    """What happened in one hour or day."""

    at: datetime
    counts: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Stats:
    """What happened in a period."""

    after: datetime
    before: datetime
    counts: Mapping[str, int]
    providers: tuple[ProviderCounts, ...]
    tags: tuple[TagCounts, ...]
    is_complete: bool
    """Whether everything that has happened by now is counted."""
    series: tuple[StepCounts, ...] = ()
    """One for each `interval`, if one was asked for."""


@dataclass(frozen=True, slots=True)
class Template:
    """A template as lists show it."""

    id: str
    url: str
    name: str
    description: str
    version: int
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class TemplateDetail(Template):
    """A template with what one of its versions says."""

    current_version: int
    subject: str
    text: str | None
    html: str | None


@dataclass(frozen=True, slots=True)
class TemplateVersion:
    """A version as the list of a template's versions shows it."""

    version: int
    subject: str
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Preview:
    """What a template would say."""

    version: int
    subject: str
    text: str
    html: str | None
