"""Lists that never count a whole table.

A page of a long list is cheap, its exact length is not: counting stops at a cap, and the list
says that there are more. What lies beyond is found by searching or filtering.
"""

from typing import Any, TypeVar

from django.contrib.admin import ShowFacets
from django.core.paginator import Paginator
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django.utils.functional import cached_property

from notifications.admin.theme import ChangeList, ReadOnlyAdmin

M = TypeVar("M", bound=Model)

CAP = 1000
"""The longest list that can be paged through."""


class CappedPaginator(Paginator[Any]):
    """A paginator over the first `CAP` rows."""

    template_name = "admin/limbo/paging.html"

    @cached_property
    def counted(self) -> int:
        """How many rows there are, or `CAP + 1` for more than `CAP`."""
        rows = self.object_list
        if isinstance(rows, QuerySet):
            return rows.order_by().values("pk")[: CAP + 1].count()
        return len(rows)

    @cached_property
    def count(self) -> int:
        """The rows that can be paged through."""
        return min(self.counted, CAP)

    @property
    def is_capped(self) -> bool:
        """Whether there are more rows than can be paged through."""
        return self.counted > CAP


class CappedChangeList(ChangeList):
    """A change list whose header makes no claim about the table's length."""

    def get_results(self, request: HttpRequest) -> None:
        """Fetch the page; the theme compares both counts and is told that there is only one."""
        super().get_results(request)
        self.full_result_count = self.result_count


class LongListAdmin(ReadOnlyAdmin[M]):
    """A table that only grows, newest first: nothing on its list counts or sorts the whole."""

    paginator = CappedPaginator
    list_per_page = 50
    list_max_show_all = 0
    show_full_result_count = False
    # counts beside the filters would be one count of the whole table each
    show_facets = ShowFacets.NEVER
    ordering = ("-id",)
    sortable_by = ()
    empty_value_display = "–"

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[CappedChangeList]:
        """The list that does not count the table."""
        return CappedChangeList
