"""Messages with a past: rows as submission leaves them, taken on by the functions of `history`.

A story is told in the same calls that the engine makes, so that pages and timelines are tested on
the history that Limbo really writes.
"""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from django.db import transaction
from django.utils import timezone
from uuid_utils.compat import uuid7

from notifications.delivery.reading import RULES, Reading
from notifications.history.changes import Change, add_event, change_deliveries, lock_messages
from notifications.history.in_flight import Planned, commit_in_flight
from notifications.history.outcomes import AttemptOutcome, HandoffOutcome, record_outcomes
from notifications.models import (
    Content,
    Delivery,
    Message,
    Provider,
    RecipientKind,
    State,
    User,
)
from notifications.models.ids import new_id
from notifications.queue.claim import claim_next

DAY = timedelta(days=1)


def accepted(
    owner: User,
    *to: str,
    subject: str = "Your invoice for November",
    text: str = "Hello,\n\nyour invoice is ready.\n",
    cc: Sequence[str] = (),
    name: str = "",
) -> Message:
    """A message that was accepted for the recipients and waits for its turn."""
    now = timezone.now()
    id_ = uuid7()
    message = Message.objects.create(
        id=id_,
        owner=owner,
        sender="Billing <billing@shop.example>",
        sender_address="billing@shop.example",
        subject=subject,
        header_message_id=f"<{id_.hex}@shop.example>",
        expires_at=now + DAY,
        state=State.PENDING,
        due_at=now,
        turn=0,
    )
    Content.objects.create(message=message, text=text)
    for kind, addresses in ((RecipientKind.TO, to), (RecipientKind.CC, cc)):
        for position, address in enumerate(addresses):
            Delivery.objects.create(
                message=message,
                owner=owner,
                kind=kind,
                position=position,
                address=address,
                name=name,
                state=State.PENDING,
                due_at=now,
            )
    with transaction.atomic():
        lock_messages([message.id])
        add_event(message_id=message.id, kind="accepted", data={})
    return message


def deliveries_of(message: Message) -> list[Delivery]:
    """The message's deliveries, in the order in which they were made."""
    return list(Delivery.objects.filter(message=message).order_by("id"))


def handed_over(
    message: Message, *, to: str = "sink", deliveries: Sequence[Delivery] | None = None
) -> Planned:
    """Begin a hand-off of `deliveries` (all by default): they are `sending` now."""
    provider, _ = Provider.objects.get_or_create(name=to)
    chosen = deliveries_of(message) if deliveries is None else deliveries
    planned = Planned(
        handoff_id=new_id(),
        message_id=str(message.id),
        provider_id=provider.id,
        provider_name=provider.name,
        delivery_ids=tuple(str(delivery.id) for delivery in chosen),
    )
    with transaction.atomic():
        lock_messages([message.id])
        commit_in_flight([planned])
    return planned


def under_way(message: Message, *, to: str = "sink") -> Planned:
    """Claim the message, which is due, and begin a hand-off of it: its worker holds the lease."""
    claim = claim_next()
    assert claim is not None
    assert str(message.id) in claim.message_ids
    return handed_over(message, to=to)


def answered(
    planned: Planned,
    reading: Reading = Reading.SENT,
    *,
    code: int | None = 250,
    answer: str = "2.0.0 OK",
    wait: float = 0.0,
) -> None:
    """End a hand-off with one answer for all of its deliveries."""
    rule = RULES[reading]
    data: dict[str, Any] = {"provider": planned.provider_name, "reading": reading.value}
    data |= {"code": code} if code else {}
    data |= {"answer": answer} if reading is not Reading.UNBUILDABLE else {}
    data |= {"wait": wait} if wait else {}
    attempts = [
        AttemptOutcome(
            Change(id_, rule.state, data=data, wait=wait), rule.outcome, reading, code, answer
        )
        for id_ in planned.delivery_ids
    ]
    with transaction.atomic():
        lock_messages([planned.message_id])
        record_outcomes([HandoffOutcome(planned.handoff_id, planned.message_id, attempts)])


def moved(delivery: Delivery, to: State, *, requeue: bool = False, **data: Any) -> None:
    """Take one delivery to another state, with `data` in its event."""
    with transaction.atomic():
        lock_messages([delivery.message_id])
        before = State(Delivery.objects.get(id=delivery.id).state)
        change_deliveries([Change(delivery.id, to, data=data)], before=(before,), requeue=requeue)
