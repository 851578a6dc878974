"""The owner's list of messages: filtered and in pages, each by an index."""

from collections.abc import Mapping
from dataclasses import dataclass
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

PAGE = 25
"""Messages on a page."""

_NAMED = 2
"""Recipients that a row names; the others are counted."""


class ListFilter(forms.Form):
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
    before = forms.UUIDField(required=False, widget=forms.HiddenInput)
    after = forms.UUIDField(required=False, widget=forms.HiddenInput)

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


@dataclass(frozen=True, slots=True)
class Page:
    """One page of messages, newest first, and the cursors of its neighbours."""

    messages: list[Message]
    """Each with `named` (its first addresses) and `unnamed` (how many more it has)."""
    newer: UUID | None
    older: UUID | None


def page_of(owner: User, asked: Mapping[str, Any]) -> Page:
    """The page of `owner`'s messages that a ListFilter's cleaned data asks for, in two queries.

    Pages are cut by id, which sorts by time: none is slower than the first, and nothing is counted.
    """
    before, after = asked.get("before"), asked.get("after")
    query, key = _fitting(owner, asked)
    if after:
        query = query.filter(**{f"{key}__gt": after}).order_by(key)
    else:
        query = query.filter(**{f"{key}__lt": before} if before else {}).order_by(f"-{key}")
    ids: list[UUID] = list(query.values_list(key, flat=True)[: PAGE + 1])
    more, ids = len(ids) > PAGE, sorted(ids[:PAGE], reverse=True)
    if not ids:
        return Page([], newer=None, older=None)
    has_newer = more if after else bool(before)
    has_older = more or bool(after)
    return Page(
        _rows(ids), newer=ids[0] if has_newer else None, older=ids[-1] if has_older else None
    )


def _fitting(owner: User, asked: Mapping[str, Any]) -> tuple[QuerySet[Any], str]:
    """Rows of the messages that fit, and the column that holds the message's id."""
    state, to = asked.get("state"), asked.get("to")
    if to:
        # from the deliveries' side: their index by address gives the page's order as well
        deliveries = Delivery.objects.filter(address=to, owner=owner)
        return deliveries.filter(message__state=state) if state else deliveries, "message_id"
    messages = Message.objects.owned_by(owner)
    return messages.filter(state=state) if state else messages, "id"


def _rows(ids: list[UUID]) -> list[Message]:
    addresses = Delivery.objects.filter(message=OuterRef("id")).order_by("id").values("address")
    return list(
        Message.objects.filter(id__in=ids)
        .annotate(
            named=ArraySubquery(addresses[:_NAMED]),
            unnamed=Greatest(Count("deliveries") - _NAMED, 0),
        )
        .order_by("-id")
    )
