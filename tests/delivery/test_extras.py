"""Loading what a message has beyond its text: all of it arrives, and plain mail pays nothing."""

from base64 import b64encode
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from pytest_django import Settings

from notifications.delivery import extras
from notifications.delivery.loading import load_due
from notifications.intake.mail_request import read_mail_request
from notifications.intake.submission import submit
from notifications.models import Attachment, Message, User
from tests.delivery.two_providers import configure, deliver, smtp
from tests.factories import UserFactory
from tests.peers.smtp_peer import SmtpPeer

pytestmark = pytest.mark.django_db(transaction=True)

FIELDS: dict[str, Any] = {
    "from": "app@example.com",
    "to": ["ada@example.org"],
    "subject": "Hello",
    "message": "Hello.",
}
FILE = {"name": "a.bin", "type": "application/x-any", "content": b64encode(bytes(256)).decode()}


def submitted(owner: User, **options: Any) -> Message:
    """The message that a submission with these options makes."""
    request = read_mail_request({**FIELDS, **options})
    return Message.objects.get(id=submit(owner=owner, request=request).message_id)


def test_all_that_was_submitted_arrives(settings: Settings) -> None:
    with SmtpPeer() as peer:
        configure(settings, {"relay": smtp(peer)})
        submitted(
            UserFactory(),
            html="<p>Hello.</p>",
            reply_to="Help <help@example.com>",
            headers={"X-Order": "7"},
            attachments=[FILE, {**FILE, "name": "b.bin"}],
        )
        deliver()
    message = peer.taken[0].message
    assert (message["Reply-To"], message["X-Order"]) == ("Help <help@example.com>", "7")
    assert [part.get_filename() for part in message.iter_attachments()] == ["a.bin", "b.bin"]
    body = message.get_body(("html",))
    assert body is not None
    assert body.get_content().strip() == "<p>Hello.</p>"


def test_only_who_has_files_makes_anybody_look_for_them() -> None:
    owner = UserFactory()
    plain = [str(submitted(owner).id) for _ in range(3)]
    full = [str(submitted(owner, attachments=[FILE], html="<p>a</p>").id) for _ in range(3)]
    with CaptureQueriesContext(connection) as few:
        assert [message.outgoing.extras for message in load_due(plain)] == [None] * 3
    with CaptureQueriesContext(connection) as more:
        assert all(message.outgoing.extras for message in load_due([*plain, *full])[3:])
    assert len(more) == len(few) + 1


def test_files_that_do_not_fit_into_memory_together_go_in_another_batch(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(extras, "FILES_OCTETS", 300)
    owner = UserFactory()
    ids = [submitted(owner, attachments=[FILE]).id for _ in range(2)]
    plain = submitted(owner).id
    with SmtpPeer() as peer:
        configure(settings, {"relay": smtp(peer)})
        deliver()
        states = dict(Message.objects.values_list("id", "state"))
        assert states == {ids[0]: "sent", ids[1]: "pending", plain: "sent"}
        assert not Message.objects.filter(lease_token__isnull=False).exists()
        deliver()
    assert Message.objects.get(id=ids[1]).state == "sent"
    assert len(peer.taken) == Attachment.objects.count() + 1 == 3
