"""The list of messages: one page of what its filters and its box ask for."""

from dataclasses import dataclass
from urllib.parse import urlencode

from django.db.models import QuerySet
from django.http import HttpRequest

from notifications.admin.filters import DEAD_LETTERS, STUCK
from notifications.admin.matching import Asked, everything, find_page, read
from notifications.admin.paging import NEWER, OLDER, Edge, KeysetChangeList, Page
from notifications.models import Message, State

_PRESETS = {
    "All": {},
    "Stuck": {"state": STUCK},
    "Uncertain": {"state": State.UNCERTAIN.value},
    "Dead letters": {"state": DEAD_LETTERS},
    "Bounced": {"state": State.BOUNCED.value},
    "Marked as spam": {"state": State.COMPLAINED.value},
    "Scheduled": {"state": State.SCHEDULED.value},
    "Last hour": {"accepted": "hour"},
}


@dataclass(frozen=True, slots=True)
class Preset:
    """A saved filter."""

    title: str
    link: str
    is_current: bool


class MessageChangeList(KeysetChangeList):
    """Finds a page's ids first, and then its rows."""

    asked: Asked

    def get_queryset(
        self, request: HttpRequest, exclude_parameters: list[str | None] | None = None
    ) -> QuerySet[Message]:
        """All that was asked for, with what the list shows of it; the page is found otherwise."""
        super().get_queryset(request, exclude_parameters)
        self.asked = read(self.params | {"q": self.query})
        rows: QuerySet[Message] = self.root_queryset.filter(pk__in=everything(self.asked))
        return self.apply_select_related(rows).order_by("-pk")

    def find(self, edge: Edge) -> Page:
        """The page at `edge`, with its messages."""
        page = find_page(self.asked, edge, size=self.list_per_page)
        shown = self.apply_select_related(self.root_queryset).in_bulk(page.rows)
        page.rows[:] = [shown[id_] for id_ in page.rows if id_ in shown]
        return page

    @property
    def presets(self) -> list[Preset]:
        """The saved filters."""
        chosen = {name: value for name, value in self.params.items() if name not in (OLDER, NEWER)}
        return [
            Preset(title, f"?{urlencode(choice)}", is_current=chosen == choice)
            for title, choice in _PRESETS.items()
        ]

    @property
    def looked_for(self) -> str:
        """What the text in the box was taken for."""
        return ", ".join(way.label for way in self.asked.ways)
