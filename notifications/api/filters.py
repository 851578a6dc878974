"""What a list of messages can be narrowed by that is a column of theirs, or of their deliveries."""

from dataclasses import dataclass
from datetime import datetime
from typing import Self
from uuid import UUID

from django.db.models import QuerySet
from drf_spectacular.utils import OpenApiParameter
from rest_framework.request import Request

from notifications.api.parameters import LONGEST_ADDRESS, address, moment, one_of
from notifications.models import Delivery, Message, State, User
from notifications.models.ids import SKEW, first_id
from notifications.models.message import in_states

_MOMENT = {"type": "string", "format": "date-time"}

FILTER_PARAMETERS = [
    OpenApiParameter(
        "state",
        {"type": "string", "enum": sorted(State.values)},
        description="\n".join(
            ["The message's state.", "", *(f"* `{state}` - {state.label}" for state in State)]
        ),
    ),
    OpenApiParameter(
        "recipient",
        {"type": "string", "minLength": 1, "maxLength": LONGEST_ADDRESS},
        description="An address among the recipients, Bcc included.",
    ),
    OpenApiParameter(
        "created_after",
        _MOMENT,
        description="Accepted then or later (ISO 8601, with its offset).",
    ),
    OpenApiParameter(
        "created_before", _MOMENT, description="Accepted earlier (ISO 8601, with its offset)."
    ),
]

FILTER_NAMES = frozenset(parameter.name for parameter in FILTER_PARAMETERS)


@dataclass(frozen=True, slots=True)
class MessageFilter:
    """What was asked for; all of it must hold, and None asks for nothing."""

    state: str | None
    recipient: str | None
    after: datetime | None
    before: datetime | None

    @classmethod
    def of(cls, request: Request) -> Self:
        """What the request asks for. Raises ValidationError naming what cannot be read."""
        return cls(
            state=one_of(request, "state", State.values),
            recipient=address(request, "recipient"),
            after=moment(request, "created_after"),
            before=moment(request, "created_before"),
        )

    def narrow(self, owner: User) -> QuerySet[Message]:
        """The owner's messages that pass."""
        messages: QuerySet[Message] = Message.objects.listed(owner)
        if self.state:
            messages = messages.filter(in_states(self.state))
        if self.recipient:
            # the owner narrows the index
            deliveries = Delivery.objects.filter(address=self.recipient, owner=owner)
            messages = messages.filter(id__in=deliveries.values("message_id"))
        if self.after:
            messages = messages.filter(accepted_at__gte=self.after)
        if self.before:
            messages = messages.filter(accepted_at__lt=self.before)
        return messages.filter(**self.range_of("id"))

    def range_of(self, name: str) -> dict[str, UUID]:
        """Between which ids the messages lie, as a filter of the column `name` that has them."""
        least = {f"{name}__gte": first_id(self.after, skew=-SKEW)} if self.after else {}
        most = {f"{name}__lt": first_id(self.before, skew=SKEW)} if self.before else {}
        return {**least, **most}
