"""The people: developers, support staff and users share one account model."""

from django.contrib.auth.models import AbstractUser


class User(AbstractUser):
    """An account. Ours from the first migration, since Django cannot swap it in later."""
