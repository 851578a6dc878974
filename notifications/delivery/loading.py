"""Reading a claimed batch from the database: two queries, however many messages."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypedDict, cast
from uuid import UUID

from django.db.models import BooleanField, Exists, ExpressionWrapper, OuterRef, Q
from django.db.models.functions import Now

from notifications.delivery.handoff import Outgoing, Recipient
from notifications.models import Attempt, Delivery, Message
from notifications.models.state import State


class _MessageTiming(TypedDict):
    is_past: bool


class _DeliveryTiming(TypedDict):
    is_due: bool
    was_attempted: bool


if TYPE_CHECKING:
    from django_stubs_ext import WithAnnotations

    _TimedMessage = WithAnnotations[Message, _MessageTiming]
    _TimedDelivery = WithAnnotations[Delivery, _DeliveryTiming]


@dataclass(frozen=True, slots=True)
class DueDelivery:
    """A delivery that is to be handed over now."""

    id: UUID
    rounds: int
    backoffs: int
    was_attempted: bool
    """Whether this generation has been handed to a provider before."""


@dataclass(frozen=True, slots=True)
class DueMessage:
    """A claimed message with its due deliveries."""

    outgoing: Outgoing
    is_past_deadline: bool
    due: tuple[DueDelivery, ...]

    @property
    def id(self) -> UUID:
        """The message's id."""
        return self.outgoing.message_id

    def envelope(self, delivery_ids: Sequence[UUID]) -> tuple[Recipient, ...]:
        """The recipients of some of its deliveries, in the order of the headers."""
        wanted = set(delivery_ids)
        return tuple(r for r in self.outgoing.recipients if r.delivery_id in wanted)


def load_due(message_ids: Sequence[UUID]) -> list[DueMessage]:
    """Load messages with their content, recipients and due deliveries.

    Due is by the database's clock, so that the worker's own may be wrong.
    """
    deliveries = _deliveries(message_ids)
    messages = (
        Message.objects.filter(id__in=message_ids)
        .select_related("content")
        .annotate(is_past=_is_true(Q(expires_at__lte=Now())))
        .order_by("id")
    )
    return [
        DueMessage(
            outgoing=_outgoing(message, deliveries[message.id]),
            is_past_deadline=message.is_past,
            due=tuple(
                DueDelivery(d.id, d.rounds, d.backoffs, d.was_attempted)
                for d in deliveries[message.id]
                if d.is_due
            ),
        )
        for message in cast("Iterable[_TimedMessage]", messages)
    ]


def _is_true(condition: Q) -> ExpressionWrapper[Q]:
    return ExpressionWrapper(condition, output_field=BooleanField())


def _deliveries(message_ids: Sequence[UUID]) -> "dict[UUID, list[_TimedDelivery]]":
    attempts = Attempt.objects.filter(delivery=OuterRef("id"), generation=OuterRef("generation"))
    rows = (
        Delivery.objects.filter(message__in=message_ids)
        # whom submission suppressed, the headers do not name; the same on every attempt
        .exclude(state=State.SUPPRESSED)
        .annotate(
            is_due=_is_true(Q(state=State.PENDING, due_at__lte=Now())),
            was_attempted=Exists(attempts),
        )
        .order_by("id")
    )
    by_message: dict[UUID, list[_TimedDelivery]] = defaultdict(list)
    for delivery in cast("Iterable[_TimedDelivery]", rows):
        by_message[delivery.message_id].append(delivery)
    return by_message


def _outgoing(message: Message, deliveries: Sequence[Delivery]) -> Outgoing:
    return Outgoing(
        message_id=message.id,
        header_message_id=message.header_message_id,
        sender=message.sender,
        sender_address=message.sender_address,
        subject=message.subject,
        text=message.content.text,
        accepted_at=message.accepted_at,
        recipients=tuple(Recipient(d.id, d.kind, d.address, d.name) for d in deliveries),
    )
