"""ApiToken: a user's key to the API."""

from datetime import datetime

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models.functions import Now
from uuid_utils.compat import uuid7

from notifications.models.fields import ChoiceField


class Scope(models.TextChoices):
    """What a token may do."""

    SEND = "send", "Send messages"
    READ = "read", "Read messages and their history"
    CONTENT = "content", "Read what messages say"
    MANAGE = "manage", "Manage tokens and templates"


class ApiToken(models.Model):
    """A user's key: shown once, stored hashed."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="api_tokens")
    name = models.CharField(max_length=100, help_text="What it is for, in the owner's words.")
    prefix = models.CharField(max_length=16, help_text="Its first characters, to tell it by.")
    digest = models.BinaryField(max_length=32, unique=True, editable=False)
    scopes = ArrayField(ChoiceField(max_length=16, choices=Scope))
    is_test = models.BooleanField(
        db_default=False, help_text="What it submits goes to the sandbox and to nobody else."
    )
    allowed_senders = ArrayField(
        models.CharField(max_length=320),
        db_default=[],
        blank=True,
        help_text="The addresses and domains that it may send from; empty for all.",
    )
    allowed_networks = ArrayField(
        models.CharField(max_length=43),
        db_default=[],
        blank=True,
        help_text="The networks (CIDR) that it opens the API from; empty for all.",
    )
    created_at = models.DateTimeField(db_default=Now())
    expires_at = models.DateTimeField(null=True, blank=True)
    last_used_at = models.DateTimeField(null=True)
    revoked_at = models.DateTimeField(null=True)

    class Meta:
        """Listed per owner."""

        verbose_name = "API token"
        verbose_name_plural = "API tokens"

    def __str__(self) -> str:
        return f"{self.prefix}… ({self.name})"

    def is_valid(self, *, now: datetime) -> bool:
        """Whether it opens the API at `now`."""
        expired = self.expires_at is not None and self.expires_at <= now
        return self.revoked_at is None and not expired
