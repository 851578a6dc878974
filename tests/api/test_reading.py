"""Reading messages: one in full, and lists of them."""

import json
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from notifications.intake.mail_request import read_mail_request
from notifications.intake.submission import submit
from notifications.models import Message, State
from notifications.models.ids import first_id
from tests.api.conftest import SUBMISSION, Api
from tests.api.problems import problem_of
from tests.factories import (
    AttemptFactory,
    EventFactory,
    HandoffFactory,
    ProviderFactory,
    RequestLogFactory,
    SuppressionFactory,
    make_message,
)

pytestmark = pytest.mark.django_db


def read(api: Api, message: Message) -> dict[str, Any]:
    """The message as the API shows it."""
    answer = api.get(f"/v1/mail/{message.id}")
    assert answer.status_code == 200, answer.content
    members: dict[str, Any] = json.loads(answer.content)
    return members


def ids(api: Api, **query: Any) -> list[str]:
    """The ids that a list shows."""
    answer = api.get("/v1/mail", **query)
    assert answer.status_code == 200, answer.content
    return [row["id"] for row in json.loads(answer.content)["results"]]


@pytest.mark.parametrize("priority", ["urgent", "bulk"])
def test_a_message_is_shown_with_the_priority_it_was_submitted_with(
    api: Api, priority: str
) -> None:
    assert api.post(SUBMISSION | {"priority": priority}).status_code == 200
    assert read(api, Message.objects.get())["priority"] == priority


def test_a_message_is_shown_with_its_recipients(api: Api) -> None:
    SuppressionFactory(owner=api.owner, address="gone@example.org")
    fields = {**SUBMISSION, "cc": ["gone@example.org"], "bcc": ["bob@example.org"]}
    submission = submit(owner=api.owner, request=read_mail_request(fields))
    message = Message.objects.get(id=submission.message_id)
    shown = read(api, message)
    assert shown["id"] == str(message.id)
    assert (shown["from"], shown["subject"]) == ("App <app@example.com>", "Hello")
    assert shown["state"] == "pending"
    assert shown["counts"] == {"pending": 2, "suppressed": 1}
    assert [(row["kind"], row["address"], row["state"]) for row in shown["deliveries"]] == [
        ("to", "ada@example.org", "pending"),
        ("cc", "gone@example.org", "suppressed"),
        ("bcc", "bob@example.org", "pending"),
    ]
    assert shown["deliveries"][0]["name"] == "Ada"
    assert shown["deliveries"][0]["generation"] == 1
    assert [(row["seq"], row["kind"], row["recipient"]) for row in shown["events"]] == [
        (1, "accepted", None),
        (2, "suppressed", "gone@example.org"),
    ]
    assert shown["events"][1]["data"] == {"reason": "bounced"}
    assert shown["events"][0]["at"] == shown["accepted_at"]


def test_a_message_is_shown_with_its_attempts(api: Api) -> None:
    message = make_message("ada@example.org", owner=api.owner)
    began = timezone.now()
    for name, code, answer in (("first", 451, "later"), ("second", 250, "ok")):
        handoff = HandoffFactory(
            message=message,
            provider=ProviderFactory(name=name),
            outcome="accepted" if code == 250 else "not_accepted",
            started_at=began,
            ended_at=began + timedelta(seconds=2),
        )
        AttemptFactory(
            handoff=handoff,
            delivery=message.deliveries.get(),
            outcome=handoff.outcome,
            code=code,
            answer=answer,
        )
    first, second = read(api, message)["deliveries"][0]["attempts"]
    assert (first["provider"], first["outcome"], first["code"]) == ("first", "not_accepted", 451)
    assert (second["provider"], second["outcome"], second["answer"]) == ("second", "accepted", "ok")
    assert first["started_at"] < first["ended_at"]


