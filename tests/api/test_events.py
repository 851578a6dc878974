"""`/v1/events` and `/v1/mail/{id}/events`: what happened, to follow and to read."""

import json
import threading
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from notifications.api import waiting
from notifications.api.events import MAX_WAIT_SECONDS
from notifications.api.waiting import WaitingRoom
from notifications.models import ApiToken, EventPosition, Scope, State, User
from tests import stories
from tests.api.conftest import Api, api_of
from tests.api.problems import problem_of
from tests.conftest import wait_until
from tests.factories import EventFactory, UserFactory, make_message

pytestmark = pytest.mark.django_db


def feed(api: Api, **query: Any) -> dict[str, Any]:
    """A stretch of the feed."""
    answer = api.get("/v1/events", **query)
    assert answer.status_code == 200, answer.content
    members: dict[str, Any] = json.loads(answer.content)
    return members


def steps(members: dict[str, Any]) -> list[tuple[str, int]]:
    """Which events a stretch holds, by message and place in its history."""
    return [(event["message_id"], event["seq"]) for event in members["results"]]


def test_the_feed_is_oldest_first_and_tells_whose_history_it_is(api: Api) -> None:
    message = stories.accepted(api.owner, "ada@example.org")
    stories.answered(stories.handed_over(message, to="sink"))
    accepted, sending, sent = feed(api)["results"]
    assert [event["kind"] for event in (accepted, sending, sent)] == ["accepted", "sending", "sent"]
    assert accepted["message_id"] == sending["message_id"] == str(message.id)
    assert (accepted["delivery_id"], accepted["recipient"]) == (None, None)
    assert sent["delivery_id"] == str(message.deliveries.get().id)
    assert sent["recipient"] == "ada@example.org"
    assert sent["data"]["provider"] == "sink"


def test_an_event_tells_no_more_than_its_owner_may_know(api: Api) -> None:
    message = make_message(owner=api.owner)
    EventFactory(message=message, data={"reading": "misconfigured", "answer": "password wrong"})
    (event,) = feed(api)["results"]
    assert event["data"] == {"reading": "misconfigured"}


@pytest.mark.parametrize("limit", [1, 3, 200])
def test_a_reader_who_goes_on_sees_everything_once_and_in_order(api: Api, limit: int) -> None:
    message = make_message(owner=api.owner)
    made = [(str(message.id), EventFactory(message=message, seq=n).seq) for n in range(1, 8)]
    seen, query = [], f"limit={limit}"
    while True:
        stretch = json.loads(api.get(f"/v1/events?{query}").content)
        seen += steps(stretch)
        query = urlsplit(stretch["next"]).query
        if not stretch["has_more"]:
            break
    assert seen == made
    assert steps(json.loads(api.get(f"/v1/events?{query}").content)) == []
    later = EventFactory(message=message, seq=8)
    assert steps(json.loads(api.get(f"/v1/events?{query}").content)) == [(str(message.id), 8)]
    assert later.seq == 8


def test_the_cursor_alone_leads_on_too(api: Api) -> None:
    message = make_message(owner=api.owner)
    EventFactory.create_batch(3, message=message)
    first = feed(api, limit=2)
    assert first["has_more"] is True
    rest = feed(api, cursor=first["cursor"])
    assert len(rest["results"]) == 1
    assert rest["has_more"] is False
    # nothing new: the place stays
    assert feed(api, cursor=rest["cursor"])["cursor"] == rest["cursor"]


def test_the_end_shows_only_what_happens_from_now_on(api: Api) -> None:
    message = make_message(owner=api.owner)
    EventFactory(message=message, seq=1)
    now = feed(api, cursor="end")
    assert now["results"] == []
    EventFactory(message=message, seq=2)
    assert steps(feed(api, cursor=now["cursor"])) == [(str(message.id), 2)]


def test_a_stretch_takes_as_many_queries_however_long_it_is(api: Api) -> None:
    message = make_message(owner=api.owner)
    EventFactory(message=message)
    for _ in range(2):
        feed(api)  # the token is known, and the events have their positions
        with CaptureQueriesContext(connection) as queries:
            feed(api)
        # sequencer; positions; events; the request log
        assert len(queries) == 4
        EventFactory.create_batch(20, message=message)


