"""What staff's roles may do: three groups, which every migration brings up to date.

Their permissions are Limbo's own, so that a new screen comes with its permission; for other sets
staff make groups of their own. A role's group is known by its `Role`, so it may be renamed.
"""

from collections.abc import Iterable, Mapping

from django.apps import apps
from django.contrib.auth.management import create_permissions
from django.contrib.auth.models import Group, Permission
from django.db import transaction

from notifications.models import Role, RoleKey

_VIEWER = (
    "notifications.view_message",
    "notifications.view_provider",
    "notifications.view_requestlog",
    "notifications.view_suppression",
    "notifications.view_webhookdelivery",
    "notifications.view_webhookendpoint",
)
_SUPPORT = (
    "notifications.change_message",
    "notifications.view_content",
    "notifications.add_suppression",
    "notifications.delete_suppression",
    "notifications.view_apitoken",
    "notifications.view_sendinglimit",
    "notifications.view_user",
)
_OPERATOR = (
    "admin.view_logentry",
    "django_q.view_failure",
    "django_q.view_schedule",
    "mfa.delete_authenticator",
    "mfa.view_authenticator",
    "notifications.add_apitoken",
    "notifications.add_sendinglimit",
    "notifications.add_user",
    "notifications.add_webhookendpoint",
    "notifications.change_apitoken",
    "notifications.change_provider",
    "notifications.change_sendinglimit",
    "notifications.change_user",
    "notifications.change_webhookendpoint",
    "notifications.delete_sendinglimit",
)

PERMISSIONS: Mapping[RoleKey, frozenset[str]] = {
    RoleKey.VIEWER: frozenset(_VIEWER),
    RoleKey.SUPPORT: frozenset(_VIEWER + _SUPPORT),
    RoleKey.OPERATOR: frozenset(_VIEWER + _SUPPORT + _OPERATOR),
}
"""What each role may, by the names of Django's permissions."""

EXPLAINED: Mapping[RoleKey, str] = {
    RoleKey.VIEWER: "Sees messages and what became of them, requests, providers, suppressions and "
    "webhooks. Reads no body and changes nothing.",
    RoleKey.SUPPORT: "Sees what a viewer sees. Retries, requeues and cancels messages, reads "
    "bodies, adds and removes suppressions, sees users and tokens.",
    RoleKey.OPERATOR: "Does what support does. Changes providers, webhook endpoints, tokens, "
    "limits, and users who are not staff, with the second factors they lost; lets in who is locked "
    "out; sees staff's actions and background tasks.",
}
"""What each role may, in words."""


@transaction.atomic
def sync_roles() -> None:
    """Make the groups that are missing, and give each the permissions of its role, no others.

    To be called once the tables are there; permissions that Django has not made yet are made here.
    """
    for label in sorted({name.partition(".")[0] for name in PERMISSIONS[RoleKey.OPERATOR]}):
        create_permissions(apps.get_app_config(label), verbosity=0, interactive=False)
    known = {
        f"{permission.content_type.app_label}.{permission.codename}": permission
        for permission in Permission.objects.select_related("content_type")
    }
    groups = {role.key: role.group for role in Role.objects.select_related("group")}
    for key, names in PERMISSIONS.items():
        group = groups.get(key) or _make_group(key)
        group.permissions.set(_chosen(known, names))


def _chosen(known: Mapping[str, Permission], names: Iterable[str]) -> list[Permission]:
    return [known[name] for name in sorted(names)]


def _make_group(key: RoleKey) -> Group:
    """A new group: whoever is in one that has the name by chance does not get more by that."""
    taken = Group.objects.filter(name=key.value).exists()
    group = Group.objects.create(name=f"{key.value} (Limbo)" if taken else key.value)
    Role.objects.create(key=key, group=group)
    return group
