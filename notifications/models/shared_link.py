"""SharedLink: a page that shows how a message stands to whoever has its address."""

from datetime import datetime

from django.conf import settings
from django.db import models
from django.db.models.functions import Now
from uuid_utils.compat import uuid7


class SharedLink(models.Model):
    """Made by a message's owner, for one recipient or all; its address is signed, not stored."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    # no index: links are looked for by message, which belongs to one owner
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", db_index=False
    )
    message = models.ForeignKey(
        "notifications.Message", models.CASCADE, related_name="+", db_index=False
    )
    delivery = models.ForeignKey(
        "notifications.Delivery",
        models.CASCADE,
        related_name="+",
        null=True,
        help_text="The recipient it is for; empty for all of them.",
    )
    created_at = models.DateTimeField(db_default=Now())
    expires_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True)

    class Meta:
        """Listed with its message."""

        indexes = [
            # a message's links, newest first
            models.Index(fields=["message", "-id"], name="sharedlink_message"),
        ]

    def __str__(self) -> str:
        return f"link to {self.message_id}"

    def is_open(self, *, now: datetime) -> bool:
        """Whether it shows anything at `now`."""
        return self.revoked_at is None and self.expires_at > now
