"""The admin's pages, read from the site itself, and the rows to open them with."""

import re
from collections.abc import Iterator, Mapping, Sequence

from allauth.mfa.models import Authenticator
from axes.models import AccessAttempt
from django.contrib import admin
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Group
from django.db import models
from django.urls import URLPattern, URLResolver, reverse
from django.utils import timezone
from django_q.models import Failure, Schedule

from notifications.models import BulkAction, User, WebhookDelivery
from notifications.webhooks.endpoints import create_endpoint
from tests.factories import (
    ApiTokenFactory,
    ProviderFactory,
    RequestLogFactory,
    SuppressionFactory,
    make_message,
)

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


def locked_out(user: User) -> User:
    """The user, after five wrong passwords."""
    AccessAttempt.objects.create(
        username=user.get_username(), ip_address="192.0.2.7", failures_since_start=5
    )
    return user


def make_rows() -> dict[str, models.Model]:
    """One row for each screen, by the name its addresses begin with; each with most to show."""
    message = make_message()
    endpoint, _ = create_endpoint(owner=message.owner, url="https://example.com/hook", kinds=[])
    times = {"started": timezone.now(), "stopped": timezone.now()}
    made: list[models.Model] = [
        message,
        endpoint,
        WebhookDelivery.objects.create(endpoint=endpoint, event_id=1),
        BulkAction.objects.create(
            by=message.owner,
            choice="requeue",
            whose="of all users",
            error="it failed",
            halted_at=timezone.now(),
        ),
        ProviderFactory(),
        RequestLogFactory(),
        SuppressionFactory(),
        ApiTokenFactory(),
        locked_out(User.objects.create_user("somebody")),
        Group.objects.create(name="made by staff"),
        LogEntry.objects.create(user=message.owner, action_flag=2, object_repr="it"),
        Failure.objects.create(id="f" * 32, name="it", func="f", success=False, **times),
        Schedule.objects.create(name="it", func="f"),
        Authenticator.objects.create(user=message.owner, type="totp", data={}),
    ]
    return {f"{row._meta.app_label}_{row._meta.model_name}": row for row in made}


def address_of(page: str, rows: Mapping[str, models.Model]) -> str:
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


def _key(page: str, name: str, rows: Mapping[str, models.Model]) -> str:
    """The key for the place-holder `name`: `message_id` is a message's, others the screen's own."""
    named = f"notifications_{name.removesuffix('_id')}"
    if named in rows:
        return str(rows[named].pk)
    if page == "auth_user_password_change":
        return str(rows["notifications_user"].pk)
    own = next((model for model in rows if page.startswith(f"{model}_")), None)
    return str(rows[own].pk) if own else "1"
