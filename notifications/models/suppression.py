"""Suppression: an address that must not get mail, and why."""

from django.conf import settings
from django.db import models
from django.db.models.functions import Now
from uuid_utils.compat import uuid7

from notifications.models.fields import ChoiceField


class SuppressionReason(models.TextChoices):
    """Why an address gets no mail."""

    BOUNCED = "bounced", "a message to it bounced for good"
    COMPLAINED = "complained", "its reader marked a message as spam"
    MANUAL = "manual", "added by hand"


class Suppression(models.Model):
    """One owner's rule that an address gets no mail; submissions to it end as `suppressed`."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    address = models.TextField()
    reason = ChoiceField(max_length=16, choices=SuppressionReason)
    note = models.TextField(blank=True)
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        """One rule an address; intake looks it up by this index."""

        constraints = [
            models.UniqueConstraint(fields=["owner", "address"], name="suppression_owner_address"),
        ]

    def __str__(self) -> str:
        return f"{self.address} · {self.get_reason_display()}"
