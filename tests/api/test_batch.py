"""POST /v1/mail/batch: many messages in one request, each answered in its place."""

import json
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from benchmarks.limbo_side.line import give_turns
from notifications.intake.mail_request import read_mail_request
from notifications.intake.submission import submit
from notifications.models import (
    ApiToken,
    Attachment,
    Delivery,
    Event,
    IdempotencyKey,
    Message,
    RequestLog,
    State,
    Suppression,
)
from notifications.models.fair_share import HEAD_START
from notifications.queue.claim import claim_next
from tests.api.conftest import SUBMISSION, Api, api_of
from tests.api.problems import problem_of
from tests.api.test_templates import create
from tests.factories import UserFactory

pytestmark = pytest.mark.django_db

PATH = "/v1/mail/batch"
FULL: dict[str, Any] = {
    "from": "Shop <shop@example.com>",
    "to": ["Ada <ada@example.org>", "bob@example.org"],
    "cc": ["carol@example.org"],
    "subject": "Your order",
    "message": "Thank you.",
    "html": "<p>Thank you.</p>",
    "reply_to": ["help@example.com"],
    "headers": {"X-Shop": "7"},
    "attachments": [{"name": "a.txt", "type": "text/plain", "content": "aGVsbG8="}],
    "tags": ["order"],
    "metadata": {"order": "7"},
    "priority": "urgent",
    "on_uncertain": "resend",
}


def post(api: Api, *messages: object, **more: Any) -> Any:
    """Post a batch; keywords with capitals are headers."""
    headers = {name: value for name, value in more.items() if name[0].isupper()}
    fields = {name: value for name, value in more.items() if name not in headers}
    return api.post({"messages": list(messages), **fields}, path=PATH, **headers)


def answered(api: Api, *messages: object, **more: Any) -> dict[str, Any]:
    """What a batch that is taken is answered."""
    answer = post(api, *messages, **more)
    assert answer.status_code == 200, answer.content
    told: dict[str, Any] = json.loads(answer.content)
    return told


def refused(answer: Any, status: int = 400) -> list[tuple[str, str]]:
    """Where and why a whole batch is refused; nothing is stored."""
    kind = {400: "invalid-request", 422: "impossible-request"}[status]
    problem = problem_of(answer, status, kind)
    assert not Message.objects.exists()
    return [(fault["pointer"], fault["code"]) for fault in problem["errors"]]


def to(address: str, **more: Any) -> dict[str, Any]:
    """A message to `address`."""
    return {**SUBMISSION, "to": [address], **more}


def test_each_message_is_stored_and_answered_in_its_place(api: Api) -> None:
    told = answered(api, to("a@example.org"), to("b@example.org"))
    assert (told["stored"], told["refused"]) == (2, 0)
    for result, address in zip(told["results"], ("a@example.org", "b@example.org"), strict=True):
        shown = json.loads(api.get(f"/v1/mail/{result['id']}").content)
        assert (result["status"], result["Message"]) == (200, "submitted")
        assert shown["state"] == result["state"] == "pending"
        assert [delivery["address"] for delivery in shown["deliveries"]] == [address]
        assert [event["kind"] for event in shown["events"]] == ["accepted"]


def test_a_message_is_stored_as_by_itself(api: Api) -> None:
    ids = [
        answered(api, FULL)["results"][0]["id"],
        json.loads(api.post(FULL).content)["id"],
    ]
    told = [json.loads(api.get(f"/v1/mail/{id_}").content) for id_ in ids]

    def without_ids(value: Any) -> Any:
        if isinstance(value, dict):
            left = {"id", "url", "at", "accepted_at", "due_at", "expires_at"}
            return {k: without_ids(v) for k, v in value.items() if k not in left}
        return [without_ids(item) for item in value] if isinstance(value, list) else value

    assert without_ids(told[0]) == without_ids(told[1])
    many, one = (Message.objects.get(id=id_) for id_ in ids)
    for name in (
        "sender",
        "sender_address",
        "reply_to",
        "headers",
        "tags",
        "metadata",
        "priority",
        "on_uncertain",
        "failover",
        "preferred_provider",
        "seq",
    ):
        assert getattr(many, name) == getattr(one, name)
    assert (many.content.text, many.content.html) == (one.content.text, one.content.html)
    assert many.content.attached_octets == 5
    assert bytes(Attachment.objects.get(message=many).content) == b"hello"
    assert many.expires_at - many.accepted_at == timedelta(hours=24)


