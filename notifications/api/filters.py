"""What a list of messages can be narrowed by."""

from uuid import UUID

from django.db.models import QuerySet
from django_filters import rest_framework as filters
from drf_spectacular.utils import extend_schema_field

from notifications.api.parameters import LONGEST_ADDRESS, read_moment
from notifications.intake.addresses import read_mailbox
from notifications.models import Delivery, Message, State
from notifications.models.ids import SKEW, first_id

_MOMENT = {"type": "string", "format": "date-time"}


class MessageFilter(filters.FilterSet):
    """`state`, `recipient`, `created_after` and `created_before`; all given must hold."""

    state = filters.ChoiceFilter(choices=State.choices, label="The message's state.")
    recipient = filters.CharFilter(
        method="filter_recipient",
        label="An address among the recipients, Bcc included.",
    )
    created_after = filters.CharFilter(
        method="filter_after", label="Accepted then or later (ISO 8601, with its offset)."
    )
    created_before = filters.CharFilter(
        method="filter_before", label="Accepted earlier (ISO 8601, with its offset)."
    )

    class Meta:
        """No filter is made from the model by itself."""

        model = Message
        fields: tuple[str, ...] = ()

    def message_range(self) -> dict[str, UUID]:
        """Between which ids the messages lie, as a filter of what refers to them."""
        after, before = (self.data.get(name) for name in ("created_after", "created_before"))
        least = {"message_id__gte": first_id(read_moment(after), skew=-SKEW)} if after else {}
        most = {"message_id__lt": first_id(read_moment(before), skew=SKEW)} if before else {}
        return {**least, **most}

    @extend_schema_field(_MOMENT)
    def filter_after(
        self, queryset: QuerySet[Message], _name: str, value: str
    ) -> QuerySet[Message]:
        """Messages that were accepted then or later; the view has checked it."""
        at = read_moment(value)
        return queryset.filter(accepted_at__gte=at, id__gte=first_id(at, skew=-SKEW))

    @extend_schema_field(_MOMENT)
    def filter_before(
        self, queryset: QuerySet[Message], _name: str, value: str
    ) -> QuerySet[Message]:
        """Messages that were accepted earlier; the view has checked it."""
        at = read_moment(value)
        return queryset.filter(accepted_at__lt=at, id__lt=first_id(at, skew=SKEW))

    @extend_schema_field({"type": "string", "minLength": 1, "maxLength": LONGEST_ADDRESS})
    def filter_recipient(
        self, queryset: QuerySet[Message], _name: str, value: str
    ) -> QuerySet[Message]:
        """Messages of the owner's that go to the address, which the view has checked."""
        # the owner narrows the index; the queryset is the owner's already
        deliveries = Delivery.objects.filter(
            address=read_mailbox(value).address, owner=self.request.user
        )
        return queryset.filter(id__in=deliveries.values("message_id"))
