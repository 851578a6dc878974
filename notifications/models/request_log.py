"""RequestLog: one API request of one user."""

from django.conf import settings
from django.db import models
from django.db.models.functions import Now

from notifications.models import triggers


class RequestLog(models.Model):
    """When, what, from where, the answer, and the message it made."""

    # whose token it was; a check would lock the user's row for every request, reading ones included
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        db_constraint=False,
        db_index=False,
        related_name="+",
        null=True,
    )
    at = models.DateTimeField(db_default=Now())
    method = models.CharField(max_length=8)
    path = models.TextField()
    status = models.PositiveSmallIntegerField()
    address = models.GenericIPAddressField(null=True)
    duration_ms = models.PositiveIntegerField(help_text="Until the row was written.")
    message_id = models.UUIDField(null=True)
    request_id = models.UUIDField(null=True, help_text="The X-Request-Id of its answer.")
    token_id = models.UUIDField(null=True, help_text="The token that it came with.")

    class Meta:
        """Never changed, never referenced."""

        verbose_name = "request"
        verbose_name_plural = "request log"
        indexes = [
            # the owner's log, newest first
            models.Index(fields=["owner", "-id"], name="requestlog_owner"),
            # the owner's refused requests, few among many
            models.Index(
                fields=["owner", "-id"],
                name="requestlog_refused",
                condition=models.Q(status__gte=400),
            ),
            # the request that made a message, on staff's message page
            models.Index(
                fields=["message_id"],
                name="requestlog_message",
                condition=models.Q(message_id__isnull=False),
            ),
        ]
        triggers = [triggers.append_only()]

    def __str__(self) -> str:
        return f"{self.method} {self.path} · {self.status}"