def test_what_is_wrong_with_one_message_stops_no_other(api: Api) -> None:
    past = (timezone.now() - timedelta(days=2)).isoformat()
    wrong = [{**SUBMISSION, "colour": "red"}, {**SUBMISSION, "expires_at": past}, 7]
    told = answered(api, SUBMISSION, *wrong, SUBMISSION)
    assert (told["stored"], told["refused"]) == (2, 3)
    assert [result["status"] for result in told["results"]] == [200, 400, 422, 400, 200]
    unknown, late, number = told["results"][1:4]
    assert unknown["errors"][0]["pointer"] == "#/messages/1/colour"
    assert (unknown["Message"], unknown["Problem"]) == ("not submitted", unknown["detail"])
    assert late["errors"][0]["pointer"] == "#/messages/2/expires_at"
    assert number["errors"][0]["pointer"] == "#/messages/3"
    assert Message.objects.count() == 2


def test_atomic_stores_nothing_if_one_is_wrong(api: Api) -> None:
    wrong = {**SUBMISSION, "to": "nobody"}
    answer = post(api, SUBMISSION, wrong, {**SUBMISSION, "subject": ""}, atomic=True)
    faults = [("#/messages/1/to", "address"), ("#/messages/2/subject", "required")]
    assert refused(answer, 422) == faults


def test_atomic_stores_nothing_if_one_is_not_possible_now(api: Api) -> None:
    unknown = {"from": "a@example.com", "to": "b@example.org", "template": "none"}
    answer = post(api, SUBMISSION, unknown, atomic=True)
    assert refused(answer, 422) == [("#/messages/1/template", "unknown_template")]


def test_atomic_stores_all_if_none_is_wrong(api: Api) -> None:
    assert answered(api, SUBMISSION, SUBMISSION, atomic=True)["stored"] == 2


@pytest.mark.parametrize(
    ("body", "fault"),
    [
        ([], ("#", "type")),
        ({}, ("#/messages", "required")),
        ({"messages": None}, ("#/messages", "required")),
        ({"messages": []}, ("#/messages", "blank")),
        ({"messages": SUBMISSION}, ("#/messages", "type")),
        ({"messages": [{}] * 1001}, ("#/messages", "too_many")),
        ({"messages": [SUBMISSION], "atomic": "yes"}, ("#/atomic", "type")),
        ({"messages": [SUBMISSION], "atomc": True}, ("#/atomc", "unknown")),
    ],
)
def test_what_is_no_batch_is_refused_by_name(api: Api, body: Any, fault: tuple[str, str]) -> None:
    assert refused(api.post(body, path=PATH)) == [fault]


def test_a_batch_too_large_is_refused(api: Api) -> None:
    problem_of(api.post(b" " * (30 * 1024 * 1024 + 1), path=PATH), 413, "too-large")


def test_a_thousand_messages_cost_the_statements_of_one(api: Api) -> None:
    def statements(count: int) -> int:
        with CaptureQueriesContext(connection) as queries:
            assert answered(api, *[to(f"{n}@example.org") for n in range(count)])["stored"] == count
        return len(queries)

    answered(api, SUBMISSION)  # the token is known from now on
    assert statements(1) == statements(10) == statements(1000) == 4
    assert Message.objects.count() == Event.objects.count() == 1012


def test_turns_are_as_if_each_had_been_posted_by_itself(api: Api) -> None:
    batch = [
        to("a@example.org", priority="bulk"),
        {**to("b@example.org"), "cc": ["c@example.org"]},
        to("d@example.org", priority="urgent"),
        to("e@example.org"),
        to("f@example.org", priority="bulk"),
    ]
    told = answered(api, *batch)
    other = UserFactory()
    singly = [submit(owner=other, request=read_mail_request(one)) for one in batch]
    give_turns()
    turns = [Message.objects.get(id=result["id"]).turn for result in told["results"]]
    assert turns == [HEAD_START, 0, -HEAD_START, 2, HEAD_START + 1]
    assert turns == [Message.objects.get(id=made.message_id).turn for made in singly]


