"""People at the admin, each with a browser in which they have signed in."""

from collections.abc import Iterable

import pytest
from django.contrib.auth.models import Permission
from django.test import Client

from notifications.models import Role, RoleKey, User

LIST = "/admin/notifications/message/"


def signed_in(user: User) -> Client:
    """A browser in which `user` has signed in."""
    client = Client()
    client.force_login(user)
    return client


def make_staff(name: str, codenames: Iterable[str] = ()) -> User:
    """A member of staff with permissions such as `view_message`."""
    user = User.objects.create_user(name, is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=list(codenames)))
    return user


def make_member(role: RoleKey) -> User:
    """A member of staff in the group of `role`."""
    user = User.objects.create_user(role.value, is_staff=True)
    user.groups.add(Role.objects.get(key=role).group)
    return user


@pytest.fixture
def owner(db: None) -> User:
    """A user whose messages staff look at."""
    return User.objects.create_user("shop")


@pytest.fixture
def viewer(db: None) -> Client:
    """Staff who may look, but at no body."""
    return signed_in(make_member(RoleKey.VIEWER))


@pytest.fixture
def support(db: None) -> Client:
    """Staff who may also make choices on messages and read bodies."""
    return signed_in(make_member(RoleKey.SUPPORT))


@pytest.fixture
def operator(db: None) -> Client:
    """Staff who may also change providers, tokens, webhooks and users."""
    return signed_in(make_member(RoleKey.OPERATOR))


@pytest.fixture
def superuser(db: None) -> Client:
    """Staff who may do whatever anybody may."""
    return signed_in(User.objects.create_superuser("root"))
