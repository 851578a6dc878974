"""Thin factories, one per model."""

from datetime import timedelta
from typing import Any

import factory
from django.utils import timezone
from factory.django import DjangoModelFactory

from notifications.models import (
    ApiToken,
    Attempt,
    Content,
    Delivery,
    Event,
    Handoff,
    Heartbeat,
    Message,
    Provider,
    RequestLog,
    State,
    Suppression,
    SuppressionReason,
    Template,
    TemplateVersion,
    User,
)


class UserFactory(DjangoModelFactory[User]):
    """An ordinary account."""

    class Meta:
        model = User

    username = factory.Sequence(lambda n: f"user{n}")


class ProviderFactory(DjangoModelFactory[Provider]):
    """A provider's row."""

    class Meta:
        model = Provider
        django_get_or_create = ("name",)

    name = "first"


class MessageFactory(DjangoModelFactory[Message]):
    """A message without recipients yet; due now."""

    class Meta:
        model = Message

    owner = factory.SubFactory(UserFactory)
    sender = "App <app@example.com>"
    sender_address = "app@example.com"
    subject = factory.Sequence(lambda n: f"Subject {n}")
    header_message_id = factory.Sequence(lambda n: f"<{n}@example.com>")
    expires_at = factory.LazyFunction(lambda: timezone.now() + timedelta(hours=24))
    # a moment ago: the database's now() is when the test's transaction began
    due_at = factory.LazyFunction(lambda: timezone.now() - timedelta(minutes=1))
    state = State.PENDING
    # in the order in which they are made; none while it is not due
    turn = factory.LazyAttributeSequence(
        lambda message, n: n if message.due_at and message.due_at <= timezone.now() else None
    )


class ContentFactory(DjangoModelFactory[Content]):
    """A message's body."""

    class Meta:
        model = Content

    message = factory.SubFactory(MessageFactory)
    text = "Hello."


class DeliveryFactory(DjangoModelFactory[Delivery]):
    """A recipient who waits to be sent to."""

    class Meta:
        model = Delivery

    message = factory.SubFactory(MessageFactory)
    owner = factory.SelfAttribute("message.owner")
    kind = "to"
    position = 0
    address = factory.Sequence(lambda n: f"reader{n}@example.org")
    state = State.PENDING
    due_at = factory.SelfAttribute("message.due_at")


class EventFactory(DjangoModelFactory[Event]):
    """A line of a message's history."""

    class Meta:
        model = Event

    message = factory.SubFactory(MessageFactory)
    seq = factory.Sequence(lambda n: n + 1)
    kind = "accepted"


class HandoffFactory(DjangoModelFactory[Handoff]):
    """A hand-off under way."""

    class Meta:
        model = Handoff

    message = factory.SubFactory(MessageFactory)
    provider = factory.SubFactory(ProviderFactory)
    idempotency_key = factory.Sequence(str)


class AttemptFactory(DjangoModelFactory[Attempt]):
    """A hand-off's part for one delivery."""

    class Meta:
        model = Attempt

    handoff = factory.SubFactory(HandoffFactory)
    delivery = factory.SubFactory(
        DeliveryFactory, message=factory.SelfAttribute("..handoff.message")
    )
    generation = 1


class ApiTokenFactory(DjangoModelFactory[ApiToken]):
    """A token's row; a token that opens the API is made by `issue_token`."""

    class Meta:
        model = ApiToken

    owner = factory.SubFactory(UserFactory)
    name = "an application"
    prefix = "lk_abcdefgh"
    digest = factory.Sequence(lambda n: n.to_bytes(32))
    scopes = factory.LazyFunction(lambda: ["send", "read"])


class RequestLogFactory(DjangoModelFactory[RequestLog]):
    """A request that was answered."""

    class Meta:
        model = RequestLog

    owner = factory.SubFactory(UserFactory)
    method = "GET"
    path = "/v1/mail"
    status = 200
    address = "192.0.2.1"
    duration_ms = 7


class SuppressionFactory(DjangoModelFactory[Suppression]):
    """An address that must not get mail."""

    class Meta:
        model = Suppression

    owner = factory.SubFactory(UserFactory)
    address = factory.Sequence(lambda n: f"gone{n}@example.org")
    reason = SuppressionReason.BOUNCED


class TemplateFactory(DjangoModelFactory[Template]):
    """A template's name; what it says is in its versions."""

    class Meta:
        model = Template

    owner = factory.SubFactory(UserFactory)
    name = factory.Sequence(lambda n: f"template-{n}")
    version = 1


class TemplateVersionFactory(DjangoModelFactory[TemplateVersion]):
    """What a template says."""

    class Meta:
        model = TemplateVersion

    template = factory.SubFactory(TemplateFactory)
    number = 1
    subject = "Hello, {{ name }}"
    text = "Dear {{ name }}."


class HeartbeatFactory(DjangoModelFactory[Heartbeat]):
    """A worker that makes progress."""

    class Meta:
        model = Heartbeat

    cluster = factory.Sequence(lambda n: f"host:{n}")
    started_at = factory.LazyFunction(timezone.now)
    beat_at = factory.LazyFunction(timezone.now)


def make_message(*addresses: str, **fields: Any) -> Message:
    """A whole message, with content and one `to` recipient an address."""
    message: Message = MessageFactory(**fields)
    ContentFactory(message=message)
    for position, address in enumerate(addresses or ("reader@example.org",)):
        DeliveryFactory(message=message, address=address, position=position)
    return message
