"""Delivery: one recipient of one message, and the state machine."""

from typing import Self

from django.conf import settings
from django.db import models
from django.db.models import Q
from uuid_utils.compat import uuid7

from notifications.models import triggers
from notifications.models.fields import ChoiceField
from notifications.models.state import DEAD_LETTER, OPEN, State


class RecipientKind(models.TextChoices):
    """The field a recipient was named in."""

    TO = "to", "To"
    CC = "cc", "Cc"
    BCC = "bcc", "Bcc"


class DeliveryQuerySet(models.QuerySet["Delivery"]):
    """The questions people ask of deliveries."""

    def dead_letters(self) -> Self:
        """Those that ended without success and nobody has requeued."""
        return self.filter(state__in=DEAD_LETTER)


class Delivery(models.Model):
    """One recipient (to, cc or bcc) of one message. Its state changes only in `history`."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    # without a constraint of the database: see triggers.permanent
    message = models.ForeignKey(
        "notifications.Message", models.CASCADE, db_constraint=False, related_name="deliveries"
    )
    # its message's, whose own is checked: a check locks the user's row
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        db_constraint=False,
        db_index=False,
        related_name="+",
    )
    kind = ChoiceField(max_length=3, choices=RecipientKind)
    position = models.PositiveSmallIntegerField(help_text="Its place in its field.")
    address = models.TextField(help_text="The bare address.")
    name = models.TextField(blank=True, help_text="The display name.")
    state = ChoiceField(max_length=16, choices=State)
    generation = models.PositiveSmallIntegerField(
        default=1, help_text="Counts the recorded choices to send again."
    )
    through = models.TextField(
        blank=True,
        db_default="",
        help_text="The provider that this generation asks first, as it was chosen when it began; "
        "empty: as its message says.",
    )
    rounds = models.PositiveSmallIntegerField(
        default=0, help_text="Rounds in which every provider was asked and none took it."
    )
    backoffs = models.PositiveSmallIntegerField(
        default=0, help_text="How often it has waited; the next wait grows with it."
    )
    due_at = models.DateTimeField(null=True, help_text="When it may be tried next.")
    finalized_at = models.DateTimeField(
        null=True, help_text="When it was first settled in this generation."
    )

    objects = DeliveryQuerySet.as_manager()

    class Meta:
        """The state table is a trigger; the rest of the invariants are constraints."""

        verbose_name_plural = "deliveries"
        constraints = [
            models.CheckConstraint(
                condition=Q(state__in=OPEN, finalized_at__isnull=True)
                | (~Q(state__in=OPEN) & Q(finalized_at__isnull=False)),
                name="delivery_finalized_once_settled",
            ),
            models.CheckConstraint(
                condition=Q(state=State.PENDING, due_at__isnull=False) | ~Q(state=State.PENDING),
                name="delivery_pending_is_due",
            ),
        ]
        indexes = [
            # search by recipient: the owner's and, with the address alone, staff's
            models.Index(fields=["address", "owner", "message"], name="delivery_address"),
        ]
        triggers = [triggers.first_state(), triggers.state_machine(), triggers.permanent()]

    def __str__(self) -> str:
        return f"{self.kind} {self.address} · {self.get_state_display()}"
