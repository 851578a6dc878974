"""A feed costs what its reader's own events cost, whatever the others have done meanwhile."""

import pytest
from django.db import connection

from notifications.history.feed import PLACES
from notifications.models import User
from tests.factories import UserFactory

pytestmark = pytest.mark.django_db

EVENTS = 20_000
"""Of each user: first all of the reader's, then all of the other's."""


@pytest.fixture
def reader() -> User:
    """A user whose events, half of all, lie before the other's."""
    reader, other = UserFactory(), UserFactory()
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO notifications_eventposition (position, event_id, owner_id)
            SELECT n, n, CASE WHEN n <= %(events)s THEN %(reader)s::bigint ELSE %(other)s END
            FROM generate_series(1, 2 * %(events)s) n
            """,
            {"events": EVENTS, "reader": reader.pk, "other": other.pk},
        )
        cursor.execute("ANALYZE notifications_eventposition")
    return reader


@pytest.mark.parametrize("after", [0, EVENTS // 2, EVENTS, 2 * EVENTS])
def test_a_feed_reads_by_its_owner_from_wherever_it_goes_on(reader: User, after: int) -> None:
    with connection.cursor() as cursor:
        parameters = {"owner": reader.pk, "after": after, "limit": 51}
        cursor.execute("EXPLAIN (ANALYZE, COSTS OFF) " + PLACES, parameters)
        plan = "\n".join(line for (line,) in cursor.fetchall())
    assert "using eventposition_owner" in plan
    assert "Removed by Filter" not in plan
    assert "Sort" not in plan
