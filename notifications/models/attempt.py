"""Attempt: one hand-off for one delivery, committed before any byte leaves."""

from typing import Self

from django.db import models
from django.db.models import Case, Q, When

from notifications.models.delivery import Delivery
from notifications.models.fields import ChoiceField
from notifications.models.handoff import LIVE, Handoff, Outcome


class AttemptQuerySet(models.QuerySet["Attempt"]):
    """The questions that are asked of attempts."""

    def in_flight(self) -> Self:
        """Those whose end is not recorded.

        They are found by the leases, of which there are few, so that no index has to learn of each
        hand-off's beginning and end. While an attempt is in flight its delivery is being sent, and
        the message of such a one carries a lease: its worker must hold it to begin, and neither it
        (`Lease.release`, `history.changes`), nor the journal, nor the sweeper lets go of it before.
        (Where one begins in the moment in which the sweeper ends a lease that has run out, it has
        none until its message is claimed anew, which the turn that it keeps brings about.)
        """
        return self.filter(outcome=Outcome.IN_FLIGHT, delivery__message__lease_until__isnull=False)


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

    objects = AttemptQuerySet.as_manager()

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
