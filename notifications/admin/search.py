"""One search box for messages: what is typed is classified, and each class has its own index.

A message's id or its beginning, a provider's id, an address, a user and words are each looked for
by one limited query, newest first. Joining them by OR would make the planner read the whole table.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol
from uuid import UUID

from django.db.models import Q, QuerySet

from notifications.history import finding
from notifications.history.finding import CAP, SHORTEST_PART, Group, Span
from notifications.history.search import MAX_WORDS, word_terms
from notifications.intake.addresses import AddressError, read_mailbox
from notifications.models import Delivery, Handoff, Message, User
from notifications.models.known_term import WORD_PREFIX

_PREFIX = re.compile(r"[0-9a-f-]{8,36}", re.IGNORECASE)
_HEX_DIGITS = 32

Rows = QuerySet[Any, Any]


class Way(Protocol):
    """One class that a text may belong to, and how its messages are found."""

    @property
    def label(self) -> str:
        """What it is called."""

    def newest(self, span: Span, limit: int) -> list[UUID]:
        """The ids of the messages nearest to the end of `span` that is read first."""

    def count(self) -> int:
        """How many messages it has, about; no more than `CAP` + 1."""

    def all(self) -> Q:
        """The condition for all of its messages, however many; for what takes its time."""


@dataclass(frozen=True, slots=True)
class Indexed:
    """A class with an index of its own."""

    label: str
    rows: Rows
    field: str = "message_id"
    """Where `rows` have the messages' ids."""

    def query(self, span: Span, limit: int) -> Rows:
        """The query for its newest messages."""
        return within(self.rows, span, self.field).values_list(self.field, flat=True)[:limit]

    def newest(self, span: Span, limit: int) -> list[UUID]:
        """As `Way` says; a message with two such rows comes once."""
        return list(dict.fromkeys(self.query(span, limit)))

    def count(self) -> int:
        """As `Way` says."""
        return self.rows.order_by().values(self.field)[: CAP + 1].count()

    def all(self) -> Q:
        """As `Way` says."""
        return Q(pk__in=self.rows.values(self.field))


@dataclass(frozen=True, slots=True)
class Words:
    """Words of the subject, addresses and domains, or a part of one."""

    words: Sequence[str]
    groups: Sequence[Group]
    label: str = "words"

    def newest(self, span: Span, limit: int) -> list[UUID]:
        """As `Way` says."""
        return finding.newest(self.groups, span, limit=limit)

    def count(self) -> int:
        """As `Way` says: what the rarest of the words has."""
        return min(group.count() for group in self.groups)

    def all(self) -> Q:
        """As `Way` says."""
        condition = Q()
        for word, group in zip(self.words, self.groups, strict=True):
            term = f"{WORD_PREFIX}{word}"
            is_whole = set(group.terms) == {term}
            condition &= finding.has_term(term) if is_whole else finding.has_part(word)
        return condition


def within(rows: Rows, span: Span, field: str = "pk") -> Rows:
    """The part of `rows` that lies in `span`, in its order."""
    if span.older_than:
        rows = rows.filter(**{f"{field}__lt": span.older_than})
    if span.newer_than:
        rows = rows.filter(**{f"{field}__gt": span.newer_than})
    return rows.order_by(field if span.oldest_first else f"-{field}")


def ways(text: str) -> list[Way]:
    """The classes that `text` may belong to; none if it says nothing."""
    found: list[Way] = list(_by_index(text.strip()))
    if words := _words(text):
        found.append(Words(words, _groups(words)))
    return found


def remarks(found: Sequence[Way]) -> Iterator[str]:
    """What the box says about what it did not look for."""
    for way in found:
        if not isinstance(way, Words):
            continue
        if len(way.words) == 1 and len(way.words[0]) < SHORTEST_PART:
            yield f"Only words that begin with “{way.words[0]}”: to find it within words, type 3."
        elif any(group.is_capped for group in way.groups):
            yield (
                f"More than {finding.MOST_TERMS:,} words have it: only so many were looked for. "
                "Type more of it."
            )


def _by_index(text: str) -> Iterator[Indexed]:
    bare = text.strip("<>")
    # a Message-ID header of ours holds the message's id, and finds it too
    if ids := _range(bare.partition("@")[0]):
        yield Indexed("message id", Message.objects.filter(pk__range=ids), "id")
    if "@" in text:
        rows = Delivery.objects.filter(address__in={text, _as_stored(text)})
        yield Indexed("recipient", rows)
    if bare and not re.search(r"\s", bare):
        # the first condition is the partial index's: without it the planner cannot use it
        given = Handoff.objects.exclude(provider_message_id="")
        yield Indexed("provider's id", given.filter(provider_message_id__in={bare, f"<{bare}>"}))
        if owner := User.objects.filter(username=bare).first():
            yield Indexed("user", Message.objects.listed(owner), "id")


def _range(text: str) -> tuple[UUID, UUID] | None:
    """The ids that begin with `text`."""
    digits = text.replace("-", "")
    if not _PREFIX.fullmatch(text) or not 0 < len(digits) <= _HEX_DIGITS:
        return None
    return UUID(digits.ljust(_HEX_DIGITS, "0")), UUID(digits.ljust(_HEX_DIGITS, "f"))


def _words(text: str) -> list[str]:
    if "@" in text:
        text = _as_stored(text)
    words = [term.removeprefix(WORD_PREFIX).lstrip("@") for term in word_terms(text)]
    return [word for word in words if word][:MAX_WORDS]


def _groups(words: Sequence[str]) -> list[Group]:
    if len(words) == 1:
        return [finding.with_part(words[0])]
    return finding.with_one_of(words)


def _as_stored(address: str) -> str:
    """`address` in the spelling under which a submission stores it."""
    try:
        return read_mailbox(address).address
    except AddressError:
        return address