def test_an_attempt_under_way_has_not_ended(api: Api) -> None:
    message = make_message(owner=api.owner)
    handoff = HandoffFactory(message=message)
    AttemptFactory(handoff=handoff, delivery=message.deliveries.get())
    (attempt,) = read(api, message)["deliveries"][0]["attempts"]
    assert (attempt["outcome"], attempt["ended_at"]) == ("in_flight", None)


def _long_history(api: Api, length: int) -> Message:
    message = make_message(*(f"r{number}@example.org" for number in range(length)), owner=api.owner)
    for delivery in message.deliveries.all():
        AttemptFactory(handoff=HandoffFactory(message=message), delivery=delivery)
        EventFactory(message=message, delivery=delivery)
    return message


def _queries(api: Api, path: str) -> int:
    api.get(path)  # from here on the token is known
    with CaptureQueriesContext(connection) as queries:
        assert api.get(path).status_code == 200
    return len(queries)


def test_a_message_takes_as_many_queries_however_long_its_history(api: Api) -> None:
    short, long = _long_history(api, 1), _long_history(api, 40)
    # message; deliveries, attempts, events; the request log
    assert _queries(api, f"/v1/mail/{short.id}") == 5
    assert _queries(api, f"/v1/mail/{long.id}") == 5


# of hand-offs as well: with few of them on record, reading those first would be as cheap
_MANY_ATTEMPTS = """
WITH made AS (
    INSERT INTO notifications_handoff (
        id, message_id, provider_id, idempotency_key, provider_message_id, tries, outcome, reading,
        answer, ended_at
    )
    SELECT gen_random_uuid(), gen_random_uuid(), number, '', '', 1, 'accepted', '', '', now()
    FROM generate_series(1, 5000) AS number RETURNING id
)
INSERT INTO notifications_attempt
    (handoff_id, delivery_id, generation, outcome, reading, answer)
SELECT id, gen_random_uuid(), 1, 'accepted', '', '' FROM made;
ANALYZE notifications_attempt, notifications_handoff
"""


def test_a_messages_attempts_are_found_by_an_index_however_many_there_are(api: Api) -> None:
    message = _long_history(api, 2)
    with connection.cursor() as cursor:
        cursor.execute(_MANY_ATTEMPTS)
        with CaptureQueriesContext(connection) as queries:
            assert read(api, message)["deliveries"][0]["attempts"]
        (sql,) = [q["sql"] for q in queries if 'FROM "notifications_attempt"' in q["sql"]]
        cursor.execute(f"EXPLAIN {sql}")
        plan = "\n".join(line for (line,) in cursor.fetchall())
    assert "attempt_one_live" in plan
    assert "Seq Scan on notifications_attempt" not in plan


def test_a_list_takes_as_many_queries_however_long_it_is(api: Api) -> None:
    make_message(owner=api.owner)
    # page; the request log
    assert _queries(api, "/v1/mail") == 2
    for _ in range(10):
        make_message("a@example.org", "b@example.org", owner=api.owner)
    assert _queries(api, "/v1/mail") == 2
    RequestLogFactory.create_batch(10, owner=api.owner)
    assert _queries(api, "/v1/requests") == 2


def test_a_submission_takes_one_query_however_many_recipients(api: Api) -> None:
    for number in (1, 50):
        api.post()  # from here on the token is known
        readers = [f"reader{place}@example.org" for place in range(number)]
        with CaptureQueriesContext(connection) as queries:
            answer = api.post({**SUBMISSION, "to": readers, "cc": [], "bcc": ["b@example.org"]})
        assert answer.status_code == 200
        # the whole submission with its line in the request log
        assert len(queries) == 1


def test_a_list_is_newest_first(api: Api) -> None:
    made = [str(make_message(owner=api.owner).id) for _ in range(3)]
    assert ids(api) == made[::-1]


