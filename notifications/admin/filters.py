"""The filters of the lists, each answered by an index."""

from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from typing import Any

from django.contrib.admin import ModelAdmin, SimpleListFilter
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils import timezone

from notifications.delivery.doubt import WORKER_LOST
from notifications.delivery.reading import Reading
from notifications.history.finding import has_term
from notifications.history.search import error_term, provider_term, tag_term
from notifications.models import KnownTerm, Message, Provider, RequestLog, User
from notifications.models.ids import first_id
from notifications.models.message import in_states
from notifications.models.owners_list import OwnersList
from notifications.models.state import DEAD_LETTER, State

Lookups = Sequence[tuple[str, str]]

DEAD_LETTERS = "dead-letters"

STUCK = "stuck"

PATIENCE = timedelta(minutes=5)
"""What should have gone on for longer than this is stuck."""

MOST_OWNERS = 50
"""More names than this are no list to choose from."""

MOST_TAGS = 30


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


class TermFilter(MessageFilter):
    """A filter by something that `history.search` finds messages by."""

    @classmethod
    def term(cls, value: str) -> str:
        """What the messages that pass `value` have."""
        raise NotImplementedError

    @classmethod
    def narrow(cls, rows: QuerySet[Message], value: str) -> QuerySet[Message]:
        """Those of `rows` that have it."""
        return rows.filter(has_term(cls.term(value)))


class StateFilter(MessageFilter):
    """By state; the dead letters as one, and what should have gone on."""

    title = "state"
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: ModelAdmin[Message]) -> Lookups:
        """Dead letters first: they are what staff look after."""
        return [(DEAD_LETTERS, "dead letters"), (STUCK, "stuck"), *State.choices]

    @classmethod
    def narrow(cls, rows: QuerySet[Message], value: str) -> QuerySet[Message]:
        """The messages in the state."""
        if value == STUCK:
            late = timezone.now() - PATIENCE
            waits = in_states(State.PENDING) & Q(due_at__lt=late, lease_until__isnull=True)
            # the sweeper takes a lease back as soon as it has run out
            return rows.filter(waits | in_states(State.SENDING) & Q(lease_until__lt=late))
        states = DEAD_LETTER if value == DEAD_LETTERS else (value,)
        return rows.filter(in_states(*states))


class ProviderFilter(TermFilter):
    """By a provider that was given the message at least once."""

    title = "provider"
    parameter_name = "provider"

    def lookups(self, request: HttpRequest, model_admin: ModelAdmin[Message]) -> Lookups:
        """Every provider there is or was."""
        return [(name, name) for name in Provider.objects.values_list("name", flat=True)]

    @classmethod
    def term(cls, value: str) -> str:
        """What messages have that the provider was given."""
        return provider_term(value)


class TagFilter(TermFilter):
    """By one of the message's tags."""

    title = "tag"
    parameter_name = "tag"

    def lookups(self, request: HttpRequest, model_admin: ModelAdmin[Message]) -> Lookups:
        """The tags, as far as they make a list to choose from; others go in the address."""
        terms = KnownTerm.objects.filter(term__startswith=tag_term("")).order_by("term")
        names = terms.values_list("term", flat=True).distinct()[:MOST_TAGS]
        return [(tag, tag) for tag in (name.removeprefix(tag_term("")) for name in names)]

    @classmethod
    def term(cls, value: str) -> str:
        """What messages with the tag have."""
        return tag_term(value)


class ErrorFilter(TermFilter):
    """By how an answer to one of its hand-offs was read."""

    title = "error"
    parameter_name = "error"

    def lookups(self, request: HttpRequest, model_admin: ModelAdmin[Message]) -> Lookups:
        """The readings that are no success."""
        return [(str(reading), words) for reading, words in READINGS_IN_WORDS.items()]

    @classmethod
    def term(cls, value: str) -> str:
        """What messages have that met the error."""
        return error_term(value)


READINGS_IN_WORDS: Mapping[str, str] = {
    Reading.UNREACHABLE: "provider not reached",
    Reading.MISCONFIGURED: "credentials refused",
    Reading.EXHAUSTED: "quota or rate limit",
    Reading.REFUSED_HERE: "refused by this provider",
    Reading.TEMPORARY: "refused for now",
    Reading.RECIPIENT_REFUSED: "recipient refused",
    Reading.MESSAGE_REFUSED: "message refused",
    Reading.UNBUILDABLE: "could not be built",
    Reading.AMBIGUOUS: "no clear answer",
    WORKER_LOST: "worker ended before the answer",
}
"""What is stored of hand-offs that were no success, as staff are told of it."""


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
    """By the user it belongs to; of any table with owners."""

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


class MessageOwnerFilter(OwnerFilter, MessageFilter):
    """The same of messages."""

    @classmethod
    def narrow(cls, rows: QuerySet[Message], value: str) -> QuerySet[Message]:
        """The user's, of which a page is found however many there are."""
        return OwnersList.of(super().narrow(rows, value))


MESSAGE_FILTERS: tuple[type[MessageFilter], ...] = (
    StateFilter,
    AcceptedFilter,
    ProviderFilter,
    TagFilter,
    ErrorFilter,
    MessageOwnerFilter,
)
"""Those of the messages' list, in the order in which they are shown."""


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
