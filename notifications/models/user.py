"""The people: developers, support staff and users share one account model."""

from django.contrib.auth.models import AbstractUser

OWN_NAME = "Limbo itself"
"""The account that Limbo's own messages belong to. No form takes a name with a space in it."""


class User(AbstractUser):
    """An account. Ours from the first migration, since Django cannot swap it in later."""

    @property
    def is_limbo(self) -> bool:
        """Whether it is Limbo's own, with which nobody signs in."""
        return self.username == OWN_NAME
