"""What a browser may do on the admin's pages: what its theme needs, and nothing beyond."""

import base64
import hashlib
import re

import pytest
from django.test import Client
from django.urls import reverse

from notifications.models import User
from notifications.policy import ADMIN, THEME_STYLES
from tests.stories import accepted

PATHS = ("/admin/", "/admin/notifications/message/", "/admin/notifications/user/add/")


def directives(policy: str) -> dict[str, set[str]]:
    """A policy's directives, each with what it allows."""
    parts = [part.split() for part in policy.split("; ")]
    return {name: set(allowed) for name, *allowed in parts}


def test_the_policy_allows_what_the_theme_needs_and_nothing_more() -> None:
    assert directives(ADMIN) == {
        "default-src": {"'none'"},
        "script-src": {"'self'", "'unsafe-eval'"},
        "style-src": {"'self'", *(f"'{style}'" for style in THEME_STYLES)},
        "style-src-attr": {"'unsafe-inline'"},
        "img-src": {"'self'"},
        "font-src": {"'self'"},
        "connect-src": {"'self'"},
        "frame-src": {"'self'"},
        "form-action": {"'self'"},
        "base-uri": {"'none'"},
        "frame-ancestors": {"'none'"},
    }
    assert len(THEME_STYLES) == 2


@pytest.mark.parametrize("path", [*PATHS, "/admin/login/", "/admin/nowhere/"])
def test_every_page_of_the_admin_carries_it(superuser: Client, path: str) -> None:
    assert superuser.get(path).headers["Content-Security-Policy"] == ADMIN


def test_whoever_may_not_look_gets_it_too(client: Client, viewer: Client, owner: User) -> None:
    message = accepted(owner, "ada@example.org")
    body = reverse("admin:notifications_message_content", args=[message.pk])
    for reader, status in ((client, 302), (viewer, 403)):
        answer = reader.get(body)
        assert answer.status_code == status
        assert answer.headers["Content-Security-Policy"] == ADMIN


@pytest.mark.parametrize("path", PATHS)
def test_a_page_s_own_style_is_the_one_that_is_allowed(superuser: Client, path: str) -> None:
    page = superuser.get(path).content.decode()
    (style,) = re.findall(r"<style[^>]*>(.*?)</style>", page, re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    assert f"sha256-{digest}" == THEME_STYLES[0]


def test_no_page_has_a_script_of_its_own(superuser: Client, owner: User) -> None:
    accepted(owner, "ada@example.org")
    for path in PATHS:
        page = superuser.get(path).content.decode()
        assert re.findall(r"<script(?![^>]*(?:\ssrc=|application/json))[^>]*>", page) == []
        assert re.findall(r"<[^>]+\son\w+=", page) == []
