"""Setting up a second factor, signing in with it, and the admin that asks for it."""

import re
import time
from typing import Any

import pytest
from allauth.account.internal.flows.login import AUTHENTICATION_METHODS_SESSION_KEY
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value
from django.core.cache import cache
from django.test import Client
from pytest_django.asserts import assertContains, assertNotContains, assertRedirects

from notifications.models import RoleKey, User
from tests.admin.conftest import make_member

PASSWORD = "correct horse"
ADMIN = "/admin/"


@pytest.fixture(autouse=True)
def _attempts_forgotten(transactional_db: None) -> None:
    """A database that commits, since proof is noted at the commit; its cache is emptied here."""
    cache.clear()


@pytest.fixture
def ada(db: None) -> User:
    return User.objects.create_user("ada", password=PASSWORD)


@pytest.fixture
def root(db: None, settings: Any) -> User:
    """A member of staff of a Limbo that asks staff for a second factor."""
    settings.LIMBO_STAFF_SECOND_FACTOR = True
    return User.objects.create_superuser("root", password=PASSWORD)


def code_of(secret: str, *, later: int = 0) -> str:
    """What the app shows now, or some codes later."""
    return str(format_hotp_value(hotp_value(secret, int(time.time()) // 30 + later)))


def wrong(secret: str) -> str:
    """A code that the app will not show for a while."""
    near = {code_of(secret, later=later) for later in range(-2, 3)}
    return next(code for code in map("{:06}".format, range(6)) if code not in near)


def sign_in(client: Client, name: str, **extra: str) -> Any:
    form = {"login": name, "password": PASSWORD, **extra}
    return client.post("/sign-in/", form)


def set_up_app(client: Client) -> tuple[str, list[str]]:
    """Set up an app as a person does; returns its secret and the recovery codes."""
    page = client.get("/account/app/").content.decode()
    (secret,) = re.findall(r'id="key">([A-Z2-7]{32})<', page)
    answer = client.post("/account/app/", {"code": code_of(secret, later=-1)})
    if answer.status_code == 200:
        # the half minute ended in between
        answer = client.post("/account/app/", {"code": code_of(secret, later=-1)})
    assertRedirects(answer, "/account/recovery-codes/")
    page = client.get("/account/recovery-codes/").content.decode()
    return secret, re.findall(r"<li>(\d{8})</li>", page)


def test_after_the_set_up_the_password_alone_signs_nobody_in(client: Client, ada: User) -> None:
    sign_in(client, "ada")
    secret, _ = set_up_app(client)
    client.post("/sign-out/")
    assertRedirects(sign_in(client, "ada", next="/tokens/"), "/sign-in/code/")
    assert "_auth_user_id" not in client.session
    answer = client.post("/sign-in/code/", {"code": code_of(secret)})
    assertRedirects(answer, "/tokens/")


def test_a_code_of_the_app_works_once(client: Client, ada: User) -> None:
    sign_in(client, "ada")
    secret, _ = set_up_app(client)
    code = code_of(secret)
    for browser in (client, Client()):
        browser.post("/sign-out/")
        sign_in(browser, "ada")
        answer = browser.post("/sign-in/code/", {"code": code})
    assertContains(answer, "This code is wrong, or was used before.")


def test_a_code_that_is_still_valid_half_a_minute_later_is_not_taken_again(
    client: Client, ada: User
) -> None:
    sign_in(client, "ada")
    secret, _ = set_up_app(client)
    code = code_of(secret, later=1)
    for browser in (client, Client()):
        browser.post("/sign-out/")
        sign_in(browser, "ada")
        answer = browser.post("/sign-in/code/", {"code": f" {code[:3]} {code[3:]} "})
        # as allauth does then
        cache.delete(f"allauth.mfa.totp.used?user={ada.pk}&code={code}")
    assertContains(answer, "This code is wrong, or was used before.")


def test_a_recovery_code_works_once(client: Client, ada: User) -> None:
    sign_in(client, "ada")
    _, codes = set_up_app(client)
    assert len(set(codes)) == 10
    client.post("/sign-out/")
    sign_in(client, "ada")
    assertRedirects(client.post("/sign-in/code/", {"code": codes[3]}), "/messages/")
    again = Client()
    sign_in(again, "ada")
    answer = again.post("/sign-in/code/", {"code": codes[3]})
    assertContains(answer, "This code is wrong, or was used before.")
    assertNotContains(client.get("/account/recovery-codes/"), codes[3])
    assertContains(client.get("/account/"), "You have 9 left")


def test_five_wrong_codes_lock_out_and_say_so(client: Client, ada: User) -> None:
    sign_in(client, "ada")
    secret, codes = set_up_app(client)
    client.post("/sign-out/")
    sign_in(client, "ada")
    for _ in range(4):
        answer = client.post("/sign-in/code/", {"code": wrong(secret)})
        assertContains(answer, "This code is wrong, or was used before.")
    answer = client.post("/sign-in/code/", {"code": wrong(secret)})
    assertContains(answer, "Too many wrong passwords or codes.")
    for code in (code_of(secret), codes[0]):
        answer = client.post("/sign-in/code/", {"code": code})
        assertContains(answer, "Too many wrong passwords or codes.")
    assertContains(sign_in(Client(), "ada"), "Too many wrong passwords or codes.")
    assert "_auth_user_id" not in client.session


def test_wrong_passwords_and_wrong_codes_count_together(client: Client, ada: User) -> None:
    sign_in(client, "ada")
    secret, _ = set_up_app(client)
    stranger = Client()
    for _ in range(3):
        stranger.post("/sign-in/", {"login": "ada", "password": "wrong"})
    sign_in(stranger, "ada")
    stranger.post("/sign-in/code/", {"code": wrong(secret)})
    answer = stranger.post("/sign-in/code/", {"code": wrong(secret)})
    assertContains(answer, "Too many wrong passwords or codes.")


def test_the_secrets_are_sealed_in_the_database(client: Client, ada: User) -> None:
    sign_in(client, "ada")
    secret, _ = set_up_app(client)
    for factor in Authenticator.objects.all():
        sealed = factor.data.get("secret") or factor.data["seed"]
        assert sealed.startswith("gAAAA")
        assert secret not in str(factor.data)


def test_a_secret_that_no_key_opens_lets_nobody_in(
    client: Client, ada: User, settings: Any
) -> None:
    sign_in(client, "ada")
    secret, codes = set_up_app(client)
    settings.SECRET_KEY = "another" * 10
    stranger = Client()
    sign_in(stranger, "ada")
    for code in (code_of(secret), codes[0]):
        answer = stranger.post("/sign-in/code/", {"code": code})
        assertContains(answer, "This code is wrong, or was used before.")


def test_staff_without_a_second_factor_are_led_to_set_one_up(client: Client, root: User) -> None:
    answer = client.post("/sign-in/", {"login": "root", "password": PASSWORD, "next": ADMIN})
    assertRedirects(answer, ADMIN, fetch_redirect_response=False)
    answer = client.get(ADMIN, follow=True)
    assert answer.redirect_chain[-1][0] == "/account/"
    assertContains(answer, "The admin opens to staff with a second factor.")
    set_up_app(client)
    assert client.get(ADMIN).status_code == 200


@pytest.mark.parametrize("path", [ADMIN, "/admin/notifications/message/", "/admin/search/?s=x"])
def test_no_page_of_the_admin_opens_without_it(client: Client, root: User, path: str) -> None:
    sign_in(client, "root")
    assert client.get(path).status_code == 302
    client.force_login(root)
    assert client.get(path).status_code == 302


def test_the_admins_own_form_does_not_go_round_it(client: Client, root: User) -> None:
    sign_in(client, "root")
    set_up_app(client)
    stranger = Client()
    form = {"username": "root", "password": PASSWORD, "next": ADMIN}
    assert stranger.post("/admin/login/", form)["Location"].startswith("/sign-in/")
    assert "_auth_user_id" not in stranger.session
    # nor for whoever has signed in without it
    stranger.force_login(root)
    stranger.post("/admin/login/", form)
    assert stranger.get(ADMIN).status_code == 302


def test_a_session_from_before_the_set_up_must_prove_it_too(client: Client, root: User) -> None:
    old = Client()
    sign_in(old, "root")
    sign_in(client, "root")
    secret, _ = set_up_app(client)
    answer = old.get(ADMIN, follow=True)
    assert answer.redirect_chain[-1][0] == "/account/confirm/code/?next=%2Fadmin%2F"
    # the password would not do, to add another factor neither
    assertRedirects(old.get("/account/confirm/"), "/account/confirm/code/")
    assert old.get("/account/passkeys/add/")["Location"].startswith("/account/confirm/code/")
    answer = old.post("/account/confirm/code/", {"code": code_of(secret), "next": ADMIN})
    assertRedirects(answer, ADMIN)


def test_without_its_second_factor_the_admin_closes_again(client: Client, root: User) -> None:
    sign_in(client, "root")
    set_up_app(client)
    assertRedirects(client.post("/account/app/remove/"), "/account/")
    assert not Authenticator.objects.exists()
    assert client.get(ADMIN).status_code == 302


def test_users_need_no_second_factor(client: Client, ada: User, root: User) -> None:
    assertRedirects(sign_in(client, "ada"), "/messages/")


def test_what_matters_asks_again_after_a_while(client: Client, ada: User) -> None:
    sign_in(client, "ada")
    assert client.get("/account/app/").status_code == 200
    session = client.session
    records = session[AUTHENTICATION_METHODS_SESSION_KEY]
    session[AUTHENTICATION_METHODS_SESSION_KEY] = [{**records[0], "at": time.time() - 301}]
    session.save()
    answer = client.get("/account/app/")
    assertRedirects(answer, "/account/confirm/?next=%2Faccount%2Fapp%2F")
    answer = client.post("/account/confirm/", {"password": "wrong", "next": "/account/app/"})
    assertContains(answer, "This is not your password.")
    answer = client.post("/account/confirm/", {"password": PASSWORD, "next": "/account/app/"})
    assertRedirects(answer, "/account/app/")


def test_staff_take_a_lost_factor_away_with_its_recovery_codes(
    client: Client, root: User, ada: User
) -> None:
    user = Client()
    sign_in(user, "ada")
    set_up_app(user)
    sign_in(client, "root")
    set_up_app(client)
    lost = Authenticator.objects.get(user=ada, type=Authenticator.Type.TOTP)
    page = f"/admin/mfa/authenticator/{lost.pk}/"
    assertNotContains(client.get(f"{page}change/"), lost.data["secret"])
    client.post(f"{page}delete/", {"post": "yes", "why": "lost"})
    assert set(Authenticator.objects.values_list("user__username", flat=True)) == {"root"}
    user.post("/sign-out/")
    assertRedirects(sign_in(user, "ada"), "/messages/")


def test_only_superusers_take_a_factor_of_staff_away(root: User, ada: User, settings: Any) -> None:
    settings.LIMBO_STAFF_SECOND_FACTOR = False
    of_staff = Authenticator.objects.create(user=root, type=Authenticator.Type.TOTP, data={})
    of_user = Authenticator.objects.create(user=ada, type=Authenticator.Type.TOTP, data={})
    operator = Client()
    operator.force_login(make_member(RoleKey.OPERATOR))
    screen = "/admin/mfa/authenticator/"
    why = {"post": "yes", "why": "lost"}
    assert operator.post(f"{screen}{of_staff.pk}/delete/", why).status_code == 403
    both = {"action": "delete_selected", "_selected_action": [of_staff.pk, of_user.pk]}
    operator.post(screen, {**both, **why})
    assert Authenticator.objects.count() == 2
    operator.post(f"{screen}{of_user.pk}/delete/", why)
    assert set(Authenticator.objects.all()) == {of_staff}


@pytest.mark.parametrize(
    "path", ["", "password/", "confirm/", "app/", "passkeys/", "passkeys/add/"]
)
def test_strangers_see_no_page_of_an_account_and_nothing_keeps_one(
    client: Client, ada: User, path: str
) -> None:
    page = f"/account/{path}"
    assertRedirects(client.get(page), f"/sign-in/?next={page}")
    sign_in(client, "ada")
    assert "no-store" in client.get(page).headers["Cache-Control"]


def test_a_new_password_signs_the_other_browsers_out(client: Client, ada: User) -> None:
    other = Client()
    sign_in(other, "ada")
    sign_in(client, "ada")
    new = {"password1": "battery staple 9", "password2": "battery staple 9"}
    answer = client.post("/account/password/", {"oldpassword": PASSWORD, **new}, follow=True)
    assertContains(answer, "Your password is changed.")
    assert client.get("/messages/").status_code == 200
    assert other.get("/messages/").status_code == 302


def test_an_account_without_a_password_is_offered_no_change_of_it(
    client: Client, ada: User
) -> None:
    User.objects.update(password="!")
    client.force_login(User.objects.get())
    assertNotContains(client.get("/account/"), "/account/password/")
    assert client.get("/account/password/").status_code == 403
