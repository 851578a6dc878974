"""Each class of a search is answered by its index, also when the tables are long."""

from typing import Any

import pytest
from django.db import connection

from notifications.admin.search import Indexed, ways, within
from notifications.history import finding
from notifications.history.finding import Span
from notifications.models import Message, User

ROWS = 3000

_SEED = """
INSERT INTO notifications_message
    (id, owner_id, sender, sender_address, subject, header_message_id, expires_at, state, seq)
SELECT lpad(to_hex(n), 32, '0')::uuid, %(owner)s, '', '', '', '', now(), 'pending', 0
FROM generate_series(1, %(rows)s) n;
INSERT INTO notifications_delivery
    (id, message_id, owner_id, kind, position, address, name, state, generation, rounds, backoffs,
     due_at)
SELECT id, id, owner_id, 'to', 0, id || '@example.org', '', 'pending', 1, 0, 0, now()
FROM notifications_message;
INSERT INTO notifications_provider (name, enabled, weight, fault) VALUES ('seeded', true, 1, '');
INSERT INTO notifications_handoff
    (id, message_id, provider_id, idempotency_key, provider_message_id, tries, outcome, reading,
     answer)
SELECT m.id, m.id, p.id, '', CASE WHEN random() < 0.5 THEN '' ELSE 'esp-' || m.id END, 1,
    'in_flight', '', ''
FROM notifications_message m, notifications_provider p WHERE p.name = 'seeded';
INSERT INTO notifications_messageterm (owner_id, term, message_id)
SELECT owner_id, 'word:' || address, message_id FROM notifications_delivery
UNION ALL SELECT owner_id, 'word:invoice', id FROM notifications_message;
INSERT INTO notifications_knownterm (term, owner_id)
SELECT DISTINCT term, owner_id FROM notifications_messageterm
UNION ALL SELECT 'word:' || md5(n::text), %(owner)s FROM generate_series(1, 20000) n;
SELECT gin_clean_pending_list('knownterm_part');
ANALYZE notifications_message, notifications_delivery, notifications_handoff,
    notifications_messageterm, notifications_knownterm;
"""


SPAN = Span()
MIDDLE = Span(older_than=Message(pk="00000000-0000-0000-0000-0000000005dc").pk)


@pytest.fixture
def long_tables(db: None) -> None:
    owner = User.objects.create_user("shop")
    with connection.cursor() as cursor:
        for statement in _SEED.strip().split(";\n"):
            cursor.execute(statement, {"owner": owner.pk, "rows": ROWS})


def plans(term: str) -> dict[str, str]:
    """How PostgreSQL answers the query of each class that has an index of its own."""
    return {
        way.label: str(way.query(SPAN, 51).explain())
        for way in ways(term)
        if isinstance(way, Indexed)
    }


def plan(query: str, parameters: dict[str, Any]) -> str:
    """How PostgreSQL answers a statement of `history.finding`."""
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN {query}", parameters)
        return "\n".join(line for (line,) in cursor.fetchall())


def test_an_address_is_found_by_the_index_of_addresses(long_tables: None) -> None:
    by_address = plans("ada@example.org")["recipient"]
    assert "delivery_address" in by_address
    assert "Seq Scan" not in by_address


@pytest.mark.parametrize("term", ["00000000-0000-0000-0000-00000000002a", "00000000-0000"])
def test_an_id_and_its_beginning_are_found_by_the_primary_key(long_tables: None, term: str) -> None:
    by_id = plans(term)["message id"]
    assert "notifications_message_pkey" in by_id
    assert "Index Cond" in by_id


def test_a_providers_id_is_found_by_its_partial_index(long_tables: None) -> None:
    by_provider_id = plans("esp-42")["provider's id"]
    assert "handoff_provider_id" in by_provider_id
    assert "Seq Scan" not in by_provider_id


def test_a_users_messages_are_found_by_the_index_of_owners(long_tables: None) -> None:
    User.objects.create_user("club")
    found = plans("club")["user"]
    assert "message_owner_state" in found
    assert "Seq Scan" not in found


def test_a_part_of_a_word_is_found_by_its_trigrams(long_tables: None) -> None:
    query, part = finding._pattern("qzx")
    found = plan(query, {"part": part, "term": "word:qzx", "most": 2000})
    assert "knownterm_part" in found
    assert "Seq Scan" not in found


def test_the_beginning_of_a_word_is_found_by_the_key(long_tables: None) -> None:
    query, part = finding._pattern("in")
    found = plan(query, {"part": part, "most": 2000})
    assert "Index Cond" in found
    assert "notifications_knownterm_pkey" in found


@pytest.mark.parametrize("way", ["ASC", "DESC"])
def test_the_messages_of_a_term_are_a_stretch_of_one_index(long_tables: None, way: str) -> None:
    found = plan(
        finding._NEWEST.format(way=way, others=""),
        {
            "owners": [User.objects.get(username="shop").pk],
            "terms": ["word:invoice"],
            "before": MIDDLE.older_than,
            "after": finding._NO_ID,
            "each": 51,
            "limit": 51,
        },
    )
    assert "notifications_messageterm_pkey" in found
    assert "Seq Scan" not in found


def test_an_old_page_is_fetched_by_the_key_and_not_skipped_to(long_tables: None) -> None:
    page = str(within(Message.objects.all(), MIDDLE)[:51].explain())
    assert "notifications_message_pkey" in page
    assert "Index Cond" in page
