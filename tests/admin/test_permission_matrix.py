"""Every page of the admin × every role: the pages are those of the site itself."""

import re
from collections.abc import Iterator, Sequence

import pytest
from allauth.mfa.models import Authenticator
from django.contrib import admin
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import AnonymousUser, Group
from django.db import models, transaction
from django.test import Client, RequestFactory
from django.urls import URLPattern, URLResolver, reverse
from django.utils import timezone
from django_q.models import Failure, Schedule

from notifications.admin.roles import PERMISSIONS
from notifications.models import BulkAction, RoleKey, User, WebhookDelivery
from notifications.webhooks.endpoints import create_endpoint
from tests.admin.conftest import make_member, make_staff
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
from tests.factories import (
    ApiTokenFactory,
    ProviderFactory,
    RequestLogFactory,
    SuppressionFactory,
    make_message,
)

pytestmark = pytest.mark.django_db

_NO_PAGE = re.compile(r"\(\?P<url>\.\*\)\$|[a-z_]+/[a-z_]+/<path:object_id>/")
"""What catches every other address, and a former address of a page, which only leads on to it."""


def _pages(patterns: Sequence[URLPattern | URLResolver], prefix: str = "") -> Iterator[str]:
    for pattern in patterns:
        route = prefix + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            yield from _pages(pattern.url_patterns, route)
        elif pattern.name or not _NO_PAGE.fullmatch(route):
            yield pattern.name or route


EVERYBODYS = {"login", "logout"}
"""To sign in and out, and not of this table."""

PAGES = sorted(set(_pages(admin.site.urls[0])) - EVERYBODYS)


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
    """One row for each screen, by the name its addresses begin with."""
    message = make_message()
    endpoint, _ = create_endpoint(owner=message.owner, url="https://example.com/hook", kinds=[])
    times = {"started": timezone.now(), "stopped": timezone.now()}
    made: list[models.Model] = [
        message,
        endpoint,
        WebhookDelivery.objects.create(endpoint=endpoint, event_id=1),
        BulkAction.objects.create(by=message.owner, choice="requeue", whose="of all users"),
        ProviderFactory(),
        RequestLogFactory(),
        SuppressionFactory(),
        ApiTokenFactory(),
        User.objects.create_user("somebody"),
        Group.objects.create(name="made by staff"),
        LogEntry.objects.create(user=message.owner, action_flag=2, object_repr="it"),
        Failure.objects.create(id="f" * 32, name="it", func="f", success=False, **times),
        Schedule.objects.create(name="it", func="f"),
        Authenticator.objects.create(user=message.owner, type="totp", data={}),
    ]
    return {f"{row._meta.app_label}_{row._meta.model_name}": row for row in made}


def address_of(page: str, rows: dict[str, models.Model]) -> str:
    """Where `page` is, with the keys of `rows` in its place-holders."""
    pattern = next(p for p in _named(admin.site.urls[0]) if p.name == page)
    keys = {name: _key(page, name, rows) for name in pattern.pattern.converters}
    if page == "app_list":
        keys = {"app_label": "notifications"}
    if page == "view_on_site":
        keys = {"content_type_id": "1", "object_id": "1"}
    query = "?app_label=notifications&model_name=suppression&field_name=owner"
    return reverse(f"admin:{page}", kwargs=keys) + (query if page == "autocomplete" else "")


def _named(patterns: Sequence[URLPattern | URLResolver]) -> Iterator[URLPattern]:
    for pattern in patterns:
        if isinstance(pattern, URLResolver):
            yield from _named(pattern.url_patterns)
        else:
            yield pattern


def _key(page: str, name: str, rows: dict[str, models.Model]) -> str:
    """The key for the place-holder `name`: `message_id` is a message's, others the screen's own."""
    named = f"notifications_{name.removesuffix('_id')}"
    if named in rows:
        return str(rows[named].pk)
    if page == "auth_user_password_change":
        return str(rows["notifications_user"].pk)
    own = next((model for model in rows if page.startswith(f"{model}_")), None)
    return str(rows[own].pk) if own else "1"


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
