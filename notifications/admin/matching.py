"""Which messages a list shows, told from its address alone: all of them, or one page.

All of them are one query, for what is done with them later. A page has to be there at once: of each
class of the search the newest few are fetched by its index, and joined here.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from uuid import UUID

from django.contrib.admin.views.main import SEARCH_VAR
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.db.models.expressions import RawSQL

from notifications.admin.filters import MESSAGE_FILTERS, TermFilter
from notifications.admin.paging import Edge, Page, beside, page_of
from notifications.admin.search import Way, Words, remarks, ways, within
from notifications.history import finding
from notifications.history.finding import CAP, Group, Span
from notifications.history.search import catch_up
from notifications.models import Message, MessageTerm

Ids = list[UUID]


@dataclass(frozen=True, slots=True)
class Asked:
    """What a list was asked for."""

    rows: QuerySet[Message]
    """The messages that the filters on their own columns leave."""
    is_narrowed: bool
    """Whether there are such filters."""
    terms: Sequence[str]
    """What the other filters want a message to have."""
    text: str
    """What was typed in the box."""
    ways: Sequence[Way] = field(default_factory=list)

    @property
    def is_search(self) -> bool:
        """Whether anything was typed, or must be looked up by term."""
        return bool(self.text or self.terms)


def read(parameters: Mapping[str, str]) -> Asked:
    """What the list with these parameters is asked for; others than its own are passed over."""
    rows: QuerySet[Message] = Message.objects.all()
    is_narrowed = False
    terms = []
    for choice in MESSAGE_FILTERS:
        value = parameters.get(str(choice.parameter_name))
        if value and issubclass(choice, TermFilter):
            terms.append(choice.term(value))
        elif value:
            rows, is_narrowed = choice.narrow(rows, value), True
    text = parameters.get(SEARCH_VAR, "").strip()
    if text or terms:
        catch_up()
    return Asked(rows, is_narrowed, terms, text, ways(text) if text else [])


def matching_messages(parameters: Mapping[str, str]) -> QuerySet[Message]:
    """Every message that the list has for `parameters`, those of its address, on all its pages.

    In no order, and read anew whenever it is asked: `.values_list("pk")` gives ids, or a subquery.
    Parameters that do not choose messages, such as a page's, are passed over.
    """
    return everything(read(parameters))


def everything(asked: Asked) -> QuerySet[Message]:
    """All messages that were asked for."""
    rows = asked.rows
    for term in asked.terms:
        rows = rows.filter(finding.has_term(term))
    if not asked.text:
        return rows
    matching = [Message.objects.filter(way.all()).values("pk") for way in asked.ways]
    if not matching:
        return rows.none()
    return rows.filter(pk__in=matching[0].union(*matching[1:]) if matching[1:] else matching[0])


def find_page(asked: Asked, edge: Edge, *, size: int) -> Page:
    """The ids of one page of the messages that were asked for."""
    if not asked.is_search:
        ids = list(beside(asked.rows, edge).values_list("pk", flat=True)[: size + 1])
        counted = asked.rows.order_by().values("pk")[: CAP + 1].count()
        return page_of(ids, edge, size=size, counted=counted)
    groups = [finding.whole(term) for term in asked.terms]
    span = Span(
        older_than=None if edge.is_newer else edge.key,
        newer_than=edge.key if edge.is_newer else None,
        oldest_first=edge.is_newer,
    )
    found, looked_until = _found(asked, groups, span, size + 1)
    return page_of(
        found,
        edge,
        size=size,
        counted=_count(asked, groups, found, edge, size),
        is_exact=edge.key is None and len(found) <= size,
        remarks=tuple(remarks(asked.ways)),
        looked_until=looked_until if len(found) <= size else None,
    )


def _found(asked: Asked, groups: list[Group], span: Span, limit: int) -> tuple[Ids, UUID | None]:
    """What all classes find together, and how far back was looked if not to the end."""
    ways = asked.ways or ([] if asked.text else [Words([], [])])
    results = [_by_way(asked, way, groups, span, limit) for way in ways]
    ids = sorted({id_ for found, _ in results for id_ in found}, reverse=not span.oldest_first)
    ends = [end for _, end in results if end]
    return ids[:limit], max(ends) if ends and not span.oldest_first else None


def _by_way(
    asked: Asked, way: Way, groups: list[Group], span: Span, limit: int
) -> tuple[Ids, UUID | None]:
    words = Words([], [*way.groups, *groups]) if isinstance(way, Words) else None
    if not asked.is_narrowed and (words or not groups):
        return (words or way).newest(span, limit), None
    if words and (few := _few(asked.rows, span)) is not None:
        return _having(few, words.groups, span, limit), None
    found = (words or way).newest(span, CAP)
    rows = asked.rows.filter(_among(found))
    if not words:
        rows = rows.filter(*map(_has_one_of, groups))
    passing = list(within(rows, span).values_list("pk", flat=True)[:limit])
    return passing, found[-1] if len(found) == CAP else None


def _few(rows: QuerySet[Message], span: Span) -> Ids | None:
    """What the filters leave, if that is less than is looked through."""
    ids = list(within(rows, span).values_list("pk", flat=True)[: CAP // 4])
    return ids if len(ids) < CAP // 4 else None


def _having(ids: Ids, groups: Sequence[Group], span: Span, limit: int) -> Ids:
    """Those of `ids` that have one term of each group."""
    rows = Message.objects.filter(_among(ids), *map(_has_one_of, groups))
    return list(within(rows, span).values_list("pk", flat=True)[:limit])


def _among(ids: Ids) -> Q:
    # one parameter, not thousands
    return Q(pk__in=RawSQL("SELECT unnest(%s::uuid[])", [ids]))


def _has_one_of(group: Group) -> Exists:
    return Exists(
        MessageTerm.objects.filter(
            owner=OuterRef("owner"), term__in=set(group.terms), message=OuterRef("pk")
        )
    )


def _count(asked: Asked, groups: list[Group], found: Ids, edge: Edge, size: int) -> int:
    """How many there are: what is on the page, or about as many as the rarest of them has."""
    if len(found) <= size and edge.key is None:
        return len(found)
    counts = [min(group.count() for group in groups)] if groups else []
    counts += [way.count() for way in asked.ways]
    most = min(counts[0], sum(counts[1:])) if groups and asked.ways else sum(counts)
    if asked.is_narrowed:
        most = min(most, asked.rows.order_by().values("pk")[: CAP + 1].count())
    return max(most, len(found))
