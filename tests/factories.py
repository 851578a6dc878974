"""Thin factories, one per model."""

from datetime import timedelta
from typing import Any

import factory
from django.utils import timezone
from factory.django import DjangoModelFactory

from notifications.models import Content, Delivery, Message, Provider, State, User


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


def make_message(*addresses: str, **fields: Any) -> Message:
    """A whole message, with content and one `to` recipient an address."""
    message: Message = MessageFactory(**fields)
    ContentFactory(message=message)
    for position, address in enumerate(addresses or ("reader@example.org",)):
        DeliveryFactory(message=message, address=address, position=position)
    return message
