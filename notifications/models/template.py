"""Template and TemplateVersion: a stored subject and bodies with variables."""

from typing import Self

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from uuid_utils.compat import uuid7

from notifications.models.triggers import append_only


class TemplateQuerySet(models.QuerySet["Template"]):
    """The questions people ask of templates."""

    def owned_by(self, owner: models.Model) -> Self:
        """Only `owner`'s templates, and none that was deleted."""
        return self.filter(owner=owner, deleted_at=None)


class Template(models.Model):
    """A name under which its owner keeps a subject and bodies; what it says is in its versions."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    name = models.CharField(max_length=100)
    description = models.CharField(max_length=500, blank=True)
    version = models.PositiveIntegerField(help_text="The number of the current version.")
    created_at = models.DateTimeField(db_default=Now())
    updated_at = models.DateTimeField(db_default=Now())
    deleted_at = models.DateTimeField(
        null=True, help_text="Set: nobody sends by it any more. Its versions stay."
    )

    objects = TemplateQuerySet.as_manager()

    class Meta:
        """A name is its owner's once; a deleted template's name is free again."""

        constraints = [
            models.UniqueConstraint(
                fields=["owner", "name"], condition=Q(deleted_at=None), name="template_owner_name"
            ),
        ]
        indexes = [
            # the owner's list, newest first
            models.Index(
                fields=["owner", "-id"], condition=Q(deleted_at=None), name="template_owner"
            ),
        ]

    def __str__(self) -> str:
        return self.name


class TemplateVersion(models.Model):
    """What a template says from one change to the next. Never changed: messages refer to it."""

    # a message carries it: eight octets, not sixteen
    id = models.BigAutoField(primary_key=True)
    template = models.ForeignKey(Template, models.PROTECT, related_name="versions", db_index=False)
    number = models.PositiveIntegerField()
    subject = models.TextField()
    text = models.TextField(blank=True, help_text="Empty: made from the HTML.")
    html = models.TextField(blank=True, help_text="Empty: there is none.")
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        """Found by template and number."""

        constraints = [
            models.UniqueConstraint(
                fields=["template", "number"], name="templateversion_template_number"
            ),
            models.CheckConstraint(
                condition=~Q(text="") | ~Q(html=""), name="templateversion_has_body"
            ),
        ]
        triggers = [append_only()]

    def __str__(self) -> str:
        return f"{self.template} · {self.number}"
