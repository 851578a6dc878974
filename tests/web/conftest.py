"""People at the users' pages."""

import pytest
from django.test import Client

from notifications.models import User


@pytest.fixture
def ada(db: None) -> User:
    return User.objects.create_user("ada")


@pytest.fixture
def eve(db: None) -> User:
    return User.objects.create_user("eve")


@pytest.fixture
def signed_in(client: Client, ada: User) -> Client:
    """A browser in which Ada has signed in."""
    client.force_login(ada)
    return client
