"""The pages that are timed, each with a question that the database has an answer to."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from urllib.parse import quote

from benchmarks.database import Database
from limbo.local.demo_data.words import FREQUENT_WORD, OLD_WORD, RARE_WORD

_HOME = "/admin/"
_LIST = "/admin/notifications/message/"


class Kind(StrEnum):
    """What a page is; each kind has a limit of its own."""

    LOOK_UP = "look-up"
    """By which the others are measured."""
    HOME = "home"
    SEARCH = "search"
    LIST = "list"
    MESSAGE = "message"


@dataclass(frozen=True, slots=True)
class Page:
    """A page, and how it is known that it has answered."""

    kind: Kind
    label: str
    path: str
    expected: str = ""
    """What its answer holds."""


_FOUND = 'class="data-row'
_NOTHING = "Nothing matches"


def pages(database: Database) -> list[Page]:
    """All of them."""
    return [
        Page(Kind.HOME, "home, the last hour", f"{_HOME}?period=hour", "lb-chart"),
        Page(Kind.HOME, "home, the last 24 hours", f"{_HOME}?period=day", "lb-chart"),
        Page(Kind.HOME, "home, the last 7 days", f"{_HOME}?period=week", "lb-chart"),
        Page(Kind.LIST, "list, first page", _LIST, _FOUND),
        Page(Kind.LIST, "list, nine tenths down", f"{_LIST}?before={_far(database)}", _FOUND),
        Page(Kind.LIST, "list, dead letters", f"{_LIST}?state=dead-letters", _FOUND),
        Page(Kind.MESSAGE, "message with most events", _message(database), "lb-history"),
        *_searches(database),
    ]


def _searches(database: Database) -> Iterator[Page]:
    sample = _sample(database)
    asked = {
        "an address": sample["address"],
        "3 characters of an address": "kel",
        "5 characters of an address": "chmid",
        "a domain": "mail.example.com",
        "a message's id": sample["id"],
        "10 characters of an id": sample["id"][:10],
        "a provider's id": sample["provider_id"],
        "a Message-ID header": sample["header"],
        "a user": "nordlicht",
        "a word of a few messages": RARE_WORD,
        "a word of old messages only": OLD_WORD,
        "a word of every second message": FREQUENT_WORD,
        "two words of many messages": "parcel arrives",
    }
    for label, text in asked.items():
        yield Page(Kind.SEARCH, label, f"{_LIST}?q={quote(text)}", _FOUND)
    yield Page(Kind.SEARCH, "a word of none", f"{_LIST}?q=zyzzyva", _NOTHING)


def _far(database: Database) -> object:
    rows = database.ask(
        "SELECT id FROM notifications_message ORDER BY id OFFSET"
        " (SELECT count(*) / 10 FROM notifications_message) LIMIT 1"
    )
    return rows[0][0]


def _message(database: Database) -> str:
    rows = database.ask("SELECT id FROM notifications_message ORDER BY seq DESC LIMIT 1")
    return f"{_LIST}{rows[0][0]}/change/"


def _sample(database: Database) -> dict[str, str]:
    """What one message in the middle can be found by."""
    ((id_, header, address, provider_id),) = database.ask(
        """
        SELECT m.id, m.header_message_id, d.address, h.provider_message_id
        FROM notifications_message m
        JOIN notifications_delivery d ON d.message_id = m.id
        JOIN notifications_attempt a ON a.delivery_id = d.id
        JOIN notifications_handoff h ON h.id = a.handoff_id AND h.provider_message_id <> ''
        WHERE m.accepted_at < now() - interval '12 days'
        ORDER BY m.id DESC LIMIT 1
        """
    )
    return {
        "id": str(id_),
        "header": str(header),
        "address": str(address),
        "provider_id": str(provider_id),
    }
