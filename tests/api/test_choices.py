"""Cancel, retry and reschedule: done where the state allows it, else 409 with the reason."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.db import transaction

from notifications.history.changes import Change, change_deliveries, lock_messages
from notifications.models import Delivery, Message, Scope, State
from tests.api.conftest import SUBMISSION, Api, api_of
from tests.api.problems import problem_of
from tests.factories import UserFactory

pytestmark = pytest.mark.django_db

CHOICES = ("cancel", "retry", "reschedule")


def ahead(**time: float) -> datetime:
    """A time to come, in whole seconds."""
    return (datetime.now(UTC) + timedelta(**time)).replace(microsecond=0)


def submitted(api: Api, **options: Any) -> Message:
    """A message of the user's."""
    answer = json.loads(api.post({**SUBMISSION, **options}).content)
    return Message.objects.get(id=answer["id"])


def choose(api: Api, message: Message, choice: str, body: object = None) -> Any:
    """The answer to a choice; without a body none is sent."""
    given = b"" if body is None else body
    return api.post(given, path=f"/v1/mail/{message.id}/{choice}")


def move(message: Message, *states: State) -> None:
    """Take the message's deliveries through `states`."""
    for state in states:
        with transaction.atomic():
            lock_messages([message.id])
            rows = Delivery.objects.filter(message=message)
            changes = [Change(row.id, state, wait=600) for row in rows]
            change_deliveries(changes, before=list(State))


def last_event(message: Message) -> tuple[str, dict[str, Any]]:
    """The newest line of the message's history."""
    event = message.events.order_by("-seq")[0]
    return event.kind, event.data


# -- cancel --------------------------------------------------------------------------------------


@pytest.mark.parametrize("options", [{}, {"send_at": ahead(hours=3).isoformat()}])
def test_what_waits_is_cancelled_and_the_history_says_by_whom(
    api: Api, options: dict[str, str]
) -> None:
    message = submitted(api, **options)
    answer = choose(api, message, "cancel")
    assert answer.status_code == 200
    said = json.loads(answer.content)
    assert (said["id"], said["state"], said["counts"]) == (
        str(message.id),
        "cancelled",
        {"cancelled": 1},
    )
    assert said["events"][-1]["data"] == {"by": "You"}
    assert last_event(message) == ("cancelled", {"by": api.owner.username})


def test_what_went_out_cannot_be_cancelled(api: Api) -> None:
    message = submitted(api, to=["a@example.org", "b@example.org"])
    move(message, State.SENDING, State.SENT)
    problem = problem_of(choose(api, message, "cancel"), 409, "state-forbids")
    assert problem["detail"] == (
        "Nothing of it waits that could be cancelled. Sent to all 2 recipients."
    )


def test_only_what_waits_is_cancelled(api: Api) -> None:
    message = submitted(api, to=["a@example.org", "b@example.org"])
    first = Delivery.objects.filter(message=message)[0]
    with transaction.atomic():
        lock_messages([message.id])
        change_deliveries([Change(first.id, State.SENDING)], before=[State.PENDING])
    said = json.loads(choose(api, message, "cancel", {}).content)
    assert said["counts"] == {"sending": 1, "cancelled": 1}


# -- retry ---------------------------------------------------------------------------------------


def test_what_waits_for_another_try_is_due_at_once(api: Api) -> None:
    message = submitted(api)
    move(message, State.SENDING, State.PENDING)
    due_at = Message.objects.get(id=message.id).due_at
    assert choose(api, message, "retry").status_code == 200
    message.refresh_from_db()
    assert due_at is not None
    assert message.due_at is not None
    assert message.due_at < due_at
    assert last_event(message)[0] == "retried"


@pytest.mark.parametrize("ended", [(State.DEAD,), (State.SENDING, State.FAILED)])
def test_what_ended_without_success_is_sent_again_as_a_new_generation(
    api: Api, ended: tuple[State, ...]
) -> None:
    message = submitted(api)
    move(message, *ended)
    said = json.loads(choose(api, message, "retry", {}).content)
    assert [(one["state"], one["generation"]) for one in said["deliveries"]] == [("pending", 2)]
    assert said["events"][-1]["data"] == {"by": "You", "reason": "asked for by its owner"}


def test_what_is_in_doubt_is_sent_again_only_if_that_is_said(api: Api) -> None:
    message = submitted(api)
    move(message, State.SENDING, State.UNCERTAIN)
    problem = problem_of(choose(api, message, "retry"), 409, "state-forbids")
    assert problem["detail"] == (
        "Nothing of it can be tried again. Uncertain: the provider may have taken it."
    )
    said = json.loads(choose(api, message, "retry", {"uncertain": True}).content)
    assert [(one["state"], one["generation"]) for one in said["deliveries"]] == [("pending", 2)]


@pytest.mark.parametrize("states", [(), (State.SENDING, State.SENT), (State.CANCELLED,)])
def test_there_is_nothing_to_retry_where_nothing_failed(
    api: Api, states: tuple[State, ...]
) -> None:
    message = submitted(api)
    move(message, *states)
    problem_of(choose(api, message, "retry"), 409, "state-forbids")


# -- reschedule ----------------------------------------------------------------------------------


