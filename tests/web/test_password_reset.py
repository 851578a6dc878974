"""A new password by a link that Limbo sends itself."""

import re
from datetime import timedelta
from typing import Any

import pytest
from django.core.checks import run_checks
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from django.utils.module_loading import import_string
from django_q.models import OrmQ
from pytest_django.asserts import (
    assertContains,
    assertNotContains,
    assertRedirects,
)

from notifications.intake.own_messages import own_account
from notifications.intake.tokens import authenticate, issue_token
from notifications.models import Content, Message, Priority, User
from notifications.models.user import OWN_NAME
from tests.admin.conftest import signed_in

NEW = "battery staple 9"


@pytest.fixture(autouse=True)
def _sender(settings: Any) -> None:
    settings.LIMBO_SENDER = "Limbo <limbo@example.com>"
    settings.LIMBO_BASE_URL = "https://mail.example.com"


@pytest.fixture
def ada(db: None) -> User:
    return User.objects.create_user("ada", "Ada@example.org", "correct horse")


def ask(client: Client, address: str) -> Any:
    return client.post("/password/", {"email": address})


def do_tasks() -> None:
    """What a worker does with what is queued."""
    for queued in OrmQ.objects.all():
        import_string(queued.task["func"])(*queued.task["args"])
        queued.delete()


def mailed_link() -> str:
    """The path of the only link that was mailed."""
    (link,) = re.findall(
        r"https://mail\.example\.com(/password/new/\S+)", Content.objects.get().text
    )
    return str(link)


def choose(client: Client, link: str) -> Any:
    """Follow the link and choose the new password."""
    answer = client.get(link)
    assert answer.status_code == 302, "the link has ended"
    return client.post(answer["Location"], {"password1": NEW, "password2": NEW}, follow=True)


def test_a_forgotten_password_is_replaced_by_a_mailed_link(client: Client, ada: User) -> None:
    assertContains(client.get("/sign-in/"), 'href="/password/"')
    assertRedirects(ask(client, "ada@EXAMPLE.org"), "/password/sent/")
    do_tasks()
    message = Message.objects.get()
    # to the address that is stored, not to the one that was typed
    assert message.deliveries.get().address == "Ada@example.org"
    assert message.sender == "Limbo <limbo@example.com>"
    assert message.priority == Priority.URGENT
    assert message.expires_at - timezone.now() < timedelta(hours=1)
    assertContains(choose(client, mailed_link()), "Your password is changed")
    ada.refresh_from_db()
    assert ada.check_password(NEW)
    assert "_auth_user_id" not in client.session


def test_a_link_works_once_and_for_an_hour(
    client: Client, ada: User, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    ask(client, "ada@example.org")
    do_tasks()
    link = mailed_link()
    late = timezone.now() + timedelta(hours=1, seconds=1)
    with monkeypatch.context() as clock:
        clock.setattr(
            "django.contrib.auth.tokens.PasswordResetTokenGenerator._now",
            lambda _: late.replace(tzinfo=None),
        )
        assertContains(client.get(link), "This link has ended")
    choose(client, link)
    assertContains(client.get(link), "This link has ended")


def test_a_link_ends_when_the_address_changes(client: Client, ada: User) -> None:
    ask(client, "ada@example.org")
    do_tasks()
    User.objects.filter(id=ada.id).update(email="ada@example.net")
    assertContains(client.get(mailed_link()), "This link has ended")


def test_an_unknown_address_is_answered_alike_and_takes_the_same_way(
    client: Client, ada: User
) -> None:
    ask(client, "somebody@example.org")  # from now on its client's limit is an UPDATE
    ways = []
    for address in ("ada@example.org", "nobody@example.org"):
        with CaptureQueriesContext(connection) as asked:
            answer = ask(client, address)
        shapes = [re.sub(r"'[^']*'|\d+", "?", query["sql"]) for query in asked]
        ways.append((answer.status_code, answer["Location"], shapes))
    assert len(ways[0][2]) > 10
    assert ways[0] == ways[1]


@pytest.mark.parametrize(
    "change", [{"is_active": False}, {"password": "!"}, {"email": ""}], ids=str
)
def test_no_link_goes_to_who_could_not_use_it(
    client: Client, ada: User, change: dict[str, Any]
) -> None:
    User.objects.filter(id=ada.id).update(**change)
    ask(client, "ada@example.org")
    ask(client, "nobody@example.org")
    do_tasks()
    assert not Message.objects.exists()


def test_one_address_is_not_flooded(client: Client, ada: User) -> None:
    for _ in range(5):
        assert ask(client, "ada@example.org").status_code == 302
    assert ask(client, "ada@example.org").status_code == 429
    assert ask(client, "nobody@example.org").status_code == 302


def test_the_link_does_not_depend_on_the_host_that_was_asked(
    client: Client, ada: User, settings: Any
) -> None:
    settings.ALLOWED_HOSTS = ["*"]
    client.post("/password/", {"email": "ada@example.org"}, headers={"Host": "evil.example"})
    do_tasks()
    assert "evil" not in Content.objects.get().text
    assert mailed_link()


def test_who_was_locked_out_comes_in_with_the_new_password(client: Client, ada: User) -> None:
    for _ in range(5):
        client.post("/sign-in/", {"login": "ada", "password": "wrong"})
    ask(client, "ada@example.org")
    do_tasks()
    choose(client, mailed_link())
    assertRedirects(client.post("/sign-in/", {"login": "ada", "password": NEW}), "/messages/")


def test_nobody_but_its_reader_reads_the_link(client: Client, ada: User) -> None:
    ask(client, "ada@example.org")
    do_tasks()
    message = Message.objects.get()
    assert message.owner.username == OWN_NAME
    root = signed_in(User.objects.create_superuser("root"))
    page = f"/admin/notifications/message/{message.pk}/"
    for part in ("content/", "content/text/", "content/html/"):
        assert root.get(f"{page}{part}").status_code == 403
    shown = root.get(f"{page}change/")
    assertNotContains(shown, mailed_link())
    assertNotContains(shown, f"{page}content/")
    assert signed_in(ada).get(f"/messages/{message.pk}/").status_code == 404


def test_nobody_takes_limbos_own_account_over(client: Client, db: None) -> None:
    account = own_account()
    root = signed_in(User.objects.create_superuser("root"))
    page = f"/admin/notifications/user/{account.pk}/"
    assert root.post(f"{page}change/", {"username": "mine", "is_active": "on"}).status_code == 403
    passwords = {"password1": NEW, "password2": NEW}
    assert root.post(f"{page}password/", passwords).status_code == 403
    _, plain = issue_token(owner=account, name="sly", scopes=["content"])
    assert authenticate(plain) is None


def test_without_a_sender_the_page_says_whom_to_ask(
    client: Client, ada: User, settings: Any
) -> None:
    settings.LIMBO_SENDER = ""
    assertContains(client.get("/password/"), "Ask those who run it")
    ask(client, "ada@example.org")
    assert not OrmQ.objects.exists()


def test_a_sender_that_cannot_be_read_stops_the_start(settings: Any) -> None:
    settings.LIMBO_SENDER = "limbo"
    assert "limbo.E040" in {fault.id for fault in run_checks(tags=["limbo"])}


def test_limits_for_all_do_not_stop_the_links(client: Client, ada: User, settings: Any) -> None:
    settings.LIMBO_MESSAGES_PER_DAY = 1
    for _ in range(3):
        ask(client, "ada@example.org")
    do_tasks()
    assert Message.objects.count() == 3
