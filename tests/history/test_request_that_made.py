"""The request that made a message is found by its index, and is the first of those about it."""

from uuid import uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from notifications.history.requests import request_that_made
from tests.factories import RequestLogFactory

pytestmark = pytest.mark.django_db

_FILL = """
INSERT INTO notifications_requestlog (method, path, status, duration_ms, message_id, at)
SELECT 'POST', '/v1/mail', 200, 3, gen_random_uuid(), now() FROM generate_series(1, 20000)
"""


def test_it_is_the_first_of_those_about_the_message() -> None:
    message_id = uuid4()
    made, *_ = [RequestLogFactory(message_id=message_id) for _ in range(3)]
    RequestLogFactory(message_id=uuid4())
    assert request_that_made(message_id) == made
    assert request_that_made(uuid4()) is None


def test_no_part_of_the_log_is_walked_even_where_the_planner_has_no_figures() -> None:
    with connection.cursor() as cursor:
        cursor.execute(_FILL)
        with CaptureQueriesContext(connection) as caught:
            request_that_made(uuid4())
        (query,) = caught
        cursor.execute(f"EXPLAIN {query['sql']}")
        plan = "\n".join(line for (line,) in cursor.fetchall())
    assert "requestlog_message" in plan
    assert "requestlog_pkey" not in plan
    assert "Seq Scan" not in plan
