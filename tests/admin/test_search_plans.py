"""Each class of a search is answered by its index, also when the tables are long."""

from uuid import UUID

import pytest
from django.db import connection

from notifications.admin.search import queries
from notifications.models import User

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
ANALYZE notifications_message, notifications_delivery, notifications_handoff;
"""


@pytest.fixture
def long_tables(db: None) -> None:
    owner = User.objects.create_user("shop")
    with connection.cursor() as cursor:
        for statement in _SEED.strip().split(";\n"):
            cursor.execute(statement, {"owner": owner.pk, "rows": ROWS})


def plans(term: str) -> list[str]:
    """How PostgreSQL answers each query of a search."""
    return [str(query.explain()) for query in queries(term)]


def test_an_address_is_found_by_the_index_of_addresses(long_tables: None) -> None:
    by_address, _ = plans("ada@example.org")
    assert "delivery_address" in by_address
    assert "Seq Scan" not in by_address


def test_a_message_id_is_found_by_the_primary_key(long_tables: None) -> None:
    by_id, _ = plans(str(UUID(int=42)))
    assert "notifications_message_pkey" in by_id


def test_a_providers_id_is_found_by_its_partial_index(long_tables: None) -> None:
    (by_provider_id,) = plans("esp-42")
    assert "handoff_provider_id" in by_provider_id
    assert "Seq Scan" not in by_provider_id
