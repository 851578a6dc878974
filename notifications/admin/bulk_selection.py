"""Which messages a choice is made for: those that were ticked, or all that the list has."""

from dataclasses import dataclass
from functools import cached_property

from django.contrib.admin import ModelAdmin
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.contrib.admin.views.main import SEARCH_VAR
from django.db.models import QuerySet
from django.http import HttpRequest

from notifications.admin.choices import Choice, counted, plural
from notifications.admin.filters import MESSAGE_FILTERS, MessageOwnerFilter
from notifications.admin.matching import matching_messages
from notifications.history.finding import CAP
from notifications.models import Delivery, Message

ALL_THAT_MATCH = "select_across"
"""Posted by the list: not the ticked messages, but all that its address has."""

_SHOWN = 10


@dataclass(frozen=True)
class Selection:
    """The messages that `choice` would change, of those that were chosen."""

    choice: Choice
    is_all: bool
    """Everything that the list has for its filters and search."""
    chosen: QuerySet[Message]
    ticked: int
    """How many were ticked; 0 for all."""
    whose: str
    """Whose messages they are, in words."""
    chosen_by: str = ""
    """The filters and the search that found them, in words."""

    @property
    def messages(self) -> QuerySet[Message]:
        """Those that the choice would change."""
        return self.choice.rule.narrow(self.chosen)

    @cached_property
    def count(self) -> int:
        """How many messages it would change; `CAP + 1` for more than `CAP`."""
        return self.messages.order_by().values("pk")[: CAP + 1].count()

    @cached_property
    def deliveries(self) -> int:
        """How many deliveries it would change; `CAP + 1` for more than `CAP`."""
        mine = Delivery.objects.filter(
            self.choice.rule.targets(), message__in=self.messages.order_by().values("pk")
        )
        return mine.values("pk")[: CAP + 1].count()

    @property
    def question(self) -> str:
        """What will happen, and to how many: `Requeue 5,000 dead letters of all users`."""
        return self.choice.sentence(f"{how_many(self.deliveries, self.choice.target)} {self.whose}")

    @property
    def shown(self) -> list[Message]:
        """The newest of them, as examples."""
        return list(self.messages.select_related("owner").order_by("-pk")[:_SHOWN])

    @property
    def more(self) -> str:
        """How many are not among `shown`; empty for none."""
        if self.count > CAP:
            return f"and more than {CAP - _SHOWN:,} others"
        return f"and {self.count - _SHOWN:,} more" if self.count > _SHOWN else ""


def selection_of(request: HttpRequest, choice: Choice, screen: ModelAdmin[Message]) -> Selection:
    """What the posted form chooses; the list's address tells which are all."""
    if request.POST.get(ALL_THAT_MATCH) == "1":
        parameters = request.GET.dict()
        owner = parameters.get(str(MessageOwnerFilter.parameter_name))
        return Selection(
            choice,
            is_all=True,
            chosen=matching_messages(parameters),
            ticked=0,
            whose=f"of {owner}" if owner else "of all users",
            chosen_by=_in_words(request, screen),
        )
    ids = set(request.POST.getlist(ACTION_CHECKBOX_NAME))
    return Selection(
        choice,
        is_all=False,
        chosen=Message.objects.filter(pk__in=ids),
        ticked=len(ids),
        whose=f"of {counted(len(ids), 'message')}",
    )


def how_many(number: int, noun: str) -> str:
    """A number as far as it was counted, with its noun."""
    return f"more than {CAP:,} {plural(noun)}" if number > CAP else counted(number, noun)


def _in_words(request: HttpRequest, screen: ModelAdmin[Message]) -> str:
    """The list's filters and search: `state: dead letters; search: “invoice”`."""
    parts = []
    for choice in MESSAGE_FILTERS:
        if value := request.GET.get(str(choice.parameter_name)):
            labels = dict(choice(request, {}, Message, screen).lookup_choices)
            parts.append(f"{choice.title}: {labels.get(value, value)}")
    if text := request.GET.get(SEARCH_VAR, "").strip():
        parts.append(f"search: “{text}”")
    return "; ".join(parts)
