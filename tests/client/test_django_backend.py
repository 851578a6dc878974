"""A Django project's mail, through Limbo, to the inbox."""

from datetime import UTC, datetime, timedelta
from email.message import EmailMessage as Received
from email.mime.image import MIMEImage
from email.mime.text import MIMEText
from pathlib import Path
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.core.mail import (
    EmailMessage,
    EmailMultiAlternatives,
    get_connection,
    send_mail,
    send_mass_mail,
)
from django.utils.translation import gettext_lazy
from pytest_django import Settings

from limbo_client import InvalidRequestError, LimboError, UnsupportedError
from notifications.intake.tokens import issue_token
from notifications.models import Content, Message, Priority
from tests.conftest import wait_until
from tests.e2e.system import System
from tests.factories import UserFactory
from tests.peers.smtp_peer import SmtpPeer

BACKEND = "limbo_client.django.EmailBackend"


@pytest.fixture(autouse=True)
def project(settings: Settings, url: str, token: str) -> Settings:
    """A project that has changed its settings."""
    settings.EMAIL_BACKEND = BACKEND
    settings.LIMBO_URL = url
    settings.LIMBO_TOKEN = token
    settings.DEFAULT_FROM_EMAIL = "Shop <shop@example.com>"
    return settings


def a_message(**fields: Any) -> EmailMultiAlternatives:
    """A message as a project makes one."""
    return EmailMultiAlternatives(
        **{"subject": "Hi", "body": "Hello.", "to": ["a@example.org"], **fields}
    )


def test_all_that_a_message_has_comes_to_the_inbox(tmp_path: Path, settings: Settings) -> None:
    with SmtpPeer() as peer, System(tmp_path, f"first=smtp://127.0.0.1:{peer.port}") as system:
        system.start_web()
        system.start_worker()
        settings.LIMBO_URL = f"http://127.0.0.1:{system.port}"
        settings.LIMBO_TOKEN = issue_token(owner=UserFactory(), name="shop")[1]
        image = MIMEImage(b"\x89PNG", "png")
        image.add_header("Content-ID", "<logo@shop>")
        image.add_header("Content-Disposition", "inline", filename="logo.png")
        message = a_message(
            subject="Grüße",
            to=["Ada <ada@example.org>"],
            cc=["cc@example.org"],
            bcc=["hidden@example.org"],
            reply_to=["Help <help@example.com>"],
            headers={"X-Order": "42"},
            attachments=[
                ("bill.pdf", b"%PDF", "application/pdf"),
                ("list.csv", "ä;ö\n", "text/csv"),
            ],
        )
        message.attach_alternative('<p>Hello. <img src="cid:logo@shop"></p>', "text/html")
        message.attach(image)
        assert message.send() == 1
        wait_until(lambda: len(peer.taken) == 1, seconds=60)
        envelope = peer.taken[0]

    told = envelope.message
    assert set(envelope.recipients) == {"ada@example.org", "cc@example.org", "hidden@example.org"}
    assert (told["From"], told["Subject"]) == ("Shop <shop@example.com>", "Grüße")
    assert (told["To"], told["Cc"], told["Bcc"]) == (
        "Ada <ada@example.org>",
        "cc@example.org",
        None,
    )
    assert (told["Reply-To"], told["X-Order"]) == ("Help <help@example.com>", "42")
    parts = {part.get_content_type(): part for part in told.walk()}
    assert body_of(parts["text/plain"]).strip() == "Hello."
    assert "cid:logo@shop" in body_of(parts["text/html"])
    assert parts["application/pdf"].get_payload(decode=True) == b"%PDF"
    assert parts["application/pdf"].get_filename() == "bill.pdf"
    assert body_of(parts["text/csv"]) == "ä;ö\n"
    assert parts["image/png"]["Content-ID"] == "<logo@shop>"
    assert parts["image/png"].get_content_disposition() == "inline"


def body_of(part: Received) -> str:
    """A part's text, with plain line ends."""
    return str(part.get_content()).replace("\r\n", "\n")


def test_send_mail_and_its_like_say_how_many_were_stored() -> None:
    assert send_mail("Hi", "Hello.", None, ["a@example.org"], html_message="<p>Hello.</p>") == 1
    one = ("Hi", "Hello.", "shop@example.com", ["a@example.org"])
    assert send_mass_mail([one, one, ("Nobody", "Hello.", None, [])]) == 2
    assert Message.objects.count() == 3


def test_a_message_tells_what_limbo_answered() -> None:
    message = a_message()
    message.send()
    assert message.limbo.id == str(Message.objects.get().id)  # type: ignore[attr-defined]


def test_html_alone_has_its_text_made() -> None:
    message = EmailMessage("Hi", "<p>Hello <b>Ada</b>.</p>", to=["a@example.org"])
    message.content_subtype = "html"
    message.send()
    content = Content.objects.get()
    assert (content.text, content.html) == ("Hello Ada.", "<p>Hello <b>Ada</b>.</p>")


