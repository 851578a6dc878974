"""The owner's list of messages: filtered and in pages, each by an index."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from django import forms
from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import Count, OuterRef, QuerySet
from django.db.models.functions import Greatest
from django.utils.text import capfirst

from notifications.intake.addresses import AddressError, read_mailbox
from notifications.models import Delivery, Message, User
from notifications.models.state import OPEN, SETTLED
from notifications.web.paging import CursorForm, Stretch, stretch_of

PAGE = 25
"""Messages on a page."""

_NAMED = 2
"""Recipients that a row names; the others are counted."""


class ListFilter(CursorForm):
    """What the owner asks for. A part that cannot be read is shown as a fault and not applied."""

    to = forms.CharField(
        label="Recipient",
        required=False,
        max_length=320,
        widget=forms.TextInput(
            attrs={
                "type": "search",
                "inputmode": "email",
                "autocomplete": "off",
                "autocapitalize": "off",
                "spellcheck": "false",
                "placeholder": "someone@example.org",
            }
        ),
    )
    state = forms.ChoiceField(
        label="State",
        required=False,
        choices=[
            ("", "Any state"),
            ("Open", [(state.value, capfirst(state.label)) for state in OPEN]),
            ("Settled", [(state.value, capfirst(state.label)) for state in SETTLED]),
        ],
    )

    def clean_to(self) -> str:
        """The address as it is stored."""
        text: str = self.cleaned_data["to"]
        if not text:
            return ""
        try:
            return read_mailbox(text).address
        except AddressError as error:
            raise forms.ValidationError(
                "This is not a whole address. Search by one, such as someone@example.org."
            ) from error


def page_of(owner: User, asked: Mapping[str, Any]) -> Stretch[Message]:
    """The page of `owner`'s messages that a ListFilter's cleaned data asks for, in two queries.

    Each has `named` (its first addresses) and `unnamed` (how many more it has). Nothing is counted.
    """
    query, key = _fitting(owner, asked)
    ids = stretch_of(query.values_list(key, flat=True), asked, key=key, size=PAGE)
    return Stretch(_rows(ids.rows), ids.newer, ids.older) if ids.rows else Stretch([])


def _fitting(owner: User, asked: Mapping[str, Any]) -> tuple[QuerySet[Any], str]:
    """Rows of the messages that fit, and the column that holds the message's id."""
    state, to = asked.get("state"), asked.get("to")
    if to:
        # from the deliveries' side: their index by address gives the page's order as well
        deliveries = Delivery.objects.filter(address=to, owner=owner)
        return deliveries.filter(message__state=state) if state else deliveries, "message_id"
    messages = Message.objects.owned_by(owner)
    return messages.filter(state=state) if state else messages, "id"


def _rows(ids: Sequence[UUID]) -> list[Message]:
    addresses = Delivery.objects.filter(message=OuterRef("id")).order_by("id").values("address")
    return list(
        Message.objects.filter(id__in=ids)
        .annotate(
            named=ArraySubquery(addresses[:_NAMED]),
            unnamed=Greatest(Count("deliveries") - _NAMED, 0),
        )
        .order_by("-id")
    )
