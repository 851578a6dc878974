"""BulkAction: one choice of staff for many messages, done bit by bit; and its targets."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from uuid_utils.compat import uuid7

from notifications.models.fields import ChoiceField
from notifications.models.message import Message


class TargetOutcome(models.TextChoices):
    """What became of one message of a bulk action."""

    DONE = "done", "done"
    SKIPPED = "skipped", "left as it was"
    FAILED = "failed", "failed"


class BulkAction(models.Model):
    """A choice for the messages that were found when it was confirmed, and how far it has come.

    It is worked on under its row's lock, so one batch at a time; the counts change with the batch.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", db_index=False
    )
    choice = models.CharField(max_length=24, help_text="A name of `queue.bulk_choices`.")
    reason = models.TextField(blank=True)
    through = models.TextField(blank=True, help_text="The provider that is to be asked first.")
    whose = models.TextField(help_text="Whose messages, in words.")
    chosen_by = models.TextField(blank=True, help_text="The filters that found them, in words.")
    created_at = models.DateTimeField(db_default=Now())
    total = models.PositiveIntegerField(default=0, help_text="Its messages.")
    deliveries = models.PositiveIntegerField(
        default=0, help_text="Those of their deliveries that were to be changed."
    )
    done = models.PositiveIntegerField(default=0)
    skipped = models.PositiveIntegerField(default=0)
    failed = models.PositiveIntegerField(default=0)
    remarks = models.JSONField(
        default=dict, help_text="Why messages were not done: how many for each reason."
    )
    run = models.PositiveIntegerField(
        default=1, help_text="Counts its tasks: one that was given up for lost does nothing more."
    )
    due_at = models.DateTimeField(
        null=True, help_text="If it has not got on by then, another task is to go on with it."
    )
    tries = models.PositiveSmallIntegerField(
        db_default=0, help_text="Its tasks in a row that began and did nothing."
    )
    error = models.TextField(
        blank=True, db_default="", help_text="What ended the last one; empty where nobody knows."
    )
    halted_at = models.DateTimeField(
        null=True, help_text="When it was given up after too many tries, until staff say go on."
    )
    started_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)
    targets_removed_at = models.DateTimeField(
        null=True, help_text="When it was forgotten which messages it was for, long after its end."
    )
    stopped_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", db_index=False, null=True
    )

    class Meta:
        """Found by its id, but for those that are under way or wait for staff."""

        # whoever may see messages sees it, whoever may act on them begins and stops it
        default_permissions = ()
        constraints = [
            models.CheckConstraint(
                condition=Q(due_at__isnull=True) | Q(ended_at__isnull=True, halted_at__isnull=True),
                name="bulkaction_ended_is_not_due",
            )
        ]
        indexes = [
            # queue.bulk: those that do not get on
            models.Index(
                fields=["due_at"], name="bulkaction_due", condition=Q(due_at__isnull=False)
            ),
            # queue.bulk_targets: those that ended long ago
            models.Index(
                fields=["ended_at"],
                name="bulkaction_has_targets",
                condition=Q(ended_at__isnull=False, targets_removed_at__isnull=True),
            ),
            # the admin's home: those that wait for staff
            models.Index(
                fields=["halted_at"],
                name="bulkaction_halted",
                condition=Q(halted_at__isnull=False, ended_at__isnull=True),
            ),
        ]

    def __str__(self) -> str:
        return f"Bulk action of {self.created_at:%d %b %Y, %H:%M} UTC"

    @property
    def is_halted(self) -> bool:
        """Whether it was given up, and waits for staff to say what now."""
        return self.halted_at is not None and self.ended_at is None

    @property
    def settled(self) -> int:
        """How many of its messages it is done with, one way or another."""
        return self.done + self.skipped + self.failed

    @property
    def left(self) -> int:
        """How many of its messages it has not come to."""
        return self.total - self.settled


class BulkTarget(models.Model):
    """One message of a bulk action; marked in the transaction that makes the choice for it."""

    pk = models.CompositePrimaryKey("action_id", "message_id")
    action = models.ForeignKey(
        BulkAction, models.CASCADE, related_name="targets", db_constraint=False, db_index=False
    )
    # messages stay: see triggers.permanent
    message = models.ForeignKey(
        Message, models.DO_NOTHING, related_name="+", db_constraint=False, db_index=False
    )
    outcome = ChoiceField(
        max_length=8, choices=TargetOutcome, blank=True, help_text="Empty: not come to yet."
    )
    why = models.TextField(blank=True)

    class Meta:
        """Each index is a part of the key's order."""

        default_permissions = ()
        indexes = [
            # queue.bulk_run: the next batch
            models.Index(
                fields=["action", "message"], name="bulktarget_left", condition=Q(outcome="")
            ),
            # the progress page: what was not done, and why
            models.Index(
                fields=["action", "message"],
                name="bulktarget_not_done",
                condition=Q(outcome__in=[TargetOutcome.SKIPPED, TargetOutcome.FAILED]),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.message_id} {self.outcome}"