def test_a_list_shows_what_it_says(api: Api) -> None:
    message = make_message(owner=api.owner, subject="Hello", state=State.SENT)
    (row,) = json.loads(api.get("/v1/mail").content)["results"]
    assert (row["subject"], row["state"], row["from"]) == ("Hello", "sent", message.sender)
    assert row["url"].endswith(f"/v1/mail/{message.id}")


@pytest.mark.parametrize("limit", [1, 2, 3, 200])
def test_pages_show_every_message_once(api: Api, limit: int) -> None:
    made = [str(make_message(owner=api.owner).id) for _ in range(5)]
    seen: list[str] = []
    path, query = "/v1/mail", f"limit={limit}"
    while True:
        page = json.loads(api.get(f"{path}?{query}").content)
        seen += [row["id"] for row in page["results"]]
        assert len(page["results"]) <= limit
        # what comes in meanwhile shifts nothing
        make_message(owner=api.owner)
        if page["next"] is None:
            break
        query = urlsplit(page["next"]).query
    assert seen == made[::-1]


def test_a_page_has_fifty_unless_asked_otherwise(api: Api) -> None:
    for _ in range(51):
        make_message(owner=api.owner)
    assert len(ids(api)) == 50
    assert len(ids(api, limit=51)) == 51


def test_a_list_by_state(api: Api) -> None:
    sent = make_message(owner=api.owner, state=State.SENT)
    make_message(owner=api.owner, state=State.PENDING)
    assert ids(api, state="sent") == [str(sent.id)]
    assert ids(api, state="dead") == []
    problem = problem_of(api.get("/v1/mail", state="lost"), 400, "invalid-request")
    assert problem["errors"][0]["parameter"] == "state"


@pytest.mark.parametrize(
    "spelling", ["ada@example.org", "ada@EXAMPLE.org", "Ada <ada@example.org>"]
)
def test_a_list_by_recipient(api: Api, spelling: str) -> None:
    found = make_message("bob@example.org", "ada@example.org", owner=api.owner)
    make_message("bob@example.org", owner=api.owner)
    assert ids(api, recipient=spelling) == [str(found.id)]


def test_a_list_by_time(api: Api) -> None:
    now = timezone.now()
    then = now - timedelta(days=2)
    old = make_message(id=first_id(then), owner=api.owner, accepted_at=then)
    new = make_message(owner=api.owner, accepted_at=now)
    border = (now - timedelta(days=1)).isoformat()
    assert ids(api, created_after=border) == [str(new.id)]
    assert ids(api, created_before=border) == [str(old.id)]
    # the first moment belongs to what comes after
    assert ids(api, created_after=now.isoformat()) == [str(new.id)]
    assert ids(api, created_before=now.isoformat()) == [str(old.id)]
    assert ids(api, created_after=(now - timedelta(days=3)).date().isoformat()) == [
        str(new.id),
        str(old.id),
    ]


def test_filters_hold_together_and_on_later_pages(api: Api) -> None:
    for state in (State.SENT, State.PENDING, State.SENT):
        make_message("ada@example.org", owner=api.owner, state=state)
    page = json.loads(
        api.get("/v1/mail", state="sent", recipient="ada@example.org", limit=1).content
    )
    rest = json.loads(api.get("/v1/mail?" + urlsplit(page["next"]).query).content)
    assert [row["state"] for row in page["results"] + rest["results"]] == ["sent", "sent"]


@pytest.mark.parametrize("path", ["/v1/mail", "/v1/requests"])
def test_an_unknown_parameter_is_refused_by_name(api: Api, path: str) -> None:
    problem = problem_of(api.get(path, sate="sent", format="json"), 400, "invalid-request")
    assert [error["parameter"] for error in problem["errors"]] == ["format", "sate"]


@pytest.mark.parametrize("accept", ["text/csv", "text/html", "application/xml"])
def test_another_form_is_not_acceptable(api: Api, accept: str) -> None:
    problem_of(api.get("/v1/mail", accept=accept), 406, "not-acceptable")
