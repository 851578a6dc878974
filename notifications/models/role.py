"""Role: one of Limbo's own sets of permissions, and the group that carries it."""

from django.contrib.auth.models import Group
from django.db import models

from notifications.models.fields import ChoiceField


class RoleKey(models.TextChoices):
    """The roles, each with all that the one before it may."""

    VIEWER = "viewer", "Viewer"
    SUPPORT = "support", "Support"
    OPERATOR = "operator", "Operator"


class Role(models.Model):
    """Which group carries a role, whatever staff call it by now."""

    key = ChoiceField(max_length=16, choices=RoleKey, primary_key=True)
    group = models.OneToOneField(Group, models.PROTECT, related_name="role")

    class Meta:
        """Nobody is given a permission for it: it has no screen."""

        default_permissions = ()

    def __str__(self) -> str:
        return RoleKey(self.key).label