def test_a_scheduled_message_gets_another_time_and_its_deadline_moves_along(api: Api) -> None:
    first, second = ahead(hours=3), ahead(hours=5)
    deadline = first + timedelta(hours=2)
    message = submitted(api, send_at=first.isoformat(), expires_at=deadline.isoformat())
    said = json.loads(choose(api, message, "reschedule", {"send_at": second.isoformat()}).content)
    assert said["state"] == "scheduled"
    message.refresh_from_db()
    assert (message.send_at, message.due_at) == (second, second)
    assert message.expires_at == deadline + timedelta(hours=2)
    assert message.deliveries.get().due_at == second
    assert last_event(message) == (
        "rescheduled",
        {"by": api.owner.username, "send_at": second.isoformat()},
    )
    assert said["events"][-1]["data"] == {"by": "You", "send_at": second.isoformat()}


def test_another_deadline_may_be_given_with_the_time(api: Api) -> None:
    message = submitted(api, send_at=ahead(hours=3).isoformat())
    at, deadline = ahead(hours=1), ahead(hours=2)
    body = {"send_at": at.isoformat(), "expires_at": deadline.isoformat()}
    assert choose(api, message, "reschedule", body).status_code == 200
    message.refresh_from_db()
    assert (message.send_at, message.expires_at) == (at, deadline)


@pytest.mark.parametrize("states", [(), (State.CANCELLED,), (State.SENDING, State.SENT)])
def test_only_what_is_scheduled_can_be_rescheduled(api: Api, states: tuple[State, ...]) -> None:
    message = submitted(api)
    move(message, *states)
    body = {"send_at": ahead(hours=1).isoformat()}
    problem = problem_of(choose(api, message, "reschedule", body), 409, "state-forbids")
    assert problem["detail"].startswith("Only what is scheduled can be rescheduled. ")
    message.refresh_from_db()
    assert message.send_at is None


@pytest.mark.parametrize(
    ("body", "status", "pointer", "code"),
    [
        ({}, 400, "#/send_at", "required"),
        ({"send_at": None}, 400, "#/send_at", "required"),
        ({"send_at": 7}, 400, "#/send_at", "type"),
        ({"send_at": "2030-01-01T00:00:00"}, 400, "#/send_at", "offset"),
        ({"send_at": "2020-01-01T00:00:00Z"}, 422, "#/send_at", "past"),
        ({"send_at": ahead(days=91).isoformat()}, 422, "#/send_at", "too_late"),
        (
            {"send_at": ahead(hours=2).isoformat(), "expires_at": ahead(hours=1).isoformat()},
            422,
            "#/expires_at",
            "past",
        ),
    ],
)
def test_a_time_that_cannot_be_is_refused_and_changes_nothing(
    api: Api, body: dict[str, Any], status: int, pointer: str, code: str
) -> None:
    at = ahead(hours=3)
    message = submitted(api, send_at=at.isoformat())
    kind = "invalid-request" if status == 400 else "impossible-request"
    problem = problem_of(choose(api, message, "reschedule", body), status, kind)
    assert [(error["pointer"], error["code"]) for error in problem["errors"]] == [(pointer, code)]
    message.refresh_from_db()
    assert message.send_at == at


# -- all of them ---------------------------------------------------------------------------------


@pytest.mark.parametrize("choice", CHOICES)
@pytest.mark.parametrize("body", [[], "text", {"colour": "red"}, {"uncertain": "yes"}])
def test_a_body_that_says_something_else_is_refused(api: Api, choice: str, body: object) -> None:
    message = submitted(api)
    problem_of(choose(api, message, choice, body), 400, "invalid-request")
    assert message.events.count() == 1


@pytest.mark.parametrize("choice", CHOICES)
def test_another_users_message_is_not_there(api: Api, choice: str) -> None:
    message = submitted(api_of(UserFactory()), send_at=ahead(hours=1).isoformat())
    body = {"send_at": ahead(hours=2).isoformat()} if choice == "reschedule" else {}
    problem_of(choose(api, message, choice, body), 404, "not-found")
    problem_of(api.post(body, path=f"/v1/mail/{uuid4()}/{choice}"), 404, "not-found")
    assert message.events.count() == 1


@pytest.mark.parametrize("choice", CHOICES)
def test_a_choice_needs_the_scope_to_send_and_is_only_posted(api: Api, choice: str) -> None:
    message = submitted(api)
    reader = api_of(api.owner, Scope.READ)
    problem_of(choose(reader, message, choice, {}), 403, "forbidden")
    path = f"/v1/mail/{message.id}/{choice}"
    assert api.get(path).status_code == 405
    assert api.client.post(path).status_code == 401


def test_a_message_shows_what_was_said_of_it(api: Api) -> None:
    plain = json.loads(api.get(f"/v1/mail/{submitted(api).id}").content)
    assert [plain[name] for name in ("tags", "metadata", "headers", "reply_to", "send_at")] == [
        [],
        {},
        {},
        [],
        None,
    ]
    at = ahead(hours=3)
    said = {
        "reply_to": ["Help <help@example.com>"],
        "headers": {"X-Order": "7"},
        "tags": ["order"],
        "metadata": {"order": "7"},
        "on_uncertain": "resend",
        "failover": True,
    }
    message = submitted(api, send_at=at.isoformat(), **said)
    shown = json.loads(api.get(f"/v1/mail/{message.id}").content)
    assert {name: shown[name] for name in said} == said
    assert datetime.fromisoformat(shown["send_at"]) == at
    assert shown["events"][0]["data"] == {"send_at": at.isoformat()}
    listed = json.loads(api.get("/v1/mail").content)["results"][0]
    assert (listed["state"], listed["tags"]) == ("scheduled", ["order"])
