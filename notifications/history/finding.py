"""Finding messages among everybody's: by parts of words, several things at once, newest first.

For staff. Each question is bounded by what it looks at, not by how much there is: the dictionary
of known terms says where to look, and of each term only the newest stretch of its messages is read.
Nothing here is prepared by the server, which would plan for a term in general: some have three
messages, some a million.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from django.db.models import Q
from django.db.models.expressions import RawSQL

from notifications.history.rows import fetch_rows
from notifications.models import KnownTerm
from notifications.models.known_term import WORD_PREFIX

CAP = 10_000
"""Counting and looking through stops here: more is `10,000+`."""

MOST_TERMS = 200
"""Words with the same part that are looked for at once, the whole word first."""

_GLANCE = 10
"""As many times what is wanted is read first, before `CAP` is."""

_FEW = 20
"""Words with a part that are looked for beside other words."""

SHORTEST_PART = 3
"""Characters of a part of a word; what is shorter must be its beginning."""


@dataclass(frozen=True, slots=True)
class Group:
    """Terms of which a message must have one."""

    owners: list[int]
    terms: list[str]
    """Beside each owner one of his terms."""
    counted: list[int] = field(default_factory=list, compare=False)
    """What was counted once, for whoever asks again."""

    @property
    def is_capped(self) -> bool:
        """Whether there are more terms than are looked for."""
        return len(self.terms) >= MOST_TERMS

    def count(self) -> int:
        """How many messages have one of them, at most `CAP` + 1; one with two counts twice."""
        if not self.counted:
            ((count,),) = fetch_rows(_COUNT, {**self._pairs(), "most": CAP + 1})
            self.counted.append(int(count))
        return self.counted[0]

    def _pairs(self) -> dict[str, Any]:
        return {"owners": self.owners, "terms": self.terms}


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of all messages, in the order of their ids, and from which end it is read."""

    older_than: UUID | None = None
    newer_than: UUID | None = None
    oldest_first: bool = False


_COUNT = """
SELECT count(*) FROM (
    SELECT FROM unnest(%(owners)s::int[], %(terms)s::text[]) p (owner_id, term)
    CROSS JOIN LATERAL (
        SELECT FROM notifications_messageterm t
        WHERE t.owner_id = p.owner_id AND t.term = p.term LIMIT %(most)s
    ) t LIMIT %(most)s
) counted
"""

# `each` messages of each term: those of all terms together, however many a term has
_NEWEST = """
WITH found AS MATERIALIZED (
    SELECT DISTINCT t.message_id, t.owner_id
    FROM unnest(%(owners)s::int[], %(terms)s::text[]) p (owner_id, term)
    CROSS JOIN LATERAL (
        SELECT t.message_id, t.owner_id FROM notifications_messageterm t
        WHERE t.owner_id = p.owner_id AND t.term = p.term
            AND t.message_id < %(before)s AND t.message_id > %(after)s
        ORDER BY t.message_id {way} LIMIT %(each)s
    ) t
)
SELECT message_id FROM found f {others} ORDER BY message_id {way} LIMIT %(limit)s
"""

_OTHER = """EXISTS (
    SELECT FROM notifications_messageterm t WHERE t.owner_id = f.owner_id
        AND t.message_id = f.message_id AND t.term = ANY(%(other{number})s)
)"""

# materialized, the plan is one for all matches: with a limit inside, the planner would walk the
# whole dictionary for a part that it takes for frequent and that is absent; the prefix is asked for
# outside, where it cannot choose the key instead of the trigrams
_PARTS = f"""
WITH part AS MATERIALIZED (
    SELECT owner_id, term FROM notifications_knownterm
    WHERE substring(term, {len(WORD_PREFIX) + 1}) LIKE %(part)s
), whole AS MATERIALIZED (
    SELECT owner_id, term FROM notifications_knownterm WHERE term = %(term)s
)
SELECT owner_id, term FROM whole
UNION ALL (
    SELECT owner_id, term FROM part
    WHERE term LIKE '{WORD_PREFIX}%%' AND term <> %(term)s LIMIT %(most)s
)
LIMIT %(most)s
"""  # noqa: S608 - made of constants

_BEGINNINGS = f"""
SELECT owner_id, term FROM notifications_knownterm
WHERE term LIKE '{WORD_PREFIX}' || %(part)s ORDER BY term LIMIT %(most)s
"""  # noqa: S608 - made of constants