def test_the_claim_takes_a_batch_in_its_order(api: Api) -> None:
    told = answered(api, *[to(f"{n}@example.org") for n in range(5)])
    claim = claim_next()
    assert claim is not None
    assert claim.message_ids == [result["id"] for result in told["results"]]


def test_suppressed_and_scheduled_ones_are_told_apart(api: Api) -> None:
    Suppression.objects.create(owner=api.owner, address="gone@example.org", reason="bounce")
    later = (timezone.now() + timedelta(hours=2)).isoformat()
    told = answered(
        api,
        to("gone@example.org"),
        {**to("GONE@example.org"), "cc": ["a@example.org"]},
        to("a@example.org", send_at=later),
    )
    assert [result["state"] for result in told["results"]] == ["suppressed", "pending", "scheduled"]
    first, second, third = (Message.objects.get(id=r["id"]) for r in told["results"])
    assert (first.due_at, first.turn, first.seq) == (None, None, 2)
    assert (second.seq, second.turn) == (2, None)
    assert third.turn is None
    assert third.due_at == third.send_at
    assert list(first.events.order_by("seq").values_list("kind", flat=True)) == [
        "accepted",
        "suppressed",
    ]
    states = Delivery.objects.filter(message=second).values_list("address", "state")
    assert dict(states) == {
        "GONE@example.org": State.SUPPRESSED,
        "a@example.org": State.PENDING,
    }


def test_templates_are_ones_own(api: Api) -> None:
    create(api)
    one = {"from": "a@example.com", "to": "b@example.org", "template": "welcome"}
    told = answered(api, *[{**one, "variables": {"name": name}} for name in ("Ada", "Bob")], one)
    assert [result["status"] for result in told["results"]] == [200, 200, 422]
    assert Message.objects.order_by("id").values_list("subject", flat=True)[1] == "Welcome, Bob"
    stranger = api_of(UserFactory())
    assert answered(stranger, one)["results"][0]["errors"][0]["code"] == "unknown_template"


def test_a_tokens_senders_hold_for_each_message(api: Api) -> None:
    ApiToken.objects.update(allowed_senders=["example.com"])
    told = answered(api, SUBMISSION, {**SUBMISSION, "from": "a@example.net"})
    assert [result["status"] for result in told["results"]] == [200, 422]
    assert told["results"][1]["errors"][0]["code"] == "sender_not_allowed"


def test_a_repeat_gets_the_same_answer_and_stores_nothing(api: Api) -> None:
    batch = [to("a@example.org"), {"from": "x"}]
    first = post(api, *batch, Idempotency_Key="one")
    second = post(api, *batch, Idempotency_Key="one")
    told, again = json.loads(first.content), json.loads(second.content)
    for answer in (told, again):
        answer["results"][1].pop("request_id")
    assert told == again
    assert "Idempotency-Replayed" not in first.headers
    assert second.headers["Idempotency-Replayed"] == "true"
    assert Message.objects.count() == 1
    assert RequestLog.objects.filter(path=PATH, status=200).count() == 2
    other = post(api, to("b@example.org"), Idempotency_Key="one")
    problem_of(other, 409, "idempotency-conflict")
    problem_of(api.post(to("a@example.org"), Idempotency_Key="one"), 409, "idempotency-conflict")


def test_a_batch_that_cannot_be_stored_leaves_nothing(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError

    monkeypatch.setattr("notifications.intake.batch.store_files", fail)
    assert post(api, SUBMISSION, SUBMISSION, Idempotency_Key="one").status_code == 500
    assert not Message.objects.exists()
    assert not Event.objects.exists()
    assert not IdempotencyKey.objects.exists()
    monkeypatch.undo()
    assert answered(api, SUBMISSION, SUBMISSION, Idempotency_Key="one")["stored"] == 2
