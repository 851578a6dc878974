"""Every page of the admin × every role: the pages are those of the site itself."""

import pytest
from django.contrib import admin
from django.contrib.auth.models import AnonymousUser
from django.db import models, transaction
from django.test import Client, RequestFactory

from notifications.admin.roles import PERMISSIONS
from notifications.models import RoleKey, User
from tests.admin.conftest import make_member, make_staff
from tests.admin.pages import PAGES, address_of, make_rows
from tests.admin.permission_table import (
    ACTIONS,
    ANONYMOUS,
    ROLES,
    SIGN_IN,
    STAFF,
    SUPERUSER,
    TABLE,
    USER,
    Row,
)

pytestmark = pytest.mark.django_db


def person(role: str) -> User | AnonymousUser:
    """Somebody who has `role` and nothing more."""
    if role == ANONYMOUS:
        return AnonymousUser()
    if role == USER:
        return User.objects.create_user("user")
    if role == STAFF:
        return make_staff("new")
    if role == SUPERUSER:
        return User.objects.create_superuser("root")
    return make_member(RoleKey(role))


@pytest.fixture
def rows() -> dict[str, models.Model]:
    """One row for each screen."""
    return make_rows()


def answers(user: User | AnonymousUser, url: str) -> tuple[int | str, int | str]:
    """What `user` is answered at `url`: to a GET, and to an empty POST."""
    return _answer(user, "get", url), _answer(user, "post", url)


def _answer(user: User | AnonymousUser, method: str, url: str) -> int | str:
    with transaction.atomic():
        client = Client()
        if isinstance(user, User):
            client.force_login(user)
        answer = getattr(client, method)(url)
        transaction.set_rollback(True)
    is_sign_in = answer.status_code == 302 and "/login/" in answer["Location"]
    return SIGN_IN if is_sign_in else int(answer.status_code)


@pytest.mark.parametrize("page", PAGES)
def test_each_page_lets_in_whom_the_table_names_and_nobody_else(
    page: str, rows: dict[str, models.Model]
) -> None:
    assert page in TABLE, f"{page} is new: say in tests/admin/permission_table.py who may open it"
    url = address_of(page, rows)
    found = {role: answers(person(role), url) for role in ROLES}
    assert found == {role: TABLE[page].expected(role) for role in ROLES}


def test_the_table_has_no_row_for_a_page_that_is_gone() -> None:
    assert sorted(TABLE) == PAGES


@pytest.mark.parametrize("role", ROLES)
def test_each_list_offers_the_actions_that_the_table_names(role: str) -> None:
    request = RequestFactory().get("/admin/")
    request.user = person(role)
    for model, model_admin in admin.site._registry.items():
        name = f"{model._meta.app_label}_{model._meta.model_name}"
        first = ACTIONS.get(name, {})
        offered = set(model_admin.get_actions(request))
        may = {action for action, who in first.items() if ROLES.index(role) >= ROLES.index(who)}
        assert offered == may, name


def test_each_role_may_what_the_one_before_it_may_and_more() -> None:
    viewer, support, operator = (PERMISSIONS[key] for key in RoleKey)
    assert viewer < support < operator


def test_a_row_tells_a_refusal_from_a_sign_in() -> None:
    row = Row(get="viewer", post="operator")
    assert row.expected(USER) == (SIGN_IN, SIGN_IN)
    assert row.expected("support") == (200, 403)
