"""Staff's roles: made and kept by migrations, and no way to more than they give."""

from typing import Any

import pytest
from django.contrib.auth.models import Group, Permission
from django.core.management import call_command
from django.db.models import ProtectedError
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from notifications.admin.roles import EXPLAINED, PERMISSIONS, sync_roles
from notifications.models import Role, RoleKey, SendingLimit, User
from tests.admin.conftest import make_member, make_staff, signed_in

pytestmark = pytest.mark.django_db


def permissions_of(group: Group) -> set[str]:
    return {f"{p.content_type.app_label}.{p.codename}" for p in group.permissions.all()}


def group_of(key: RoleKey) -> Group:
    return Role.objects.get(key=key).group


@pytest.mark.parametrize("key", RoleKey)
def test_migrating_makes_a_group_for_each_role(key: RoleKey) -> None:
    group = group_of(key)
    assert group.name == key.value
    assert permissions_of(group) == PERMISSIONS[key]


def test_migrating_again_brings_a_renamed_role_up_to_date_and_makes_no_second_one() -> None:
    group = group_of(RoleKey.SUPPORT)
    Group.objects.filter(pk=group.pk).update(name="Helpdesk")
    group.permissions.set(Permission.objects.filter(codename="delete_user"))
    call_command("migrate", verbosity=0)
    assert Group.objects.count() == len(RoleKey)
    assert group_of(RoleKey.SUPPORT).name == "Helpdesk"
    assert permissions_of(group) == PERMISSIONS[RoleKey.SUPPORT]


def test_a_group_that_has_a_roles_name_by_chance_gets_nothing() -> None:
    Role.objects.all().delete()
    Group.objects.all().delete()
    chance = Group.objects.create(name="operator")
    sync_roles()
    assert permissions_of(chance) == set()
    assert group_of(RoleKey.OPERATOR).name == "operator (Limbo)"


def test_permissions_that_are_not_there_yet_are_made() -> None:
    Permission.objects.filter(codename="view_message").delete()
    sync_roles()
    assert "notifications.view_message" in permissions_of(group_of(RoleKey.VIEWER))


def test_a_role_is_never_removed_and_its_permissions_are_not_edited(superuser: Client) -> None:
    group = group_of(RoleKey.VIEWER)
    url = reverse("admin:auth_group_change", args=[group.pk])
    page = superuser.get(url).content.decode()
    assert EXPLAINED[RoleKey.VIEWER] in page
    everything = [str(p.pk) for p in Permission.objects.all()]
    assert superuser.post(url, {"name": "Looks", "permissions": everything}).status_code == 302
    group.refresh_from_db()
    assert group.name == "Looks"
    assert permissions_of(group) == PERMISSIONS[RoleKey.VIEWER]
    delete = reverse("admin:auth_group_delete", args=[group.pk])
    assert superuser.post(delete, {"post": "yes"}).status_code == 403
    ticked = {"action": "delete_selected", "_selected_action": str(group.pk), "post": "yes"}
    superuser.post(reverse("admin:auth_group_changelist"), ticked)
    with pytest.raises(ProtectedError):
        group.delete()
    assert Group.objects.filter(pk=group.pk).exists()


def test_a_group_that_staff_made_is_edited_and_removed(superuser: Client) -> None:
    group = Group.objects.create(name="auditors")
    url = reverse("admin:auth_group_change", args=[group.pk])
    looking = Permission.objects.get(codename="view_logentry")
    superuser.post(url, {"name": "auditors", "permissions": [looking.pk]})
    assert permissions_of(group) == {"admin.view_logentry"}
    delete = reverse("admin:auth_group_delete", args=[group.pk])
    assert superuser.post(delete, {"post": "yes"}).status_code == 302
    assert not Group.objects.filter(pk=group.pk).exists()


# -- no way from an operator's permissions to a superuser's ------------------------------------


def user_form(user: User, **fields: Any) -> dict[str, Any]:
    """The form of a user's page, as it would be posted."""
    joined = timezone.localtime(user.date_joined)
    return {
        "username": user.username,
        "is_active": "on",
        "date_joined_0": f"{joined:%Y-%m-%d}",
        "date_joined_1": f"{joined:%H:%M:%S}",
        "sending_limit-TOTAL_FORMS": "1",
        "sending_limit-INITIAL_FORMS": "0",
        "sending_limit-0-owner": str(user.pk),
        **fields,
    }


def change_url(user: User) -> str:
    return reverse("admin:notifications_user_change", args=[user.pk])


def test_an_operator_changes_a_user_and_gives_limits(operator: Client, owner: User) -> None:
    form = user_form(owner, email="shop@example.com", **{"sending_limit-0-messages_per_day": "9"})
    assert operator.post(change_url(owner), form).status_code == 302
    owner.refresh_from_db()
    assert owner.email == "shop@example.com"
    assert SendingLimit.objects.get(owner=owner).messages_per_day == 9


def test_an_operator_makes_nobody_staff(operator: Client, owner: User) -> None:
    power = {
        "is_staff": "on",
        "is_superuser": "on",
        "groups": [group_of(RoleKey.OPERATOR).pk],
        "user_permissions": [Permission.objects.get(codename="delete_user").pk],
    }
    assert operator.post(change_url(owner), user_form(owner, **power)).status_code == 302
    owner.refresh_from_db()
    assert (owner.is_staff, owner.is_superuser) == (False, False)
    assert owner.groups.count() == owner.user_permissions.count() == 0
    assert operator.get(reverse("admin:auth_group_changelist")).status_code == 403


def test_an_operator_changes_neither_staff_nor_their_passwords(operator: Client) -> None:
    root = User.objects.create_superuser("root", password="correct horse")
    password = {"usable_password": "true", "password1": "taken over", "password2": "taken over"}
    for user in (root, make_staff("colleague"), User.objects.get(username="operator")):
        assert operator.get(change_url(user)).status_code == 200
        form = user_form(user, email="mine@example.com")
        assert operator.post(change_url(user), form).status_code == 403
        url = reverse("admin:auth_user_password_change", args=[user.pk])
        assert operator.post(url, password).status_code == 403
        user.refresh_from_db()
        assert user.email == ""
    assert root.check_password("correct horse")


def test_an_operator_gives_a_user_a_new_password(operator: Client, owner: User) -> None:
    url = reverse("admin:auth_user_password_change", args=[owner.pk])
    password = {
        "usable_password": "true",
        "password1": "correct h0rse",
        "password2": "correct h0rse",
    }
    assert operator.post(url, password).status_code == 302
    owner.refresh_from_db()
    assert owner.check_password("correct h0rse")


def test_a_superuser_gives_a_role_and_the_list_shows_it(superuser: Client, owner: User) -> None:
    form = user_form(owner, is_staff="on", groups=[group_of(RoleKey.VIEWER).pk])
    assert superuser.post(change_url(owner), form).status_code == 302
    assert signed_in(owner).get("/admin/notifications/message/").status_code == 200
    listed = superuser.get("/admin/notifications/user/").content.decode()
    assert "viewer" in listed


def test_a_member_of_two_roles_may_what_either_may() -> None:
    user = make_member(RoleKey.VIEWER)
    user.groups.add(group_of(RoleKey.SUPPORT))
    assert user.has_perms(PERMISSIONS[RoleKey.VIEWER] | PERMISSIONS[RoleKey.SUPPORT])
