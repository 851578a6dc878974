"""Reading a claimed batch from the database: two queries, however many messages.

One more where a hand-off is in doubt and its repeat is due, one where a deadline is over, and one
where there are files.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, TypedDict, cast
from uuid import UUID

from django.contrib.postgres.aggregates import ArrayAgg
from django.db.models import DurationField, ExpressionWrapper, F
from django.db.models.functions import Now

from notifications.delivery.extras import File, extras_of, fitting, load_files
from notifications.delivery.handoff import Outgoing
from notifications.delivery.recipient import Recipient
from notifications.delivery.routing import Wish
from notifications.delivery.rows import (
    DeliveryRow,
    MessageRow,
    read_attempted,
    read_deliveries,
    read_messages,
)
from notifications.delivery.sandbox import IN_SANDBOX
from notifications.models import Attempt, Handoff, Outcome
from notifications.models.ids import Id
from notifications.models.record import record


class _HandoffTiming(TypedDict):
    age: timedelta
    delivery_ids: list[UUID]


if TYPE_CHECKING:
    from django_stubs_ext import WithAnnotations

    _TimedHandoff = WithAnnotations[Handoff, _HandoffTiming]


@record
class DueRepeat:
    """A hand-off in doubt that may be repeated now, if its provider knows its key."""

    handoff_id: Id
    provider: str
    idempotency_key: str
    age: timedelta
    """Since its first try."""
    envelope: tuple[Id, ...]
    """All of its deliveries: the repeat has the same payload, whatever is known of some."""
    in_doubt: tuple[DeliveryRow, ...]


@record
class DueMessage:
    """A claimed message with its due deliveries."""

    id: Id
    outgoing: Outgoing
    is_past_deadline: bool
    due: tuple[DeliveryRow, ...]
    repeats: tuple[DueRepeat, ...]
    preferred_provider: str | None
    failover: bool
    attempted: Collection[Id]
    """Its deliveries, among others', whose generation has been handed to a provider before; told
    only past the deadline."""

    def wish(self, delivery: DeliveryRow) -> Wish | None:
        """As was chosen for the delivery's generation, else as the message says."""
        if self.outgoing.is_test:
            return IN_SANDBOX
        first = delivery.through or self.preferred_provider
        return Wish(first, self.failover) if first else None

    def envelope(self, delivery_ids: Sequence[Id]) -> tuple[Recipient, ...]:
        """The recipients of some of its deliveries, in the order of the headers."""
        if len(delivery_ids) == len(self.outgoing.recipients):
            return self.outgoing.recipients
        wanted = set(delivery_ids)
        return tuple(r for r in self.outgoing.recipients if r.delivery_id in wanted)


def load_due(message_ids: Sequence[Id]) -> list[DueMessage]:
    """Load messages with their content, recipients and due deliveries.

    Due is by the database's clock, so that the worker's own may be wrong. Messages whose files do
    not fit into memory with the others' are left out, for another batch.
    """
    deliveries: dict[Id, list[DeliveryRow]] = defaultdict(list)
    for row in read_deliveries(message_ids):
        deliveries[row.message_id].append(row)
    repeats = _repeats(deliveries)
    messages = fitting(read_messages(message_ids))
    past = [message.id for message in messages if message.is_past]
    attempted = read_attempted(past) if past else set()
    files = load_files(messages)
    return [
        _due_message(
            message,
            deliveries[message.id],
            attempted=attempted,
            files=files.get(message.id, ()),
            repeats=repeats.get(message.id, ()),
        )
        for message in messages
    ]


def _due_message(
    message: MessageRow,
    rows: Sequence[DeliveryRow],
    *,
    attempted: Collection[Id],
    files: Sequence[File],
    repeats: Sequence[DueRepeat],
) -> DueMessage:
    outgoing = _outgoing(message, rows, files)
    # in the order of their fields: by their names it would take three times as long
    return DueMessage(
        message.id,
        outgoing,
        message.is_past,
        tuple([row for row in rows if row.is_due]),
        tuple(repeats),
        message.preferred_provider,
        message.failover,
        attempted,
    )


def _repeats(
    deliveries: Mapping[Id, Sequence[DeliveryRow]],
) -> dict[Id, list[DueRepeat]]:
    """The hand-offs in doubt of which a delivery is due, by message."""
    doubtful = {d.delivery_id: d for group in deliveries.values() for d in group if d.is_in_doubt}
    if not doubtful:
        return {}
    attempts = Attempt.objects.filter(delivery_id__in=doubtful, outcome=Outcome.UNCERTAIN)
    handoffs = (
        Handoff.objects.filter(id__in=attempts.values("handoff"), outcome=Outcome.UNCERTAIN)
        .select_related("provider")
        .annotate(
            age=ExpressionWrapper(Now() - F("started_at"), output_field=DurationField()),
            delivery_ids=ArrayAgg("attempts__delivery", order_by="attempts__delivery"),
        )
    )
    by_message: dict[Id, list[DueRepeat]] = defaultdict(list)
    for handoff in cast("Iterable[_TimedHandoff]", handoffs):
        envelope = tuple(map(str, handoff.delivery_ids))
        by_message[str(handoff.message_id)].append(
            DueRepeat(
                handoff_id=str(handoff.id),
                provider=handoff.provider.name,
                idempotency_key=handoff.idempotency_key,
                age=handoff.age,
                envelope=envelope,
                in_doubt=tuple(doubtful[id_] for id_ in envelope if id_ in doubtful),
            )
        )
    return by_message


def _outgoing(
    message: MessageRow, deliveries: Sequence[DeliveryRow], files: Sequence[File]
) -> Outgoing:
    return Outgoing(
        message.id,
        message.header_message_id,
        message.sender,
        message.sender_address,
        message.subject,
        message.text,
        message.accepted_at,
        tuple(deliveries),
        extras_of(message, files),
        message.is_test,
    )