def test_anymail_s_attributes_are_kept() -> None:
    tomorrow = datetime.now(UTC) + timedelta(days=1)
    message = a_message()
    message.tags = ["welcome"]  # type: ignore[attr-defined]
    message.metadata = {"order": 42}  # type: ignore[attr-defined]
    message.send_at = tomorrow  # type: ignore[attr-defined]
    message.esp_extra = {"priority": "urgent", "failover": False, "provider": "first"}  # type: ignore[attr-defined]
    message.send()
    stored = Message.objects.get()
    assert (stored.tags, stored.metadata) == (["welcome"], {"order": "42"})
    assert (stored.state, stored.due_at) == ("scheduled", tomorrow)
    assert stored.priority == Priority.URGENT


def test_reply_to_may_be_a_header_and_texts_may_be_lazy() -> None:
    message = a_message(subject=gettext_lazy("Password"), headers={"reply-to": "help@example.com"})
    message.send()
    assert str(Message.objects.get().subject) == "Password"


@pytest.mark.parametrize(
    ("attribute", "value"),
    [
        ("envelope_sender", "bounce@example.com"),
        ("merge_data", {"a@example.org": {"name": "Ada"}}),
        ("track_opens", True),
        ("esp_extra", {"colour": "red"}),
    ],
)
def test_what_limbo_has_nothing_for_is_refused_by_name(attribute: str, value: object) -> None:
    message = a_message()
    setattr(message, attribute, value)
    with pytest.raises(UnsupportedError, match=attribute):
        message.send()
    assert not Message.objects.exists()


@pytest.mark.parametrize(
    ("alternatives", "told"),
    [
        ([("BEGIN:VCALENDAR", "text/calendar")], "text/calendar"),
        ([("<p>a</p>", "text/html"), ("<p>b</p>", "text/html")], "one body of the type text/html"),
        ([("Another text.", "text/plain")], "one body of the type text/plain"),
    ],
)
def test_an_alternative_that_would_be_lost_is_refused(
    alternatives: list[tuple[str, str]], told: str
) -> None:
    with pytest.raises(UnsupportedError, match=told):
        a_message(alternatives=alternatives).send()
    assert not Message.objects.exists()


def test_a_message_within_a_message_is_refused() -> None:
    forwarded = a_message()
    forwarded.attach("mail.eml", a_message(), "message/rfc822")
    with pytest.raises(LimboError, match="no message as an attachment"):
        forwarded.send()


def test_files_without_names_get_some() -> None:
    message = a_message()
    message.attach(None, b"%PDF", "application/pdf")
    message.attach(MIMEText("grün", "plain", "latin-1"))
    message.send()
    files = Message.objects.get().attachments.order_by("position")
    assert [(file.name, file.type) for file in files] == [
        ("attachment-1.pdf", "application/pdf"),
        ("attachment-2.txt", "text/plain; charset=iso-8859-1"),
    ]


@pytest.mark.parametrize("name", ["From", "To", "Message-ID", "Date"])
def test_a_header_that_is_limbo_s_is_refused_by_name(name: str) -> None:
    with pytest.raises(InvalidRequestError, match=name):
        a_message(headers={name: "x@example.com"}).send()


def test_a_line_break_in_a_subject_is_refused() -> None:
    with pytest.raises(InvalidRequestError):
        a_message(subject="Hi\nBcc: all@example.org").send()
    assert not Message.objects.exists()


def test_what_fails_silently_is_not_counted() -> None:
    good, bad = a_message(), a_message(subject="a\nb")
    unsupported = a_message(alternatives=[("x", "text/calendar")])
    connection = get_connection(fail_silently=True)
    assert connection.send_messages([bad, good, unsupported, good]) == 2
    assert Message.objects.count() == 2


def test_a_connection_that_is_open_stays_open() -> None:
    with get_connection() as connection:
        assert connection.open() is False
        assert connection.send_messages([a_message()]) == 1
        assert connection.open() is False
    assert connection.open() is True
    connection.close()


def test_nobody_to_send_to_needs_no_limbo(settings: Settings) -> None:
    settings.LIMBO_URL = None
    assert get_connection().send_messages([a_message(to=[])]) == 0


@pytest.mark.parametrize("name", ["LIMBO_URL", "LIMBO_TOKEN"])
def test_a_project_that_has_not_said_where_limbo_is_is_told_so(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.delenv(name, raising=False)
    setattr(settings, name, "")
    with pytest.raises(ImproperlyConfigured, match=name):
        a_message().send()


def test_a_connection_may_be_another_user_s() -> None:
    other = issue_token(owner=UserFactory(username="other"), name="other")[1]
    connection = get_connection(BACKEND, token=other)
    EmailMessage("Hi", "Hello.", to=["a@example.org"], connection=connection).send()
    assert Message.objects.get().owner.username == "other"
