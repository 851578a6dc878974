"""Handoff: one SMTP transaction or one HTTP call to one provider."""

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from uuid_utils.compat import uuid7

from notifications.models import triggers
from notifications.models.fields import ChoiceField
from notifications.models.message import Message
from notifications.models.provider import Provider


class Outcome(models.TextChoices):
    """How a hand-off, or an attempt for one recipient, ended."""

    IN_FLIGHT = "in_flight", "under way"
    ACCEPTED = "accepted", "accepted"
    UNCERTAIN = "uncertain", "may have been accepted"
    NOT_ACCEPTED = "not_accepted", "not accepted"
    REFUSED = "refused", "refused for good"


LIVE = (Outcome.IN_FLIGHT, Outcome.ACCEPTED, Outcome.UNCERTAIN)
"""While an attempt stands at one of these, no other may begin for its delivery."""

UNSETTLED = (Outcome.IN_FLIGHT, Outcome.UNCERTAIN)
"""From these an attempt can still learn how it ended."""


class Handoff(models.Model):
    """One call to one provider for a frozen set of deliveries of one message."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    # without constraints of the database: see triggers.permanent; and without an index, which would
    # have to learn of its end as well: a message's are found by its deliveries' attempts
    message = models.ForeignKey(
        Message, models.DO_NOTHING, db_constraint=False, db_index=False, related_name="handoffs"
    )
    provider = models.ForeignKey(
        Provider, models.PROTECT, db_constraint=False, db_index=False, related_name="+"
    )
    idempotency_key = models.TextField(help_text="The provider's key for this one hand-off.")
    provider_message_id = models.TextField(
        blank=True, default="", help_text="The provider's own id of the message."
    )
    # without an index too: a journal names its hand-offs, and what is in flight is found by leases
    journal_id = models.UUIDField(null=True, help_text="The worker's journal that witnesses it.")
    tries = models.PositiveSmallIntegerField(default=1)
    outcome = ChoiceField(max_length=16, choices=Outcome, default=Outcome.IN_FLIGHT)
    reading = models.CharField(
        max_length=24, blank=True, default="", help_text="What the answer was taken to mean."
    )
    code = models.PositiveSmallIntegerField(null=True, help_text="SMTP reply or HTTP status.")
    answer = models.TextField(blank=True, default="", help_text="The provider's words.")
    started_at = models.DateTimeField(db_default=Now())
    ended_at = models.DateTimeField(null=True)

    class Meta:
        """An ended hand-off has its time, and only then."""

        constraints = [
            models.CheckConstraint(
                condition=Q(outcome=Outcome.IN_FLIGHT, ended_at__isnull=True)
                | (~Q(outcome=Outcome.IN_FLIGHT) & Q(ended_at__isnull=False)),
                name="handoff_ended_has_time",
            )
        ]
        indexes = [
            # staff's search and tracking's look-up by the provider's id
            models.Index(
                fields=["provider_message_id"],
                name="handoff_provider_id",
                condition=~Q(provider_message_id=""),
            ),
        ]
        triggers = [triggers.permanent()]

    def __str__(self) -> str:
        return f"{self.provider.name} · {self.get_outcome_display()}"
