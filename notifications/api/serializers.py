"""How stored rows are shown. What a caller may send is checked by intake, not here."""

from collections import Counter
from functools import cache
from typing import Any
from uuid import UUID

from django.conf import settings
from django.urls import reverse
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from notifications.api.template_serializers import UsedTemplateSerializer
from notifications.history.roll_ups import KINDS
from notifications.history.wording import Facts, Reader
from notifications.models import Attempt, Delivery, Event, Message, RequestLog, State


def message_url(message_id: UUID) -> str:
    """The address of a message in this API, as callers reach it."""
    base_url: str = settings.LIMBO_BASE_URL
    return f"{base_url.rstrip('/')}{_messages_path()}/{message_id}"


@cache
def _messages_path() -> str:
    # resolving it anew for each message of a batch costs more than reading the message
    return reverse("api:messages")


def _reader(serializer: serializers.BaseSerializer[Any]) -> Reader:
    """Whoever asks: the owner, who is not told what is for staff."""
    return Reader(owner=serializer.context["request"].user.get_username(), is_staff=False)


class AttemptSerializer(serializers.ModelSerializer[Attempt]):
    """One hand-off to a provider, as it went for one recipient."""

    provider = serializers.CharField(source="handoff.provider.name", read_only=True)
    started_at = serializers.DateTimeField(source="handoff.started_at", read_only=True)
    ended_at = serializers.DateTimeField(source="handoff.ended_at", read_only=True, allow_null=True)
    answer = serializers.SerializerMethodField(
        help_text="The provider's words; empty where they are for staff only."
    )

    class Meta:
        """`reading` is what the answer was taken to mean."""

        model = Attempt
        fields = (
            "provider",
            "generation",
            "outcome",
            "reading",
            "code",
            "answer",
            "started_at",
            "ended_at",
        )
        read_only_fields = fields

    def get_answer(self, attempt: Attempt) -> str:
        """What the owner may read of the answer."""
        told = _reader(self).may_read(reading=attempt.reading, answer=attempt.answer)
        return attempt.answer if told else ""


class DeliverySerializer(serializers.ModelSerializer[Delivery]):
    """One recipient, where its delivery stands, and what was tried."""

    attempts = AttemptSerializer(many=True, read_only=True)

    class Meta:
        """Everything but the queue's own counters."""

        model = Delivery
        fields = (
            "id",
            "kind",
            "address",
            "name",
            "state",
            "generation",
            "due_at",
            "finalized_at",
            "attempts",
        )
        read_only_fields = fields


class EventSerializer(serializers.ModelSerializer[Event]):
    """One line of a message's history."""

    recipient = serializers.CharField(
        source="delivery.address",
        default=None,
        read_only=True,
        allow_null=True,
        help_text="Whose delivery it is about; null for the message as a whole.",
    )

    # a member of the answer, not the base's validated data
    data = serializers.SerializerMethodField(  # type: ignore[assignment]
        help_text="Who, why, and the provider's words."
    )

    class Meta:
        """`seq` counts from 1 without a gap."""

        model = Event
        fields: tuple[str, ...] = ("seq", "kind", "at", "recipient", "applied", "data")
        read_only_fields = fields

    def get_data(self, event: Event) -> dict[str, Any]:
        """What the event tells its owner; what it does not tell is left out."""
        facts = Facts.of_event(event.data, _reader(self))
        told = {
            "provider": facts.provider,
            "reading": facts.reading,
            "code": facts.code,
            "answer": facts.answer,
            "wait": facts.wait,
            "reason": facts.reason,
            "by": facts.who if "by" in event.data else "",
            "send_at": facts.send_at,
        }
        return {key: value for key, value in told.items() if value}


class FeedEventSerializer(EventSerializer):
    """One line of the feed: whose history it belongs to, too."""

    class Meta(EventSerializer.Meta):
        """`message_id` and `seq` together name an event."""

        fields = ("message_id", "delivery_id", *EventSerializer.Meta.fields)
        read_only_fields = fields


class FeedSerializer(serializers.Serializer[object]):
    """A stretch of the user's events, and where the next one begins."""

    results = FeedEventSerializer(many=True)
    cursor = serializers.CharField(help_text="To be kept, and sent with the next request.")
    next = serializers.URLField(help_text="The next request, for which there always is one.")
    has_more = serializers.BooleanField(help_text="Whether the next request finds events now.")


class MessageSerializer(serializers.ModelSerializer[Message]):
    """A message as lists show it."""

    url = serializers.SerializerMethodField()
    tags = serializers.SerializerMethodField()
    test = serializers.BooleanField(
        source="is_test",
        read_only=True,
        help_text="Whether it went to the sandbox, and so to nobody.",
    )

    class Meta:
        """`from` is added below: Python does not let a field be called so."""

        model = Message
        fields: tuple[str, ...] = (
            "id",
            "url",
            "subject",
            "state",
            "tags",
            "test",
            "accepted_at",
            "send_at",
            "expires_at",
        )
        read_only_fields = fields

    def get_fields(self) -> dict[str, serializers.Field]:  # type: ignore[type-arg]
        """The declared fields, and `from`."""
        return {
            **super().get_fields(),
            "from": serializers.CharField(source="sender", read_only=True),
        }

    def get_url(self, message: Message) -> str:
        """Where the message is read in full."""
        return message_url(message.id)

    def get_tags(self, message: Message) -> list[str]:
        """The caller's own."""
        return message.tags or []


