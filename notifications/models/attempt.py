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
    # without constraints of the database: see triggers.permanent
    handoff = models.ForeignKey(
        Handoff, models.DO_NOTHING, db_constraint=False, db_index=False, related_name="attempts"
    )
    # its index finds a message's attempts and their hand-offs, which have none by message
    delivery = models.ForeignKey(
        Delivery, models.DO_NOTHING, db_constraint=False, related_name="attempts"
    )
    generation = models.PositiveSmallIntegerField()
    outcome = ChoiceField(max_length=16, choices=Outcome, default=Outcome.IN_FLIGHT)
    # stays the same when an attempt in flight is accepted, so that no index has to learn of that
    is_live = models.GeneratedField(
        expression=models.ExpressionWrapper(Q(outcome__in=LIVE), models.BooleanField()),
        output_field=models.BooleanField(),
        db_persist=True,
    )
    reading = models.CharField(max_length=24, blank=True, default="")
    code = models.PositiveSmallIntegerField(null=True)
    answer = models.TextField(blank=True, default="")

    class Meta:
        """The unique index is the promise: at most one accepted hand-off per generation."""

        constraints = [
            models.UniqueConstraint(
                fields=["delivery", "generation"],
                condition=Q(is_live=True),
                name="attempt_one_live",
            ),
            models.UniqueConstraint(fields=["handoff", "delivery"], name="attempt_once_a_handoff"),
        ]

    def __str__(self) -> str:
        return f"attempt for {self.delivery_id} · {self.get_outcome_display()}"
