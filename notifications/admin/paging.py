"""Lists that are paged by keys: any page costs what the first one costs.

A page is what is older, or newer, than the row at its edge. Counting stops at a cap, and nothing
here counts or skips through a whole table.
"""

from dataclasses import dataclass
from typing import Any, TypeVar

from django.contrib.admin import ShowFacets
from django.contrib.admin.options import IncorrectLookupParameters
from django.core.exceptions import ValidationError
from django.core.paginator import Paginator
from django.db.models import Model, QuerySet
from django.http import HttpRequest

from notifications.admin.theme import ChangeList, ReadOnlyAdmin
from notifications.history.finding import CAP

M = TypeVar("M", bound=Model)

OLDER, NEWER = "before", "after"
"""The parameters of a page: the key of the row that it comes before, or after."""


@dataclass(frozen=True, slots=True)
class Edge:
    """Where a page lies: beside the row with this key; without one it is the newest."""

    key: Any = None
    is_newer: bool = False


@dataclass(frozen=True, slots=True)
class Page:
    """One page of a list."""

    rows: list[Any]
    """Newest first."""
    has_newer: bool
    has_older: bool
    counted: int
    """How many rows the list has; `CAP + 1` for more than `CAP`."""
    is_exact: bool = True
    """Otherwise it is a guess."""
    remarks: tuple[str, ...] = ()
    """What it leaves out, and why."""
    looked_until: Any = None
    """The key up to which was looked, where that ended before the page was full."""


class KeysetPaginator(Paginator[Any]):
    """Tells the theme how the list is paged; the rows come from the change list."""

    template_name = "admin/limbo/paging.html"


class KeysetChangeList(ChangeList):
    """A change list whose pages lie beside a row."""

    page: Page

    def get_filters_params(self, params: Any = None) -> dict[str, Any]:
        """The filters' parameters: not those of a page."""
        chosen = super().get_filters_params(params)
        return {name: value for name, value in chosen.items() if name not in (OLDER, NEWER)}

    def get_query_string(self, new_params: Any = None, remove: Any = None) -> str:
        """An address of this list; another choice begins with its newest page."""
        kept = set(new_params or ())
        gone = [name for name in (OLDER, NEWER) if name not in kept]
        return str(super().get_query_string(new_params, [*(remove or ()), *gone]))

    def get_results(self, request: HttpRequest) -> None:
        """Fetch the page, and tell Django and the theme of it in their words."""
        edge = self._edge(request)
        page = self.find(edge)
        if edge.is_newer and not page.has_newer:
            # not a few rows on a page of their own
            page = self.find(Edge())
        self.page = page
        self.result_list = page.rows
        self.result_count = self.full_result_count = min(page.counted, CAP)
        self.show_full_result_count = False
        self.show_admin_actions = True
        self.can_show_all = False
        self.multi_page = page.has_newer or page.has_older
        self.paginator = KeysetPaginator(page.rows, self.list_per_page)

    def find(self, edge: Edge) -> Page:
        """The page at `edge` of what the filters leave."""
        rows = beside(self.queryset, edge)[: self.list_per_page + 1]
        counted = self.queryset.order_by().values("pk")[: CAP + 1].count()
        return page_of(list(rows), edge, size=self.list_per_page, counted=counted)

    @property
    def counted_text(self) -> str:
        """How many there are, as far as it was counted."""
        if self.page.counted > CAP:
            return f"{CAP:,}+"
        return f"{'' if self.page.is_exact else 'about '}{self.page.counted:,}"

    @property
    def newest_link(self) -> str:
        """To the first page."""
        return self.get_query_string()

    @property
    def newer_link(self) -> str:
        """To the page before this one; empty where there is none."""
        rows = self.page.rows
        return self.get_query_string({NEWER: rows[0].pk}) if rows and self.page.has_newer else ""

    @property
    def older_link(self) -> str:
        """To the page after this one, or further back where none was found; empty at the end."""
        if self.page.looked_until:
            return self.get_query_string({OLDER: self.page.looked_until})
        rows = self.page.rows
        return self.get_query_string({OLDER: rows[-1].pk}) if rows and self.page.has_older else ""

    def _edge(self, request: HttpRequest) -> Edge:
        key = self.opts.pk
        for name in (OLDER, NEWER):
            if text := request.GET.get(name):
                try:
                    return Edge(key.to_python(text), is_newer=name == NEWER)
                except ValidationError as error:
                    raise IncorrectLookupParameters(error) from error
        return Edge()


def beside(rows: QuerySet[Any], edge: Edge) -> QuerySet[Any]:
    """What lies beyond `edge`, that nearest to it first."""
    if edge.key is None:
        return rows.order_by("-pk")
    if edge.is_newer:
        return rows.filter(pk__gt=edge.key).order_by("pk")
    return rows.filter(pk__lt=edge.key).order_by("-pk")


def page_of(found: list[Any], edge: Edge, *, size: int, counted: int, **more: Any) -> Page:
    """The page that `found` is: what lies beyond its edge, one more than the page may have."""
    has_more = len(found) > size
    rows = found[:size]
    if edge.is_newer:
        return Page(rows[::-1], has_newer=has_more, has_older=True, counted=counted, **more)
    return Page(rows, has_newer=bool(edge.key), has_older=has_more, counted=counted, **more)


class LongListAdmin(ReadOnlyAdmin[M]):
    """A table that only grows, newest first: nothing on its list counts or sorts the whole."""

    list_per_page = 50
    list_max_show_all = 0
    show_full_result_count = False
    # counts beside the filters would be one count of the whole table each
    show_facets = ShowFacets.NEVER
    ordering = ("-pk",)
    sortable_by = ()
    empty_value_display = "–"

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[KeysetChangeList]:
        """The list that is paged by keys."""
        return KeysetChangeList