class MessageDetailSerializer(MessageSerializer):
    """A message with its deliveries and its whole history."""

    template = UsedTemplateSerializer(
        source="template_version",
        read_only=True,
        allow_null=True,
        help_text="What it was made from; null where the words were the caller's own.",
    )
    reply_to = serializers.SerializerMethodField()
    headers = serializers.SerializerMethodField(help_text="Those of the caller's own.")
    metadata = serializers.SerializerMethodField()
    provider = serializers.CharField(
        source="preferred_provider",
        read_only=True,
        help_text="The one that is to be asked first; empty where the caller named none.",
    )
    counts = serializers.SerializerMethodField(help_text="How many deliveries are in each state.")
    deliveries = DeliverySerializer(many=True, read_only=True)
    events = EventSerializer(many=True, read_only=True)

    class Meta(MessageSerializer.Meta):
        """What the list shows, and the rest."""

        fields = (
            *MessageSerializer.Meta.fields,
            "priority",
            "reply_to",
            "headers",
            "metadata",
            "on_uncertain",
            "provider",
            "failover",
            "template",
            "counts",
            "deliveries",
            "events",
        )
        read_only_fields = fields

    def get_reply_to(self, message: Message) -> list[str]:
        """Where answers go; nowhere else than to the sender where it is empty."""
        return message.reply_to or []

    def get_headers(self, message: Message) -> dict[str, str]:
        """Names and values."""
        return dict(message.headers or [])

    def get_metadata(self, message: Message) -> dict[str, str]:
        """The caller's own keys and values."""
        return message.metadata or {}

    @extend_schema_field(
        {
            "type": "object",
            "propertyNames": {"enum": State.values},
            "additionalProperties": {"type": "integer"},
        }
    )
    def get_counts(self, message: Message) -> dict[str, int]:
        """Deliveries by state; states without any are left out."""
        return dict(Counter(delivery.state for delivery in message.deliveries.all()))


_COUNTS = {
    "type": "object",
    "propertyNames": {"enum": list(KINDS)},
    "additionalProperties": {"type": "integer", "minimum": 1},
}
"""Counts by kind; kinds without any are left out."""


@extend_schema_field(_COUNTS)
class CountsField(serializers.DictField):
    """Events by kind."""


class ProviderCountsSerializer(serializers.Serializer[object]):
    """What one provider was asked and said."""

    provider = serializers.CharField()
    counts = CountsField()


class TagCountsSerializer(serializers.Serializer[object]):
    """What happened to the messages with one tag."""

    tag = serializers.CharField()
    counts = CountsField()


class StepCountsSerializer(serializers.Serializer[object]):
    """What happened in one hour or day."""

    at = serializers.DateTimeField(help_text="When it begins.")
    counts = CountsField()


class StatsSerializer(serializers.Serializer[object]):
    """What happened to the user's messages in a period."""

    after = serializers.DateTimeField(help_text="The period's beginning: a whole hour.")
    before = serializers.DateTimeField(help_text="The period's end: a whole hour.")
    counts = CountsField()
    providers = ProviderCountsSerializer(many=True)
    tags = TagCountsSerializer(many=True)
    series = StepCountsSerializer(many=True, required=False, help_text="With `interval` only.")
    is_complete = serializers.BooleanField(
        help_text="Whether everything that has happened by now is counted."
    )


class RequestSerializer(serializers.ModelSerializer[RequestLog]):
    """One request as the log has it."""

    class Meta:
        """The owner is the reader."""

        model = RequestLog
        fields = (
            "at",
            "request_id",
            "method",
            "path",
            "status",
            "address",
            "duration_ms",
            "message_id",
            "token_id",
        )
        read_only_fields = fields


_STORED_AS = (State.PENDING, State.SCHEDULED, State.SUPPRESSED)


class SubmittedSerializer(serializers.Serializer[object]):
    """The answer to a submission."""

    Message = serializers.ChoiceField(choices=["submitted"])
    id = serializers.UUIDField()
    state = serializers.ChoiceField(choices=[state.value for state in _STORED_AS])
    url = serializers.URLField()


class FaultSerializer(serializers.Serializer[object]):
    """One fault among a problem's errors."""

    detail = serializers.CharField()
    code = serializers.CharField()
    pointer = serializers.CharField(
        required=False, help_text="A JSON Pointer into the body, as a URI fragment."
    )
    line = serializers.IntegerField(required=False, help_text="The line of a template's source.")
    parameter = serializers.CharField(required=False, help_text="A query parameter.")


class ProblemSerializer(serializers.Serializer[object]):
    """Problem details (RFC 9457)."""

    type = serializers.URLField(help_text="The address of the page about this kind of problem.")
    title = serializers.CharField()
    status = serializers.IntegerField()
    detail = serializers.CharField()
    # a member of the answer, not the base's faults
    errors = FaultSerializer(many=True, required=False)  # type: ignore[assignment]
    request_id = serializers.UUIDField(help_text="As in the header X-Request-Id and in the logs.")


class RefusedSerializer(ProblemSerializer):
    """Problem details of a submission, with two members that older clients read."""

    Message = serializers.ChoiceField(choices=["not submitted"])
    Problem = serializers.CharField()