_ALL_WITH_TERM = """
SELECT t.message_id FROM notifications_knownterm k
JOIN notifications_messageterm t ON t.owner_id = k.owner_id AND t.term = k.term WHERE k.term = %s
"""

_ALL_WITH_PART = f"""
SELECT t.message_id FROM notifications_knownterm k
JOIN notifications_messageterm t ON t.owner_id = k.owner_id AND t.term = k.term
WHERE k.term LIKE '{WORD_PREFIX}%%' AND substring(k.term, {len(WORD_PREFIX) + 1}) LIKE %s
"""  # noqa: S608 - made of constants

_NO_ID = UUID(int=0)
_LAST_ID = UUID(int=2**128 - 1)


def whole(term: str) -> Group:
    """The term, at everybody who has it."""
    return _group(KnownTerm.objects.filter(term=term).values_list("owner_id", "term"))


def with_part(word: str, *, most: int = MOST_TERMS) -> Group:
    """The words that `word` is a part of, or the beginning of if it is short; itself first.

    An address or a domain that is known as such is meant as a whole.
    """
    if ("@" in word or "." in word) and (found := whole(_word_term(word))).terms:
        return found
    query, part = _pattern(word)
    return _group(fetch_rows(query, {"part": part, "term": _word_term(word), "most": most}))


def with_one_of(words: Sequence[str]) -> list[Group]:
    """A group for each of several words: whole ones, and where there is none a few with it."""
    groups = []
    for word in words:
        found = whole(_word_term(word))
        groups.append(found if found.terms else with_part(word, most=_FEW))
    return groups


def newest(groups: Sequence[Group], span: Span, *, limit: int) -> list[UUID]:
    """The ids of up to `limit` messages in `span` that have one term of each group.

    With several groups only the first `CAP` messages of one of them are looked through.
    """
    if not all(group.terms for group in groups):
        return []
    if len(groups) == 1:
        return _having(groups[0], [], span, each=limit, limit=limit)
    # one with many terms is read, since each of its terms would have to be looked up
    driver, *others = sorted(groups, key=lambda group: (len(group.terms) < _FEW, group.count()))
    if len(driver.terms) == 1:
        # what often comes together is found at once
        found = _having(driver, others, span, each=_GLANCE * limit, limit=limit)
        if len(found) == limit:
            return found
    each = max(limit, 2 * CAP // len(driver.terms))
    return _having(driver, others, span, each=each, limit=limit)


def _having(
    driver: Group, others: Sequence[Group], span: Span, *, each: int, limit: int
) -> list[UUID]:
    """Those of the driver's nearest messages, `each` of each term, that have the others too."""
    conditions = [_OTHER.format(number=number) for number in range(len(others))]
    query = _NEWEST.format(
        way="ASC" if span.oldest_first else "DESC",
        others=f"WHERE {' AND '.join(conditions)}" if others else "",
    )
    parameters: dict[str, Any] = {
        "owners": driver.owners,
        "terms": driver.terms,
        "before": span.older_than or _LAST_ID,
        "after": span.newer_than or _NO_ID,
        "each": each,
        "limit": limit,
    }
    parameters |= {f"other{n}": sorted(set(group.terms)) for n, group in enumerate(others)}
    return [row[0] for row in fetch_rows(query, parameters)]


def has_term(term: str) -> Q:
    """The condition that a message has the term, whoever owns it; for all matches, unbounded."""
    return Q(pk__in=RawSQL(_ALL_WITH_TERM, [term]))  # noqa: S611 - a constant


def has_part(word: str) -> Q:
    """The condition that one of a message's words has `word` as a part, or begins with it."""
    _, part = _pattern(word)
    return Q(pk__in=RawSQL(_ALL_WITH_PART, [part]))  # noqa: S611 - a constant


def _pattern(word: str) -> tuple[str, str]:
    """The query for the words with `word`, and the pattern they match."""
    plain = word.lower()
    for sign in "\\%_":
        plain = plain.replace(sign, f"\\{sign}")
    return (_BEGINNINGS, f"{plain}%") if len(word) < SHORTEST_PART else (_PARTS, f"%{plain}%")


def _word_term(word: str) -> str:
    return f"{WORD_PREFIX}{word.lower()}"


def _group(rows: Any) -> Group:
    pairs = list(rows)
    return Group([owner for owner, _ in pairs], [term for _, term in pairs])
