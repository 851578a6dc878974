"""Provider: a configured way out, and what staff may change while it runs."""

from django.db import models
from django.db.models.functions import Now

from notifications.models import triggers


class Provider(models.Model):
    """The row beside a configured provider: switch, weight and what is known of its health.

    The connection itself is configuration (`LIMBO_PROVIDERS`); the row is made from it at start.
    """

    name = models.SlugField(max_length=64, unique=True)
    enabled = models.BooleanField(default=True)
    is_draining = models.BooleanField(
        db_default=False,
        help_text="It begins nothing new; what is under way with it is brought to its end.",
    )
    weight = models.PositiveSmallIntegerField(
        default=1, help_text="Its share of the hand-offs, beside the other providers' weights."
    )
    fault = models.TextField(
        blank=True,
        help_text="Why Limbo switched it off: it refused our credentials. "
        "Clear it by enabling the provider again.",
    )
    closed_until = models.DateTimeField(
        null=True, blank=True, help_text="It asked us to wait until then."
    )
    failures = models.PositiveIntegerField(
        db_default=0, help_text="Hand-offs in a row that did not reach it."
    )
    window_started_at = models.DateTimeField(null=True)
    window_calls = models.PositiveIntegerField(db_default=0)
    window_failures = models.PositiveIntegerField(db_default=0)
    breaker_until = models.DateTimeField(
        null=True,
        blank=True,
        help_text="Its breaker is open: until then nothing goes to it, then a single probe.",
    )
    breaker_seconds = models.PositiveIntegerField(
        db_default=0, help_text="For how long the breaker opened last; it doubles."
    )
    breaker_reason = models.TextField(blank=True, db_default="")
    probe_until = models.DateTimeField(
        null=True, blank=True, help_text="A probe is under way; another may begin after this."
    )
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        """Sorted by name wherever people see it."""

        ordering = ["name"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(weight__gte=1),
                name="provider_weight_positive",
                violation_error_message="At least 1; to send nothing through it, disable it.",
            )
        ]
        triggers = [triggers.permanent()]

    def __str__(self) -> str:
        return self.name
