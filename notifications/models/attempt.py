"""Attempt: one hand-off for one delivery, committed before any byte leaves."""

from django.db import models
from django.db.models import Q
from uuid_utils.compat import uuid7

from notifications.models.delivery import Delivery
from notifications.models.fields import ChoiceField
from notifications.models.handoff import LIVE, Handoff, Outcome


class Attempt(models.Model):
    """Handoff × Delivery, with how it ended for that recipient."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    handoff = models.ForeignKey(Handoff, models.CASCADE, related_name="attempts")
    delivery = models.ForeignKey(Delivery, models.CASCADE, related_name="attempts")
    generation = models.PositiveSmallIntegerField()
    outcome = ChoiceField(max_length=16, choices=Outcome, default=Outcome.IN_FLIGHT)
    reading = models.CharField(max_length=24, blank=True, default="")
    code = models.PositiveSmallIntegerField(null=True)
    answer = models.TextField(blank=True, default="")

    class Meta:
        """The unique index is the promise: at most one accepted hand-off per generation."""

        constraints = [
            models.UniqueConstraint(
                fields=["delivery", "generation"],
                condition=Q(outcome__in=LIVE),
                name="attempt_one_live",
            ),
            models.UniqueConstraint(fields=["handoff", "delivery"], name="attempt_once_a_handoff"),
        ]

    def __str__(self) -> str:
        return f"attempt for {self.delivery_id} · {self.get_outcome_display()}"
