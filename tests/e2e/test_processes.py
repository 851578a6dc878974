"""The real processes: from HTTP to the inbox, and through the death of a worker."""

import mailbox
from collections.abc import Iterator
from email import message_from_bytes, policy
from pathlib import Path

import pytest
from django.db import connection, transaction
from django_q.models import Task
from django_q.tasks import async_task

from notifications.intake.tokens import issue_token
from notifications.models import Handoff, Message, State
from tests.conftest import wait_until
from tests.e2e.system import System, free_port
from tests.factories import UserFactory, make_message
from tests.peers.actions import stall
from tests.peers.smtp_peer import SmtpPeer

pytestmark = [pytest.mark.e2e, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def peer() -> Iterator[SmtpPeer]:
    """A provider that takes everything."""
    with SmtpPeer() as peer:
        yield peer


def provided_by(peer: SmtpPeer) -> str:
    """`LIMBO_PROVIDERS` for one peer."""
    return f"first=smtp://127.0.0.1:{peer.port}"


def state_of(message: Message) -> str:
    """The message's state now."""
    return Message.objects.values_list("state", flat=True).get(id=message.id)


def lease_ends() -> None:
    """Let the time pass until every lease and its grace is over."""
    with connection.cursor() as cursor:
        cursor.execute(
            """UPDATE notifications_message SET lease_until = now() - interval '6 seconds'
            WHERE lease_until IS NOT NULL"""
        )


def is_claimed(message: Message) -> bool:
    """Whether a worker has it."""
    return Message.objects.filter(id=message.id, lease_until__isnull=False).exists()


def test_a_message_goes_from_http_to_the_inbox_and_tells_its_history(tmp_path: Path) -> None:
    sink_port = free_port()
    inbox = tmp_path / "inbox"
    with System(tmp_path, f"sink=smtp://127.0.0.1:{sink_port}") as system:
        options = ["--port", str(sink_port), "--inbox", str(inbox)]
        system.start("sink", ["-m", "limbo.local.sink", *options])
        system.start_worker()
        system.start_web()
        _, token = issue_token(owner=UserFactory(), name="end to end")
        wait_until(lambda: system.get("/ready")[0] == 200)

        status, answer = system.post(
            "/v1/mail",
            {
                "from": "Zoë <zoe@example.com>",
                "to": ["Reader <reader@example.org>"],
                "bcc": ["hidden@example.org"],
                "subject": "Grüße aus dem Limbo",
                "message": "Guten Tag\n.\nEnde",
            },
            token,
        )
        assert (status, answer["Message"]) == (200, "submitted")
        path = f"/v1/mail/{answer['id']}"
        wait_until(lambda: system.get(path, token)[1]["state"] == "sent")

        received = [mail.as_bytes() for mail in mailbox.Maildir(inbox)]
        mail = message_from_bytes(received[0], policy=policy.default)
        assert len(received) == 1
        assert mail["Subject"] == "Grüße aus dem Limbo"
        assert mail["To"] == "Reader <reader@example.org>"
        assert mail["Bcc"] is None
        assert mail.get_content().splitlines() == ["Guten Tag", ".", "Ende"]
        _, told = system.get(path, token)
        assert [event["kind"] for event in told["events"]] == [
            "accepted",
            "sending",
            "sending",
            "sent",
            "sent",
        ]


def test_a_worker_killed_before_the_hand_off_leaves_a_message_that_is_sent_once(
    tmp_path: Path, peer: SmtpPeer
) -> None:
    message = make_message()
    with System(tmp_path, provided_by(peer)) as system:
        with transaction.atomic(), connection.cursor() as cursor:
            # the worker claims, and must wait before it can commit its attempt
            cursor.execute("LOCK TABLE notifications_handoff IN EXCLUSIVE MODE")
            system.start_worker()
            wait_until(lambda: is_claimed(message))
            system.kill("worker")
        assert not Handoff.objects.exists()
        lease_ends()
        system.start_worker()
        wait_until(lambda: state_of(message) == State.SENT)
    assert len(peer.taken) == 1


def test_a_worker_killed_after_the_hand_off_leaves_a_message_uncertain_and_unrepeated(
    tmp_path: Path,
) -> None:
    with SmtpPeer(on={"dot": [stall(), None]}) as peer:
        message = make_message()
        with System(tmp_path, provided_by(peer)) as system:
            system.start_worker()
            wait_until(lambda: peer.taken)
            system.kill("worker")
            assert state_of(message) == State.SENDING
            lease_ends()
            system.start_worker()
            wait_until(lambda: state_of(message) == State.UNCERTAIN)
            other = make_message()
            wait_until(lambda: state_of(other) == State.SENT)
        assert state_of(message) == State.UNCERTAIN
        assert len(peer.taken) == 2


def test_ordinary_tasks_are_served_by_the_same_cluster(tmp_path: Path, peer: SmtpPeer) -> None:
    with System(tmp_path, provided_by(peer)) as system:
        system.start_worker()
        task_id = async_task("math.factorial", 5)
        wait_until(lambda: Task.objects.filter(id=task_id).exists())
    assert Task.objects.get(id=task_id).result == 120


def test_a_worker_that_is_asked_to_stop_ends_by_itself_and_leaves_nothing_leased(
    tmp_path: Path, peer: SmtpPeer
) -> None:
    message = make_message()
    with System(tmp_path, provided_by(peer)) as system:
        system.start_worker()
        wait_until(lambda: state_of(message) == State.SENT)
        assert system.stop("worker") == 0
    assert not is_claimed(message)
