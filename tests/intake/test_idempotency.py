"""A key makes a repeat harmless: one message, one answer, whatever the timing."""

import hashlib
import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from datetime import timedelta
from threading import Barrier, Event
from typing import Any

import pytest
from django.db import connection, transaction
from django.db.models.functions import Now

from notifications.history.requests import RequestOrigin
from notifications.intake.errors import (
    IdempotencyConflictError,
    InvalidRequestError,
    StillRunningError,
)
from notifications.intake.mail_request import MailRequest, read_mail_request
from notifications.intake.submission import Submission, submit
from notifications.models import IdempotencyKey, Message, RequestLog, User
from tests.factories import SuppressionFactory, UserFactory

pytestmark = pytest.mark.django_db

FIELDS: dict[str, Any] = {
    "from": "app@example.com",
    "to": ["ada@example.org"],
    "subject": "Hello",
    "message": "Hello.",
}
REQUEST = read_mail_request(FIELDS)


def send(owner: User, key: str = "key", request: MailRequest = REQUEST) -> Submission:
    """Submit under a key."""
    return submit(owner=owner, request=request, idempotency_key=key)


def age(hours: float) -> None:
    """Make every key so old."""
    IdempotencyKey.objects.update(created_at=Now() - timedelta(hours=hours))


def test_a_repeat_gets_the_first_answer_and_makes_nothing() -> None:
    owner = UserFactory()
    first = send(owner)
    second = send(owner)
    assert (second.message_id, second.state) == (first.message_id, first.state)
    assert (first.is_repeat, second.is_repeat) == (False, True)
    assert Message.objects.count() == 1


def test_the_answer_stays_the_first_ones_when_the_world_has_changed() -> None:
    owner = UserFactory()
    rule = SuppressionFactory(owner=owner, address="ada@example.org")
    first = send(owner)
    rule.delete()
    assert send(owner).state == first.state == "suppressed"


def test_a_repeat_is_logged_with_the_message_of_the_first() -> None:
    owner = UserFactory()
    origin = RequestOrigin(method="POST", path="/v1/mail", address=None)
    for _ in range(2):
        submission = submit(owner=owner, request=REQUEST, idempotency_key="key", log=origin)
    lines = RequestLog.objects.filter(owner=owner, status=200)
    assert [line.message_id for line in lines] == [submission.message_id] * 2


def test_the_same_request_in_another_form_is_a_repeat() -> None:
    owner = UserFactory()
    first = send(owner)
    again = read_mail_request({**FIELDS, "to": "ada@EXAMPLE.org", "cc": []})
    assert send(owner, request=again).message_id == first.message_id


@pytest.mark.parametrize(
    "change",
    [
        {"from": "other@example.com"},
        {"to": ["bob@example.org"]},
        {"to": ["Ada <ada@example.org>"]},
        {"cc": ["bob@example.org"]},
        {"to": [], "bcc": ["ada@example.org"]},
        {"subject": "Hello!"},
        {"message": "Hello!"},
        {"priority": "bulk"},
    ],
)
def test_another_request_under_the_key_is_a_conflict(change: dict[str, Any]) -> None:
    owner = UserFactory()
    send(owner)
    with pytest.raises(IdempotencyConflictError):
        send(owner, request=read_mail_request({**FIELDS, **change}))
    assert Message.objects.count() == 1


def test_a_key_from_before_there_were_more_fields_holds() -> None:
    """Its hash is of what the request had then."""
    owner = UserFactory()
    first = send(owner)
    known = ("sender", "to", "cc", "bcc", "subject", "message")
    fields = {name: value for name, value in asdict(REQUEST).items() if name in known}
    old = hashlib.sha256(json.dumps(fields, sort_keys=True).encode()).digest()
    IdempotencyKey.objects.update(request_hash=old)
    for priority in ({}, {"priority": "normal"}):
        again = read_mail_request({**FIELDS, **priority})
        assert send(owner, request=again).message_id == first.message_id


def test_keys_are_each_owners_own() -> None:
    ids = {send(UserFactory()).message_id for _ in range(2)}
    assert len(ids) == 2


def test_without_a_key_every_submission_is_new() -> None:
    owner = UserFactory()
    assert len({submit(owner=owner, request=REQUEST).message_id for _ in range(2)}) == 2


@pytest.mark.parametrize("key", ["", "a" * 257, "a\nb", "ä", "\x7f"])
def test_an_impossible_key_is_refused(key: str) -> None:
    with pytest.raises(InvalidRequestError):
        send(UserFactory(), key)
    assert not Message.objects.exists()


def test_a_key_of_256_characters_is_one() -> None:
    assert send(UserFactory(), "a" * 256).message_id == Message.objects.get().id


def test_a_key_holds_for_a_day() -> None:
    owner = UserFactory()
    first = send(owner)
    age(hours=23.9)
    assert send(owner).message_id == first.message_id


def test_after_a_day_a_key_is_free_for_something_new() -> None:
    owner = UserFactory()
    first = send(owner)
    age(hours=24.1)
    second = send(owner, request=read_mail_request({**FIELDS, "subject": "New"}))
    assert second.message_id != first.message_id
    # and it holds for what it stands for now
    assert send(owner, request=read_mail_request({**FIELDS, "subject": "New"})).is_repeat


def test_old_keys_are_forgotten_in_passing() -> None:
    owner = UserFactory()
    for number in range(15):
        send(owner, f"old{number}")
    age(hours=25.1)
    send(owner, "new")
    assert IdempotencyKey.objects.count() == 15 - 10 + 1
    send(owner, "old14")
    assert list(IdempotencyKey.objects.order_by("key").values_list("key", flat=True)) == [
        "new",
        "old14",
    ]


@pytest.mark.django_db(transaction=True)
def test_fifty_at_once_make_one_message() -> None:
    owner = UserFactory()
    start = Barrier(50)

    def race(_: int) -> Submission | None:
        try:
            start.wait()
            return send(owner)
        except StillRunningError:
            return None
        finally:
            connection.close()

    with ThreadPoolExecutor(50) as pool:
        answers = list(pool.map(race, range(50)))
    submissions = [answer for answer in answers if answer is not None]
    assert {submission.message_id for submission in submissions} == {Message.objects.get().id}
    assert sum(not submission.is_repeat for submission in submissions) == 1


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("comes_to_nothing", [True, False])
def test_while_the_first_one_runs_a_second_is_told_so(*, comes_to_nothing: bool) -> None:
    owner = UserFactory()
    taken, go_on = Event(), Event()

    def first() -> None:
        try:
            with transaction.atomic():
                send(owner)
                taken.set()
                assert go_on.wait(30)
                transaction.set_rollback(comes_to_nothing)
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(first)
        assert taken.wait(60)
        with pytest.raises(StillRunningError):
            send(owner)
        send(UserFactory())
        go_on.set()
        running.result(60)
    assert send(owner).is_repeat is not comes_to_nothing
    assert Message.objects.count() == 2
