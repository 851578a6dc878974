"""The owner's list of messages: filtered and in pages, each by an index."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar
from uuid import UUID

from django import forms
from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import Count, OuterRef, QuerySet
from django.db.models.functions import Greatest
from django.utils.text import capfirst

from notifications.history.search import MAX_WORDS, catch_up, having, tag_term, word_terms
from notifications.intake.options.labels import MAX_TAG_CHARACTERS
from notifications.models import Delivery, Message, User
from notifications.models.ids import SKEW, first_id
from notifications.models.message import in_states
from notifications.models.state import OPEN, SETTLED
from notifications.web.paging import CursorForm, Stretch, stretch_of
from notifications.web.period import PeriodForm

PAGE = 25
"""Messages on a page."""

_NAMED = 2
"""Recipients that a row names; the others are counted."""


class ListFilter(CursorForm, PeriodForm):
    """What the owner asks for. A part that cannot be read is told and not applied."""

    q = forms.CharField(
        label="Search",
        required=False,
        max_length=400,
        widget=forms.TextInput(
            attrs={
                "type": "search",
                "autocomplete": "off",
                "autocapitalize": "off",
                "spellcheck": "false",
                "placeholder": "Subject, address, domain or id",
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
    tag = forms.CharField(required=False, max_length=MAX_TAG_CHARACTERS)

    folded: ClassVar[tuple[str, ...]] = ("tag", "since", "until")

    def clean_q(self) -> str:
        """The words, of which there must be some, and not too many."""
        text: str = self.cleaned_data["q"]
        if text and not 0 < len(word_terms(text)) <= MAX_WORDS:
            raise forms.ValidationError(f"Search by 1 to {MAX_WORDS} words.")
        return text


def page_of(owner: User, asked: Mapping[str, Any]) -> Stretch[Message]:
    """The page of `owner`'s messages that a ListFilter's cleaned data asks for.

    Each has `named` (its first addresses) and `unnamed` (how many more it has). Nothing is counted.
    """
    query, key = _fitting(owner, asked)
    ids = stretch_of(query.values_list(key, flat=True), asked, key=key, size=PAGE)
    return Stretch(_rows(ids.rows), ids.newer, ids.older) if ids.rows else Stretch([])


def _fitting(owner: User, asked: Mapping[str, Any]) -> tuple[QuerySet[Any], str]:
    """Rows of the messages that fit, and the column that holds the message's id."""
    text, tag, state = asked.get("q", ""), asked.get("tag"), asked.get("state")
    if (id_ := _uuid(text)) is not None:
        return Message.objects.owned_by(owner).filter(id=id_), "id"
    # first what few messages have
    terms = [*word_terms(text), *([tag_term(tag)] if tag else [])]
    if not terms:
        found = Message.objects.listed(owner).filter(**_period(asked, "id", ""))
        return found.filter(in_states(state)) if state else found, "id"
    catch_up()
    having_all = having(owner, terms).filter(**_period(asked, "message_id", "message__"))
    return having_all.filter(message__state=state) if state else having_all, "message_id"


def _period(asked: Mapping[str, Any], key: str, prefix: str) -> dict[str, Any]:
    """The conditions of a period; ids sort by time, so it is a stretch of the index as well."""
    conditions: dict[str, Any] = {}
    if since := asked.get("since"):
        conditions[f"{prefix}accepted_at__gte"] = since
        conditions[f"{key}__gte"] = first_id(since, skew=-SKEW)
    if until := asked.get("until"):
        conditions[f"{prefix}accepted_at__lt"] = until
        conditions[f"{key}__lte"] = first_id(until, skew=SKEW)
    return conditions


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


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
