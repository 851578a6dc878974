"""The filters of the lists, each answered by an index."""

from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any

from django.contrib.admin import ModelAdmin, SimpleListFilter
from django.db.models import Exists, OuterRef, QuerySet
from django.http import HttpRequest
from django.utils import timezone

from notifications.models import Handoff, Message, Provider, RequestLog, User
from notifications.models.ids import first_id
from notifications.models.state import DEAD_LETTER, State

Lookups = Sequence[tuple[str, str]]

DEAD_LETTERS = "dead-letters"

MOST_OWNERS = 50
"""More names than this are no list to choose from."""


class MessageFilter(SimpleListFilter):
    """A filter of the messages, which narrows them the same wherever its choice comes from."""

    def queryset(self, request: HttpRequest, queryset: QuerySet[Message]) -> QuerySet[Message]:
        """The messages that pass the choice; all while there is none."""
        value = self.value()
        return self.narrow(queryset, value) if value else queryset

    @classmethod
    def narrow(cls, rows: QuerySet[Message], value: str) -> QuerySet[Message]:
        """Those of `rows` that pass `value`."""
        raise NotImplementedError


class StateFilter(MessageFilter):
    """By state, and the dead letters as one."""

    title = "state"
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: ModelAdmin[Message]) -> Lookups:
        """Dead letters first: they are what staff look after."""
        return [(DEAD_LETTERS, "dead letters"), *State.choices]

    @classmethod
    def narrow(cls, rows: QuerySet[Message], value: str) -> QuerySet[Message]:
        """The messages in the state."""
        states = DEAD_LETTER if value == DEAD_LETTERS else (value,)
        return rows.filter(state__in=states)


class ProviderFilter(MessageFilter):
    """By a provider that was given the message at least once."""

    title = "provider"
    parameter_name = "provider"

    def lookups(self, request: HttpRequest, model_admin: ModelAdmin[Message]) -> Lookups:
        """Every provider there is or was."""
        return [(name, name) for name in Provider.objects.values_list("name", flat=True)]

    @classmethod
    def narrow(cls, rows: QuerySet[Message], value: str) -> QuerySet[Message]:
        """The messages with a hand-off to the provider."""
        handoffs = Handoff.objects.filter(message=OuterRef("pk"), provider__name=value)
        return rows.filter(Exists(handoffs))


_PERIODS: dict[str, tuple[str, timedelta]] = {
    "hour": ("in the last hour", timedelta(hours=1)),
    "day": ("in the last 24 hours", timedelta(days=1)),
    "week": ("in the last 7 days", timedelta(days=7)),
    "month": ("in the last 30 days", timedelta(days=30)),
}


class AcceptedFilter(MessageFilter):
    """By the time of acceptance, through the time that a UUIDv7 begins with."""

    title = "accepted"
    parameter_name = "accepted"

    def lookups(self, request: HttpRequest, model_admin: ModelAdmin[Message]) -> Lookups:
        """The periods."""
        return [(value, label) for value, (label, _) in _PERIODS.items()]

    @classmethod
    def narrow(cls, rows: QuerySet[Message], value: str) -> QuerySet[Message]:
        """The messages accepted since the period began."""
        if value not in _PERIODS:
            return rows
        _, length = _PERIODS[value]
        return rows.filter(id__gte=first_id(timezone.now() - length))


class OwnerFilter(SimpleListFilter):
    """By the user it belongs to."""

    title = "owner"
    parameter_name = "owner"

    def lookups(self, request: HttpRequest, model_admin: ModelAdmin[Any]) -> Lookups:
        """The users, as far as they make a list to choose from."""
        names = User.objects.order_by("username").values_list("username", flat=True)
        return [(name, name) for name in names[:MOST_OWNERS]]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """What belongs to the chosen user; all while there is none."""
        value = self.value()
        return self.narrow(queryset, value) if value else queryset

    @classmethod
    def narrow(cls, rows: QuerySet[Any], value: str) -> QuerySet[Any]:
        """What belongs to the user."""
        # found first: joined, the planner would walk everybody's rows for those of one
        owner = User.objects.filter(username=value).first()
        return rows.filter(owner=owner) if owner else rows.none()


_ANSWERS: dict[str, tuple[str, Callable[[QuerySet[RequestLog]], QuerySet[RequestLog]]]] = {
    "done": ("done (2xx)", lambda rows: rows.filter(status__range=(200, 299))),
    "refused": ("refused (4xx)", lambda rows: rows.filter(status__range=(400, 499))),
    "unknown": ("without a valid token (401)", lambda rows: rows.filter(status=401)),
    "broken": ("our fault (5xx)", lambda rows: rows.filter(status__gte=500)),
}


class AnswerFilter(SimpleListFilter):
    """By how a request was answered."""

    title = "answer"
    parameter_name = "answer"

    def lookups(self, request: HttpRequest, model_admin: ModelAdmin[RequestLog]) -> Lookups:
        """The kinds of answer."""
        return [(value, label) for value, (label, _) in _ANSWERS.items()]

    def queryset(
        self, request: HttpRequest, queryset: QuerySet[RequestLog]
    ) -> QuerySet[RequestLog]:
        """The requests with that kind of answer."""
        if self.value() not in _ANSWERS:
            return queryset
        _, narrow = _ANSWERS[str(self.value())]
        return narrow(queryset)
