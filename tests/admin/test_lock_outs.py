"""Users who are locked out after wrong passwords or codes: staff see it, and let them in."""

from datetime import timedelta
from typing import Any

import pytest
from axes.models import AccessAttempt
from django.contrib.admin.models import LogEntry
from django.core.cache import cache
from django.test import Client
from django.utils import timezone
from pytest_django.asserts import assertContains, assertNotContains, assertRedirects

from notifications.models import User
from tests.admin.conftest import make_staff

PASSWORD = "correct horse"

WHY = {"post": "yes", "why": "rang, and was known"}


@pytest.fixture(autouse=True)
def _forgotten(db: None) -> None:
    """Count nobody's wrong tries from one test to the next: the table is no model's."""
    cache.clear()


@pytest.fixture
def ada() -> User:
    return User.objects.create_user("ada", password=PASSWORD)


def page_of(user: User, name: str = "change") -> str:
    """Where staff see the user."""
    return f"/admin/notifications/user/{user.pk}/{name}/"


def try_to_sign_in(password: str, *, where: str, browser: str = "one") -> Any:
    """Sign in as Ada in a new browser."""
    form = {"login": "ada", "password": password}
    agent = {"User-Agent": browser}
    return Client().post("/sign-in/", form, REMOTE_ADDR=where, headers=agent)


def lock_out(*, where: str = "192.0.2.7") -> None:
    """Give as many wrong passwords as lock out from there."""
    for _ in range(5):
        try_to_sign_in("wrong", where=where)


def lock_out_everywhere() -> None:
    """Give as many wrong passwords as lock out from everywhere."""
    for number in range(20):
        try_to_sign_in("wrong", where=f"192.0.2.{number // 4}")


def is_let_in(*, where: str = "192.0.2.7") -> bool:
    """Whether the right password is good enough."""
    return bool(try_to_sign_in(PASSWORD, where=where).status_code == 302)


def test_a_users_page_says_from_where_and_until_when(viewed: Client, ada: User) -> None:
    assertNotContains(viewed.get(page_of(ada)), "Locked out")
    lock_out()
    ends = AccessAttempt.objects.get().attempt_time + timedelta(minutes=15)
    page = " ".join(viewed.get(page_of(ada)).content.decode().split())
    assert "Locked out" in page
    assert "<li>from 192.0.2.7, until <time" in page
    assert f"{ends:%H:%M:%S} UTC" in page


@pytest.fixture
def viewed(support: Client) -> Client:
    """Staff who may see users, and no more."""
    return support


def test_four_wrong_tries_or_old_ones_lock_nobody_out(viewed: Client, ada: User) -> None:
    for _ in range(4):
        try_to_sign_in("wrong", where="192.0.2.7")
    assertNotContains(viewed.get(page_of(ada)), "Locked out")
    try_to_sign_in("wrong", where="192.0.2.7")
    AccessAttempt.objects.update(attempt_time=timezone.now() - timedelta(minutes=15, seconds=1))
    assertNotContains(viewed.get(page_of(ada)), "Locked out")
    assert is_let_in()


def test_the_tries_of_several_browsers_at_one_address_count_together(
    viewed: Client, ada: User
) -> None:
    for number in range(5):
        try_to_sign_in("wrong", where="192.0.2.7", browser=f"browser {number}")
    first = AccessAttempt.objects.get(user_agent="browser 0")
    AccessAttempt.objects.filter(pk=first.pk).update(
        attempt_time=first.attempt_time - timedelta(minutes=5)
    )
    # until the first one no longer counts
    ends = first.attempt_time + timedelta(minutes=10)
    assertContains(viewed.get(page_of(ada)), f"{ends:%H:%M:%S} UTC")


@pytest.mark.parametrize("lock", [lock_out, lock_out_everywhere])
def test_an_operator_lets_somebody_in_with_a_reason(operator: Client, ada: User, lock: Any) -> None:
    lock()
    assert not is_let_in()
    assertContains(operator.get(page_of(ada)), page_of(ada, "let-in"))
    assertContains(operator.get(page_of(ada, "let-in")), "Why?")
    operator.post(page_of(ada, "let-in"), {"post": "yes", "why": ""})
    assert not is_let_in()
    answer = operator.post(page_of(ada, "let-in"), WHY, follow=True)
    assertRedirects(answer, page_of(ada))
    assertContains(answer, "ada can sign in again.")
    assertNotContains(answer, "Locked out")
    assert is_let_in()
    entry = LogEntry.objects.get()
    assert entry.get_change_message() == "Let in again. Reason: rang, and was known"
    assert (entry.user.get_username(), entry.object_id) == ("operator", str(ada.pk))


def test_who_is_locked_out_from_everywhere_is_said_to_be(viewed: Client, ada: User) -> None:
    lock_out_everywhere()
    assertContains(viewed.get(page_of(ada)), "from everywhere")


def test_it_is_the_same_whichever_of_limbos_hosts_is_asked(
    viewed: Client, ada: User, settings: Any
) -> None:
    settings.ALLOWED_HOSTS = ["testserver", "mail.example.com"]
    lock_out_everywhere()
    page = viewed.get(page_of(ada), headers={"Host": "mail.example.com"})
    assertContains(page, "from everywhere")


def test_who_is_not_locked_out_is_not_let_in_either(operator: Client, ada: User) -> None:
    answer = operator.post(page_of(ada, "let-in"), WHY, follow=True)
    assertContains(answer, "ada is not locked out.")
    assert not LogEntry.objects.exists()


def test_staff_who_may_not_change_users_let_nobody_in(viewed: Client, ada: User) -> None:
    lock_out()
    assertNotContains(viewed.get(page_of(ada)), page_of(ada, "let-in"))
    assert viewed.post(page_of(ada, "let-in"), WHY).status_code == 403
    assert not is_let_in()


def test_staff_are_let_in_by_superusers_alone(operator: Client, superuser: Client) -> None:
    staff = make_staff("ada")
    staff.set_password(PASSWORD)
    staff.save()
    lock_out()
    assert operator.post(page_of(staff, "let-in"), WHY).status_code == 403
    superuser.post(page_of(staff, "let-in"), WHY)
    assert is_let_in()