@pytest.mark.parametrize(
    "cursor",
    ["", "x", "e", "e-1", "eg", "E1", "1", "e1 ", "e" + "f" * 16, "e\N{ARABIC-INDIC DIGIT ONE}"],
)
def test_a_cursor_that_is_not_ours_is_refused(api: Api, cursor: str) -> None:
    problem = problem_of(api.get("/v1/events", cursor=cursor), 400, "invalid-request")
    assert [error["parameter"] for error in problem["errors"]] == ["cursor"]


def test_a_cursor_beyond_all_that_happened_is_refused(api: Api) -> None:
    EventFactory(message=make_message(owner=api.owner))
    end = feed(api)["cursor"]
    EventPosition.objects.all().delete()
    problem_of(api.get("/v1/events", cursor=end), 422, "impossible-request")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("limit", "0"),
        ("limit", "201"),
        ("limit", "ten"),
        ("limit", "-1"),
        ("limit", "1.5"),
        ("limit", "9" * 30),
        ("wait", str(MAX_WAIT_SECONDS + 1)),
        ("wait", "-1"),
        ("wait", "soon"),
        ("wait", ""),
        ("kind", "sent"),
    ],
)
def test_what_the_feed_does_not_take_is_refused_by_name(api: Api, name: str, value: str) -> None:
    problem = problem_of(api.get("/v1/events", **{name: value}), 400, "invalid-request")
    assert [error["parameter"] for error in problem["errors"]] == [name]


@pytest.mark.parametrize("below", ["events", "mail/00000000-0000-0000-0000-000000000000/events"])
def test_reading_events_needs_the_scope_read(below: str) -> None:
    api = api_of(UserFactory(), Scope.SEND)
    problem_of(api.get(f"/v1/{below}"), 403, "forbidden")
    api.token = "lk_wrong"
    problem_of(api.get(f"/v1/{below}"), 401, "unauthenticated")


# -- waiting ---------------------------------------------------------------------------------------


class Waiter(threading.Thread):
    """A poll that waits, on a thread of its own."""

    def __init__(self, api: Api, **query: Any) -> None:
        super().__init__()
        self._api, self._query = api, query
        self.answer: dict[str, Any] = {}

    def run(self) -> None:
        try:
            self.answer = feed(self._api, **self._query)
        finally:
            connection.close()


@pytest.fixture
def room(monkeypatch: pytest.MonkeyPatch) -> WaitingRoom:
    """A waiting room with two places."""
    room = WaitingRoom(2)
    monkeypatch.setattr("notifications.api.events.waiting_room", room)
    return room


def token_of(api: Api) -> ApiToken:
    return api.owner.api_tokens.get()


@pytest.mark.django_db(transaction=True)
def test_a_poll_that_waits_is_answered_as_soon_as_something_happens(room: WaitingRoom) -> None:
    api = api_of(UserFactory())
    waiter = Waiter(api, cursor="end", wait=MAX_WAIT_SECONDS)
    waiter.start()
    wait_until(lambda: room.taken == 1)
    make_message(owner=UserFactory())  # another user's business wakes nobody
    message = stories.accepted(api.owner, "ada@example.org")
    waiter.join(timeout=60)
    assert steps(waiter.answer) == [(str(message.id), 1)]
    assert room.taken == 0


def test_a_poll_that_waits_in_vain_is_answered_in_the_end(api: Api) -> None:
    assert feed(api, wait=1)["results"] == []


def test_what_is_there_already_is_not_waited_for(api: Api, room: WaitingRoom) -> None:
    EventFactory(message=make_message(owner=api.owner))
    assert len(feed(api, wait=MAX_WAIT_SECONDS)["results"]) == 1


def test_a_second_poll_of_one_token_is_answered_at_once(api: Api, room: WaitingRoom) -> None:
    with room.place(token_of(api).id):
        answer = api.get("/v1/events", wait=MAX_WAIT_SECONDS)
    assert json.loads(answer.content)["results"] == []
    assert answer.headers["Retry-After"] == "1"


