"""SendingLimit: how much a user may submit, and how much of it is left."""

from django.conf import settings
from django.core.validators import MinValueValidator
from django.db import models
from django.db.models import Q


class SendingLimit(models.Model):
    """A user's two token buckets: requests a second, and messages a day.

    Both refill steadily. Submission takes from them in its own statement; a user without limits has
    no row.
    """

    owner = models.OneToOneField(
        settings.AUTH_USER_MODEL, models.CASCADE, primary_key=True, related_name="sending_limit"
    )
    requests_per_second = models.PositiveIntegerField(
        null=True,
        blank=True,
        validators=[MinValueValidator(1)],
        help_text="Submitting requests; empty for as many as come.",
    )
    messages_per_day = models.PositiveIntegerField(
        null=True,
        blank=True,
        validators=[MinValueValidator(1)],
        help_text="Submitted messages; empty for as many as come.",
    )
    requests_left = models.FloatField(db_default=0, editable=False)
    messages_left = models.FloatField(db_default=0, editable=False)
    is_within = models.BooleanField(
        db_default=True, editable=False, help_text="Whether the last submission was."
    )
    filled_at = models.DateTimeField(
        null=True, editable=False, help_text="When it was last refilled; a new row is full."
    )

    class Meta:
        """One row a user at most."""

        constraints = [
            models.CheckConstraint(
                condition=~Q(requests_per_second=0) & ~Q(messages_per_day=0),
                name="sendinglimit_not_zero",
            )
        ]

    def __str__(self) -> str:
        return f"limits of {self.owner}"
