"""A message's body: behind a click, for those who may read it, in a frame that can do nothing."""

from uuid import uuid4

import pytest
from django.contrib.admin.models import LogEntry
from django.test import Client
from django.urls import reverse

from notifications.models import Attachment, Content, Message, User
from tests.admin.conftest import make_staff, signed_in
from tests.stories import accepted

PICTURE = b"\x89PNG"
HTML = (
    "<h1>Invoice</h1><script>alert(1)</script>"
    "<img src='cid:logo@shop'><img src='cid:elsewhere'><img src='cid:drawing'>"
)


def about(message: Message) -> str:
    """The page about the body."""
    return reverse("admin:notifications_message_content", args=[message.pk])


def body(message: Message, form: str = "text") -> str:
    """The frame with the body."""
    return f"{about(message)}{form}/"


@pytest.fixture
def plain(owner: User) -> Message:
    """A message of text alone."""
    return accepted(owner, "ada@example.org", text="<b>Dear Ada</b>, your invoice is ready.")


@pytest.fixture
def rich(owner: User) -> Message:
    """A message with HTML and pictures of its own."""
    message = accepted(owner, "ada@example.org")
    octets = 2 * len(PICTURE)
    Content.objects.filter(message=message).update(html=HTML, attached_octets=octets)
    for position, (type_, id_) in enumerate(
        (("image/png", "logo@shop"), ("image/svg+xml", "drawing"))
    ):
        Attachment.objects.create(
            message=message,
            position=position,
            name="picture",
            type=type_,
            content_id=id_,
            content=PICTURE,
        )
    return message


def test_the_page_about_a_body_shows_a_frame_and_says_nothing_of_the_body(
    support: Client, plain: Message
) -> None:
    page = " ".join(support.get(about(plain)).content.decode().split())
    assert 'sandbox title="The body" src="text/"></iframe>' in page
    assert "srcdoc" not in page
    assert "your invoice is ready" not in page
    assert not LogEntry.objects.exists()


def test_each_look_at_the_body_is_in_the_log_of_staff_s_actions(
    support: Client, plain: Message
) -> None:
    assert support.get(body(plain)).content.decode() == "<b>Dear Ada</b>, your invoice is ready."
    support.get(body(plain))
    entries = LogEntry.objects.filter(object_id=str(plain.id))
    assert [(entry.user.get_username(), entry.get_change_message()) for entry in entries] == [
        ("support", "Read the body."),
        ("support", "Read the body."),
    ]


def test_html_comes_first_and_the_text_is_one_click_away(support: Client, rich: Message) -> None:
    page = support.get(about(rich)).content.decode()
    assert 'src="html/"' in page
    assert 'href="?as=text"' in page
    page = support.get(about(rich), {"as": "text"}).content.decode()
    assert 'src="text/"' in page
    assert support.get(body(rich, "html")).headers["Content-Type"] == "text/html; charset=utf-8"
    assert support.get(body(rich, "text")).headers["Content-Type"] == "text/plain; charset=utf-8"


def test_a_message_of_text_alone_offers_no_html(support: Client, plain: Message) -> None:
    assert "?as=" not in support.get(about(plain)).content.decode()
    assert support.get(body(plain, "html")).status_code == 404
    assert not LogEntry.objects.exists()


@pytest.mark.parametrize("form", ["html", "text"])
def test_the_frame_may_do_nothing_and_only_the_admin_may_hold_it(
    support: Client, rich: Message, form: str
) -> None:
    headers = support.get(body(rich, form)).headers
    assert headers["Content-Security-Policy"] == (
        "default-src 'none'; style-src 'unsafe-inline'; img-src data:; sandbox; "
        "frame-ancestors 'self'"
    )
    assert headers["X-Frame-Options"] == "SAMEORIGIN"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert "no-store" in headers["Cache-Control"]


def test_pictures_that_came_with_the_message_are_shown_and_no_others(
    support: Client, rich: Message
) -> None:
    shown = support.get(body(rich, "html")).content.decode()
    assert "<img src='data:image/png;base64,iVBORw=='>" in shown
    assert "<img src='cid:elsewhere'><img src='cid:drawing'>" in shown


@pytest.mark.parametrize("permissions", [["view_message"], ["view_content"], []])
def test_the_body_needs_both_permissions(plain: Message, permissions: list[str]) -> None:
    nosy = signed_in(make_staff("nosy", permissions))
    for path in (about(plain), body(plain)):
        assert nosy.get(path).status_code == 403
    assert not LogEntry.objects.exists()


def test_a_stranger_is_asked_to_sign_in(client: Client, plain: Message) -> None:
    assert client.get(body(plain))["Location"].startswith("/admin/login/")


def test_a_body_that_was_dropped_is_said_to_be_gone(support: Client, plain: Message) -> None:
    Content.objects.all().delete()
    page = support.get(about(plain)).content.decode()
    assert "not kept any more" in page
    assert "<iframe" not in page
    assert support.get(body(plain)).status_code == 404


def test_the_body_of_no_message_is_nowhere(support: Client, viewer: Client) -> None:
    missing = Message(id=uuid4())
    for path in (about(missing), body(missing)):
        assert support.get(path).status_code == 404
        assert viewer.get(path).status_code == 403
