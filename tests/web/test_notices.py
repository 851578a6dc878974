"""The mail that tells people what was changed about how they sign in."""

from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from django.test import Client
from django.urls import reverse
from django_q.models import OrmQ

from notifications.models import Content, Delivery, Message, User
from tests.admin.test_roles import change_url, user_form
from tests.web.test_password_reset import NEW, do_tasks
from tests.web.test_second_factor import PASSWORD, set_up_app, sign_in

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def ada(settings: Any) -> User:
    settings.LIMBO_SENDER = "Limbo <limbo@example.com>"
    return User.objects.create_user("ada", "ada@example.org", PASSWORD)


def change_password(client: Client) -> None:
    form = {"oldpassword": PASSWORD, "password1": NEW, "password2": NEW}
    assert client.post("/account/password/", form).status_code == 302


def subjects() -> list[str]:
    """Of what was mailed, the oldest first."""
    return list(Message.objects.order_by("id").values_list("subject", flat=True))


def test_a_changed_password_is_told_with_when_and_from_where(client: Client, ada: User) -> None:
    sign_in(client, "ada")
    change_password(client)
    do_tasks()
    assert subjects() == ["Your password was changed at Limbo"]
    assert Message.objects.get().deliveries.get().address == "ada@example.org"
    text = Content.objects.get().text
    assert "From: 127.0.0.1" in text
    assert " UTC" in text


def test_second_factors_that_come_and_go_are_told(client: Client, ada: User) -> None:
    sign_in(client, "ada")
    set_up_app(client)
    client.post("/account/recovery-codes/new/")
    client.post("/account/app/remove/")
    do_tasks()
    assert subjects() == [
        "An authenticator app was set up at Limbo",
        "You have new recovery codes at Limbo",
        "Your authenticator app was removed at Limbo",
    ]


def factor(user: User, kind: str) -> Authenticator:
    """One of the user's, made up."""
    return Authenticator.objects.create(user=user, type=kind, data={"name": "Key"})


def test_a_second_factor_that_staff_remove_is_told_once_with_all_that_went(ada: User) -> None:
    bob = User.objects.create_user("bob", "bob@example.org")
    lost = [factor(ada, "totp"), factor(ada, "webauthn"), factor(bob, "totp")]
    factor(ada, "recovery_codes")
    operator = Client()
    operator.force_login(User.objects.create_superuser("root"))
    chosen = {"action": "delete_selected", "_selected_action": [one.pk for one in lost]}
    operator.post("/admin/mfa/authenticator/", {**chosen, "post": "yes", "why": "lost"})
    do_tasks()
    assert subjects() == ["Your authenticator app was removed at Limbo"] * 2
    texts = {
        delivery.address: Content.objects.get(message=delivery.message).text
        for delivery in Delivery.objects.all()
    }
    assert set(texts) == {"ada@example.org", "bob@example.org"}
    assert "- A passkey was removed\n- Your recovery codes were removed\n" in texts[ada.email]
    assert "passkey" not in texts[bob.email]
    assert " UTC" in texts[bob.email]


def test_a_password_or_an_address_that_staff_give_is_told_where_the_user_was_reached(
    ada: User,
) -> None:
    operator = Client()
    operator.force_login(User.objects.create_superuser("root"))
    form = {"password1": NEW, "password2": NEW, "usable_password": "true"}
    operator.post(reverse("admin:auth_user_password_change", args=[ada.pk]), form)
    other = {"email": "mallory@example.org"}
    operator.post(change_url(ada), user_form(ada, **other))
    operator.post(change_url(ada), user_form(ada, **other, first_name="Ada"))
    assert User.objects.get(pk=ada.pk).first_name == "Ada"
    do_tasks()
    assert subjects() == ["Your password was changed at Limbo", "Your address was changed at Limbo"]
    told = Delivery.objects.values_list("address", flat=True)
    assert set(told) == {"ada@example.org"}


@pytest.mark.parametrize("lacks", ["address", "sender"])
def test_without_them_nothing_is_told_of_a_removed_factor_either(
    ada: User, settings: Any, lacks: str
) -> None:
    if lacks == "address":
        User.objects.update(email="")
    else:
        settings.LIMBO_SENDER = ""
    lost = factor(ada, "totp")
    operator = Client()
    operator.force_login(User.objects.create_superuser("root"))
    operator.post(f"/admin/mfa/authenticator/{lost.pk}/delete/", {"post": "yes", "why": "lost"})
    assert not Authenticator.objects.exists()
    assert not OrmQ.objects.exists()


@pytest.mark.parametrize("lacks", ["address", "sender"])
def test_without_an_address_or_a_sender_nothing_is_told(
    client: Client, ada: User, settings: Any, lacks: str
) -> None:
    if lacks == "address":
        User.objects.update(email="")
    else:
        settings.LIMBO_SENDER = ""
    sign_in(client, "ada")
    change_password(client)
    assert not OrmQ.objects.exists()
    assert User.objects.get().check_password(NEW)
