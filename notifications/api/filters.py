"""What a list of messages can be narrowed by."""

from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django_filters import rest_framework as filters

from notifications.intake.addresses import AddressError, read_mailbox
from notifications.models import Delivery, Message, State


def _check_address(value: str) -> None:
    try:
        read_mailbox(value)
    except AddressError as error:
        raise ValidationError(str(error)) from error


class MessageFilter(filters.FilterSet):
    """`state`, `recipient`, `created_after` and `created_before`; all given must hold."""

    state = filters.ChoiceFilter(choices=State.choices, label="The message's state.")
    recipient = filters.CharFilter(
        method="filter_recipient",
        validators=[_check_address],
        label="An address among the recipients, Bcc included.",
    )
    created_after = filters.IsoDateTimeFilter(
        field_name="accepted_at", lookup_expr="gte", label="Accepted then or later (ISO 8601)."
    )
    created_before = filters.IsoDateTimeFilter(
        field_name="accepted_at", lookup_expr="lt", label="Accepted earlier (ISO 8601)."
    )

    class Meta:
        """No filter is made from the model by itself."""

        model = Message
        fields: tuple[str, ...] = ()

    def filter_recipient(
        self, queryset: QuerySet[Message], _name: str, value: str
    ) -> QuerySet[Message]:
        """Messages of the owner's that go to the address; it is read as a submission's is."""
        # the owner narrows the index; the queryset is the owner's already
        deliveries = Delivery.objects.filter(
            address=read_mailbox(value).address, owner=self.request.user
        )
        return queryset.filter(id__in=deliveries.values("message_id"))