def test_when_all_places_are_taken_a_poll_is_answered_at_once(api: Api, room: WaitingRoom) -> None:
    first, second = (token_of(api_of(UserFactory())).id for _ in range(2))
    with room.place(first), room.place(second):
        answer = api.get("/v1/events", wait=MAX_WAIT_SECONDS)
        assert json.loads(answer.content)["results"] == []
        assert answer.headers["Retry-After"] == "1"
    with room.place(first), room.place(second) as has_place:
        assert has_place


def test_a_place_is_free_again_after_a_fault(room: WaitingRoom) -> None:
    token = api_of(UserFactory()).owner.api_tokens.get()
    with pytest.raises(ZeroDivisionError), room.place(token.id):
        raise ZeroDivisionError
    assert room.taken == 0


def test_half_of_a_processs_threads_may_wait(settings: Any) -> None:
    assert waiting.waiting_room.places == settings.LIMBO_WEB_THREADS // 2


# -- completeness ----------------------------------------------------------------------------------

MESSAGES = 25


def write(owner: User) -> None:
    """Messages with several events each, committed one by one."""
    try:
        for _ in range(MESSAGES):
            stories.answered(stories.handed_over(stories.accepted(owner, "ada@example.org")))
    finally:
        connection.close()


def follow(api: Api, seen: list[tuple[str, int]], done: threading.Event) -> None:
    """Read on and on until `done`, and then to the end."""
    try:
        cursor: dict[str, str] = {}
        is_last = False
        while True:
            stretch = feed(api, limit=7, **cursor)
            seen += steps(stretch)
            cursor = {"cursor": stretch["cursor"]}
            if is_last and not stretch["results"]:
                return
            is_last = done.is_set()
    finally:
        connection.close()


@pytest.mark.django_db(transaction=True)
def test_readers_miss_nothing_and_see_nothing_twice_while_many_write() -> None:
    api, other = api_of(UserFactory()), api_of(UserFactory())
    done, seen = threading.Event(), [list[tuple[str, int]]() for _ in range(3)]
    readers = [
        threading.Thread(target=follow, args=[reader, lines, done])
        for reader, lines in zip((api, api, other), seen, strict=True)
    ]
    writers = [
        threading.Thread(target=write, args=[owner])
        for owner in (api.owner, api.owner, other.owner)
    ]
    for thread in (*readers, *writers):
        thread.start()
    for thread in writers:
        thread.join()
    done.set()
    for thread in readers:
        thread.join()
    for lines, written in zip(seen, (2 * MESSAGES, 2 * MESSAGES, MESSAGES), strict=True):
        assert len(set(lines)) == len(lines) == 3 * written
        # each message's own events in their order
        assert [seq for _, seq in sorted(lines, key=lambda line: line[0])] == [1, 2, 3] * written
    assert seen[0] == seen[1]
    assert not set(seen[0]) & set(seen[2])


# -- one message's ---------------------------------------------------------------------------------


def test_a_messages_history_is_shown_page_by_page_oldest_first(api: Api) -> None:
    message = stories.accepted(api.owner, "ada@example.org")
    stories.answered(stories.handed_over(message))
    make_message(owner=api.owner)
    page = json.loads(api.get(f"/v1/mail/{message.id}/events", limit=2).content)
    assert [event["kind"] for event in page["results"]] == ["accepted", State.SENDING]
    rest = json.loads(api.get(page["next"].removeprefix("http://testserver")).content)
    assert [event["kind"] for event in rest["results"]] == [State.SENT]
    assert rest["next"] is None
    back = json.loads(api.get(rest["previous"].removeprefix("http://testserver")).content)
    assert back["results"] == page["results"]


@pytest.mark.parametrize("cursor", ["x", "cD1hYmM=", "cD05OTk5OTk5OTk5OTk5OTk5OTk5OQ=="])
def test_a_histories_broken_cursor_is_refused(api: Api, cursor: str) -> None:
    message = make_message(owner=api.owner)
    answer = api.get(f"/v1/mail/{message.id}/events", cursor=cursor)
    if answer.status_code == 200:  # a number that no history can have is after all of it
        assert json.loads(answer.content)["results"] == []
    else:
        problem = problem_of(answer, 400, "invalid-request")
        assert problem["errors"][0]["parameter"] == "cursor"
