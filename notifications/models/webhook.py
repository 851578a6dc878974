"""WebhookEndpoint and WebhookDelivery: where a user wants events posted, and each post."""

from typing import Self

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from uuid_utils.compat import uuid7

from notifications.models.fields import ChoiceField


class WebhookEndpointQuerySet(models.QuerySet["WebhookEndpoint"]):
    """The questions people ask of endpoints."""

    def enabled(self) -> Self:
        """Those that are given events."""
        return self.filter(enabled=True)


class WebhookEndpoint(models.Model):
    """An address to which a user's events are posted, in the order of their positions."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="webhook_endpoints"
    )
    url = models.URLField(max_length=2000, verbose_name="URL")
    sealed_secret = models.TextField(
        editable=False, help_text="The signing secret, encrypted by a key from SECRET_KEY."
    )
    kinds = ArrayField(
        models.CharField(max_length=24),
        blank=True,
        default=list,
        help_text="The kinds of events it wants; empty for all.",
    )
    enabled = models.BooleanField(default=True)
    disabled_reason = models.TextField(blank=True, default="")
    position = models.BigIntegerField(
        help_text="The last event position that was looked at for it."
    )
    failing_since = models.DateTimeField(
        null=True, help_text="The first failure since its last success."
    )
    paused_until = models.DateTimeField(
        null=True, help_text="After a failure it is left alone for a while."
    )
    created_at = models.DateTimeField(db_default=Now())

    objects = WebhookEndpointQuerySet.as_manager()

    class Meta:
        """Listed per owner."""

        constraints = [
            models.CheckConstraint(
                condition=Q(enabled=False) | Q(disabled_reason=""),
                name="webhookendpoint_reason_while_disabled",
            ),
        ]

    def __str__(self) -> str:
        return self.url


class WebhookState(models.TextChoices):
    """How far one event is on its way to one endpoint."""

    PENDING = "pending", "waiting"
    DELIVERED = "delivered", "delivered"
    FAILED = "failed", "given up"


class WebhookDelivery(models.Model):
    """One event for one endpoint: posted until it is taken, or for some days."""

    id = models.UUIDField(
        primary_key=True, default=uuid7, editable=False, help_text="The webhook-id of every try."
    )
    endpoint = models.ForeignKey(WebhookEndpoint, models.CASCADE, related_name="deliveries")
    event_id = models.BigIntegerField()
    state = ChoiceField(max_length=16, choices=WebhookState, default=WebhookState.PENDING)
    attempts = models.PositiveSmallIntegerField(default=0)
    due_at = models.DateTimeField(
        null=True, db_default=Now(), help_text="When it may be tried next."
    )
    last_status = models.PositiveSmallIntegerField(null=True)
    last_answer = models.TextField(
        blank=True, default="", help_text="How the last answer began, or what went wrong."
    )
    created_at = models.DateTimeField(db_default=Now())
    delivered_at = models.DateTimeField(null=True)

    class Meta:
        """An event goes to an endpoint once, however often it is tried."""

        verbose_name_plural = "webhook deliveries"
        constraints = [
            models.UniqueConstraint(
                fields=["endpoint", "event_id"], name="webhookdelivery_once_an_event"
            ),
            models.CheckConstraint(
                condition=Q(state=WebhookState.PENDING, due_at__isnull=False)
                | (~Q(state=WebhookState.PENDING) & Q(due_at__isnull=True)),
                name="webhookdelivery_pending_is_due",
            ),
            models.CheckConstraint(
                condition=Q(state=WebhookState.DELIVERED, delivered_at__isnull=False)
                | (~Q(state=WebhookState.DELIVERED) & Q(delivered_at__isnull=True)),
                name="webhookdelivery_delivered_has_time",
            ),
        ]
        indexes = [
            # webhooks.queue: what is due for one endpoint, oldest first
            models.Index(
                fields=["endpoint", "due_at", "id"],
                name="webhookdelivery_due",
                condition=Q(state=WebhookState.PENDING),
            ),
        ]

    def __str__(self) -> str:
        return f"event {self.event_id} · {self.get_state_display()}"
