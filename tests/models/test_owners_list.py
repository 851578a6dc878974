"""A page of an owner's messages is read by its length, whatever else there is."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from django.db import connection
from django.db.models import QuerySet
from django.utils import timezone

from notifications.models import Message, State, User
from notifications.models.message import in_states
from notifications.models.state import DEAD_LETTER
from tests.factories import UserFactory

PAGE = 10
EACH = 1_500
"""Messages of each of two users."""

Cut = Callable[[QuerySet[Message], UUID], QuerySet[Message]]

# his are the older ones, so that whoever walks all messages from the newest on meets others' first
_SEED = """
INSERT INTO notifications_message
    (id, owner_id, sender, sender_address, subject, header_message_id, expires_at, state, seq)
SELECT lpad(to_hex(n), 32, '0')::uuid, CASE WHEN n <= %(each)s THEN %(his)s ELSE %(others)s END,
    '', '', '', '', now() + interval '1 day',
    (ARRAY['sent', 'sent', 'dead', 'pending', 'sent', 'failed'])[1 + n %% 6], 0
FROM generate_series(1, 2 * %(each)s) AS n;
ANALYZE notifications_message
"""


@pytest.fixture
def owner(db: None) -> User:
    his, others = UserFactory(), UserFactory()
    with connection.cursor() as cursor:
        for statement in _SEED.split(";\n"):
            cursor.execute(statement, {"each": EACH, "his": his.pk, "others": others.pk})
    return his


CUTS: dict[str, Cut] = {
    "first": lambda rows, _: rows.order_by("-id")[:PAGE],
    "older": lambda rows, middle: rows.filter(id__lt=middle).order_by("-pk")[:PAGE],
    "newer": lambda rows, middle: rows.filter(id__gt=middle).order_by("id")[:PAGE],
    "oldest": lambda rows, _: rows.order_by("pk")[:PAGE],
    "later": lambda rows, _: rows.order_by("-id")[3:PAGE],
}

FILTERS: dict[str, Callable[[QuerySet[Message]], QuerySet[Message]]] = {
    "all": lambda rows: rows,
    "state": lambda rows: rows.filter(in_states(State.SENT)),
    "states": lambda rows: rows.filter(in_states(*DEAD_LETTER)),
    "absent": lambda rows: rows.filter(in_states(State.BOUNCED)),
    "accepted": lambda rows: rows.filter(accepted_at__gte=timezone.now() - timedelta(days=1)),
}


@pytest.mark.parametrize("cut", CUTS.values(), ids=CUTS)
@pytest.mark.parametrize("narrow", FILTERS.values(), ids=FILTERS)
def test_a_page_has_what_it_would_have_of_any_query(
    owner: User, cut: Cut, narrow: Callable[[QuerySet[Message]], QuerySet[Message]]
) -> None:
    plain, listed = Message.objects.owned_by(owner), Message.objects.listed(owner)
    middle = UUID(int=EACH // 2)
    expected = list(cut(narrow(plain), middle))
    assert list(cut(narrow(listed), middle)) == expected
    ids = narrow(listed).values_list("id", flat=True)
    assert list(cut(ids, middle)) == [message.id for message in expected]  # type: ignore[arg-type]


@pytest.mark.parametrize("cut", CUTS.values(), ids=CUTS)
@pytest.mark.parametrize("narrow", FILTERS.values(), ids=FILTERS)
def test_a_page_reads_no_more_than_a_page_of_each_state(
    owner: User, cut: Cut, narrow: Callable[[QuerySet[Message]], QuerySet[Message]]
) -> None:
    page = cut(narrow(Message.objects.listed(owner)), UUID(int=EACH // 2))
    sql, parameters = page.query.sql_with_params()
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN (ANALYZE, FORMAT JSON) {sql}", parameters)
        ((plan,),) = cursor.fetchall()
    nodes = list(_nodes(plan[0]["Plan"]))
    assert not [node for node in nodes if node["Node Type"] == "Seq Scan"]
    for node in nodes:
        times = node["Actual Loops"]
        assert times * node["Actual Rows"] <= len(State) * PAGE
        assert times * node.get("Rows Removed by Filter", 0) == 0


def _nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for part in plan.get("Plans", ()):
        yield from _nodes(part)


def test_what_was_read_is_not_read_again(owner: User) -> None:
    page = Message.objects.listed(owner).filter(id__lt=UUID(int=5)).order_by("-id")
    assert len(page) == 4
    with connection.execute_wrapper(lambda *_: pytest.fail("It was asked again.")):
        assert [message.id.int for message in page[:2]] == [4, 3]


def test_a_page_of_nothing_is_empty(owner: User) -> None:
    assert list(Message.objects.listed(owner).none().order_by("-id")[:PAGE]) == []
