"""Attempt: one hand-off for one delivery, committed before any byte leaves."""

from django.db import models
from django.db.models import Case, Q, When

from notifications.models.delivery import Delivery
from notifications.models.fields import ChoiceField
from notifications.models.handoff import LIVE, Handoff, Outcome


class Attempt(models.Model):
    """Handoff × Delivery, with how it ended for that recipient."""

    pk = models.CompositePrimaryKey("handoff_id", "delivery_id")
    # without constraints of the database: see triggers.permanent
    handoff = models.ForeignKey(
        Handoff, models.DO_NOTHING, db_constraint=False, db_index=False, related_name="attempts"
    )
    # `attempt_one_live` is its index
    delivery = models.ForeignKey(
        Delivery, models.DO_NOTHING, db_constraint=False, db_index=False, related_name="attempts"
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
            # Of a generation those that are live are all alike in it, and the others differ by
            # their hand-offs. So it has all attempts, and also finds a message's with their
            # hand-offs, which have no index by message.
            models.UniqueConstraint(
                "delivery",
                "generation",
                Case(When(is_live=False, then="handoff")),
                nulls_distinct=False,
                name="attempt_one_live",
            ),
        ]

    def __str__(self) -> str:
        return f"attempt for {self.delivery_id} · {self.get_outcome_display()}"
