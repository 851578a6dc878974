"""The sidebar, in the words of those who use it; each entry for those who may see it."""

from typing import Any

from django.http import HttpRequest
from django.urls import reverse

_GROUPS = (
    (
        "",
        (
            ("Home", "home", "index", ""),
            ("Messages", "mail", "notifications_message", "notifications.view_message"),
            (
                "Bulk actions",
                "checklist",
                "notifications_bulkaction",
                "notifications.view_message",
            ),
            (
                "Requests",
                "receipt_long",
                "notifications_requestlog",
                "notifications.view_requestlog",
            ),
        ),
    ),
    (
        "Sending",
        (
            ("Providers", "alt_route", "notifications_provider", "notifications.view_provider"),
            (
                "Suppressions",
                "block",
                "notifications_suppression",
                "notifications.view_suppression",
            ),
        ),
    ),
    (
        "Telling users' systems",
        (
            (
                "Webhook endpoints",
                "webhook",
                "notifications_webhookendpoint",
                "notifications.view_webhookendpoint",
            ),
            (
                "Webhook deliveries",
                "send",
                "notifications_webhookdelivery",
                "notifications.view_webhookdelivery",
            ),
        ),
    ),
    (
        "People",
        (
            ("Users", "person", "notifications_user", "notifications.view_user"),
            ("Groups", "group", "auth_group", "auth.view_group"),
            (
                "Second factors",
                "phonelink_lock",
                "mfa_authenticator",
                "mfa.view_authenticator",
            ),
            ("API tokens", "key", "notifications_apitoken", "notifications.view_apitoken"),
        ),
    ),
    (
        "Behind the scenes",
        (
            ("Staff's actions", "history", "admin_logentry", "admin.view_logentry"),
            ("Failed tasks", "error", "django_q_failure", "django_q.view_failure"),
            ("Schedules", "schedule", "django_q_schedule", "django_q.view_schedule"),
        ),
    ),
)


def sidebar(request: HttpRequest) -> list[dict[str, Any]]:
    """The groups of links, as the theme wants them."""
    return [
        {
            "title": title,
            "separator": bool(title),
            "items": [_item(request, *entry) for entry in entries],
        }
        for title, entries in _GROUPS
    ]


def name_of(address: str) -> str:
    """What the sidebar calls the list at `address`; empty for what it does not lead to."""
    entries = (entry for _, entries in _GROUPS for entry in entries)
    return next((title for title, _, screen, _ in entries if _link(screen) == address), "")


def _link(screen: str) -> str:
    name = "admin:index" if screen == "index" else f"admin:{screen}_changelist"
    return reverse(name)


def _item(
    request: HttpRequest, title: str, icon: str, screen: str, permission: str
) -> dict[str, Any]:
    # who may change may also look, as Django's admin has it
    changing = permission.replace(".view_", ".change_")
    allowed = not permission or any(map(request.user.has_perm, (permission, changing)))
    return {
        "title": title,
        "icon": icon,
        "link": _link(screen),
        "permission": lambda _request: allowed,
    }
