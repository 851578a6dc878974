"""Finding messages: by sender, tag, metadata, provider, error, or words of subject and addresses.

What a message can be found by is written down apart from it, by a follower of its events: nothing
that accepts or delivers pays for it, and a message is found about a second after it was accepted.
"""

import re
from collections.abc import Iterator, Sequence

from django.db import connection
from django.db.models import Exists, OuterRef, QuerySet

from notifications.history.following import next_stretch
from notifications.history.positions import sequence_events
from notifications.models import MessageTerm, State, User
from notifications.models.state import DEAD_LETTER

NAME = "search"

MAX_WORDS = 10
"""Of one search."""

TERM_CHARACTERS = 560
"""As long as metadata can be; what is longer, such as a word of a subject, is cut off."""

_LIMIT = 2000
"""Positions in one transaction, where nobody says otherwise."""

_SUBJECT_WORDS = 50

_FAILURES = (State.PENDING, State.UNCERTAIN, *DEAD_LETTER, State.BOUNCED, State.DEFERRED)
"""Kinds of event that may tell how a provider's answer was read."""

_WORD = re.compile(r"[\w.+@-]*\w", re.UNICODE)

# Only one process writes at a time, so nothing needs ON CONFLICT, which costs a third more. A
# message without its sender among its terms has none of its own yet: they are not looked for one by
# one. For the others that is asked by a subquery with a limit, which is run for each row; the
# planner might answer another one by reading all the terms there are.
_IS_THERE = """(
    SELECT true FROM notifications_messageterm known
    WHERE known.owner_id = {0}.owner_id AND known.term = {1} AND known.message_id = {0}.message_id
    LIMIT 1
)"""

_SENDER = f"left('from:' || lower(m.sender_address), {TERM_CHARACTERS})"

_WRITE = f"""
WITH e AS MATERIALIZED (
    SELECT p.owner_id, e.message_id, e.kind, e.data
    FROM notifications_eventposition p JOIN notifications_event e ON e.id = p.event_id
    WHERE p.position > %(after)s AND p.position <= %(until)s AND e.kind = ANY(%(kinds)s)
),
m AS MATERIALIZED (
    SELECT e.owner_id, m.id AS message_id, m.sender_address, m.subject, m.tags, m.metadata,
        {_IS_THERE.format("e", _SENDER)} IS NULL AS is_new
    FROM e JOIN notifications_message m ON m.id = e.message_id WHERE e.kind = 'accepted'
),
terms AS MATERIALIZED (
    SELECT DISTINCT owner_id, left(term, {TERM_CHARACTERS}) AS term, message_id, is_new FROM (
        SELECT owner_id, 'provider:' || (data->>'provider') AS term, message_id, false AS is_new
        FROM e WHERE kind = 'sending'
        UNION ALL
        SELECT owner_id, 'error:' || (data->>'reading'), message_id, false
        FROM e WHERE kind = ANY(%(failures)s)
        UNION ALL
        SELECT owner_id, word, message_id, is_new FROM m CROSS JOIN LATERAL (
            SELECT 'from:' || lower(m.sender_address) AS word
            UNION ALL SELECT 'tag:' || tag FROM unnest(m.tags) tag
            UNION ALL SELECT 'key:' || key FROM jsonb_object_keys(m.metadata) key
            UNION ALL SELECT 'metadata:' || key || '=' || value FROM jsonb_each_text(m.metadata)
            UNION ALL SELECT 'word:' || word FROM (
                SELECT word FROM regexp_split_to_table(lower(m.subject), '[^\\w]+') word
                WHERE word <> '' LIMIT {_SUBJECT_WORDS}
            ) subject
            UNION ALL SELECT 'word:' || part FROM (
                SELECT lower(address) AS address FROM notifications_delivery d
                WHERE d.message_id = m.message_id
            ) named, LATERAL (
                VALUES (address), (substr(address, nullif(strpos(address, '@'), 0) + 1))
            ) parts (part)
            UNION ALL SELECT 'word:' || lower(m.sender_address)
        ) words
    ) t WHERE term IS NOT NULL
), known AS (
    INSERT INTO notifications_knownterm (term, owner_id)
    SELECT DISTINCT term COLLATE "C", owner_id FROM terms
    WHERE term NOT LIKE 'metadata:%%' AND term NOT LIKE 'key:%%'
    ORDER BY 1, 2
    ON CONFLICT DO NOTHING
)
INSERT INTO notifications_messageterm (owner_id, term, message_id)
SELECT owner_id, term, message_id FROM terms
WHERE is_new OR {_IS_THERE.format("terms", "terms.term")} IS NULL
ORDER BY 1, 2, 3
"""  # noqa: S608 - made of constants


def write_terms(*, limit: int | None = None) -> int:
    """Write down what new messages can be found by; returns how many positions were read.

    Runs outside any transaction. 0 also while another process writes.
    """
    with next_stretch(NAME, limit=limit or _LIMIT) as stretch:
        if stretch is None:
            return 0
        with connection.cursor() as cursor:
            cursor.execute(
                _WRITE,
                {
                    "after": stretch.after,
                    "until": stretch.until,
                    "kinds": ["accepted", State.SENDING, *_FAILURES],
                    "failures": list(_FAILURES),
                },
            )
        return stretch.until - stretch.after


def catch_up() -> None:
    """Before a search: write down what came since the last time, a stretch at most."""
    sequence_events()
    write_terms()


def having(owner: User, terms: Sequence[str]) -> QuerySet[MessageTerm]:
    """The first of `terms` with each of the owner's messages that has all of them.

    In the order of their messages it is a stretch of one index, of which the other terms are looked
    up one by one: name first what few have.
    """
    first, *others = terms
    found = MessageTerm.objects.filter(owner=owner, term=first)
    for other in others:
        same = MessageTerm.objects.filter(owner=owner, term=other, message=OuterRef("message"))
        found = found.filter(Exists(same))
    return found


def sender_term(address: str) -> str:
    """What messages from `address` are found by."""
    return _term("from", address.lower())


def tag_term(tag: str) -> str:
    """What messages with the tag are found by."""
    return _term("tag", tag)


def metadata_term(key: str, value: str | None) -> str:
    """What messages with this metadata are found by; with any value of the key if it is None."""
    return _term("key", key) if value is None else _term("metadata", f"{key}={value}")


def provider_term(name: str) -> str:
    """What messages that were handed to the provider are found by."""
    return _term("provider", name)


def error_term(reading: str) -> str:
    """What messages are found by of which an answer was read so."""
    return _term("error", reading)


def word_terms(text: str) -> list[str]:
    """What messages that have all words of `text` are found by.

    A word is one of the subject's, an address, or the domain of a recipient's; case makes no
    difference.
    """
    return [_term("word", word) for word in dict.fromkeys(_words(text.lower()))]


def _words(text: str) -> Iterator[str]:
    for word in _WORD.findall(text):
        # with a dot or an @ it is an address or a domain; else the subject's words have no signs
        yield from [word.lstrip(".+-")] if re.search(r"[@.]", word) else re.findall(r"\w+", word)


def _term(kind: str, value: str) -> str:
    return f"{kind}:{value}"[:TERM_CHARACTERS]
