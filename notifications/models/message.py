"""Message: one accepted submission, and the row in the queue."""

from typing import Self

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Case, F, Q, Value, When
from django.db.models.functions import Now
from uuid_utils.compat import uuid7

from notifications.models import triggers
from notifications.models.fair_share import Priority
from notifications.models.fields import ChoiceField
from notifications.models.owners_list import OwnersList
from notifications.models.state import DEAD_LETTER, State
from notifications.models.template import TemplateVersion


class OnUncertain(models.TextChoices):
    """What becomes of a delivery of which nobody knows whether a provider took it."""

    HOLD = "hold", "hold it for people"
    RESEND = "resend", "send it again, at the risk of a second copy"


def in_states(*states: str) -> Q:
    """The condition that a message is in one of `states`, which the indexes of the lists find.

    What is being sent stands among what is pending there. Alone it is found by its lease, which it
    always has: it may be little beside all that is pending, at the far end of that.
    """
    listed = {State.PENDING if state == State.SENDING else state for state in states}
    found = Q(list_state__in=listed)
    if State.PENDING not in listed or {State.PENDING, State.SENDING}.issubset(states):
        return found
    if listed == {State.PENDING} and State.SENDING in states:
        found &= Q(lease_until__isnull=False)
    return found & Q(state__in=states)


class MessageQuerySet(models.QuerySet["Message"]):
    """The questions people ask of messages."""

    def owned_by(self, owner: models.Model) -> Self:
        """Only `owner`'s messages: every user-facing look-up begins here."""
        return self.filter(owner=owner)

    def listed(self, owner: models.Model) -> OwnersList:
        """The same, where they are shown in pages."""
        return OwnersList.of(self.owned_by(owner))

    def dead_letters(self) -> Self:
        """Messages with a delivery that ended without success."""
        return self.filter(in_states(*DEAD_LETTER))


class Message(models.Model):
    """One accepted submission. The queue is this table: lease, `due_at` and derived state."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    # `message_owner_state` is its index
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, db_index=False, related_name="messages"
    )
    sender = models.TextField(help_text="The From header, display name included.")
    sender_address = models.TextField(help_text="The bare address: the SMTP envelope's sender.")
    subject = models.TextField()
    header_message_id = models.TextField(
        help_text="The Message-ID header, the same on every attempt."
    )
    accepted_at = models.DateTimeField(db_default=Now())
    expires_at = models.DateTimeField(help_text="The deadline: by then every delivery is settled.")
    state = ChoiceField(
        max_length=16, choices=State, help_text="Derived from the deliveries' states."
    )
    # Stays the same when a hand-off begins, so that no index has to learn of that: see `in_states`.
    # Statements that change many rows set `state`, if only to what it is: where nothing is set that
    # a generated column depends on, PostgreSQL 18 reads its expression anew for each row, to find
    # that it is not needed (ExecInitGenerated in nodeModifyTable.c), which takes 10 us.
    list_state = models.GeneratedField(
        expression=Case(
            When(state=State.SENDING, then=Value(State.PENDING.value)),
            default=F("state"),
            output_field=models.CharField(),
        ),
        output_field=models.CharField(max_length=16),
        db_persist=True,
        help_text="Its state as the lists' indexes have it: what is being sent is pending there.",
    )
    seq = models.PositiveIntegerField(
        default=0, help_text="The number of the message's last event."
    )
    due_at = models.DateTimeField(
        null=True, help_text="Its earliest delivery's; empty when nothing is due."
    )
    priority = ChoiceField(max_length=8, choices=Priority, db_default=Priority.NORMAL)
    turn = models.BigIntegerField(
        null=True,
        help_text="Its place in the queue, in virtual time; empty while it is not due.",
    )
    is_test = models.BooleanField(
        db_default=False, help_text="Made by a test token: it goes to the sandbox, never out."
    )
    # what most messages do not say is null or empty, so that their rows stay small
    reply_to = ArrayField(
        models.TextField(), null=True, help_text="The Reply-To header, display names included."
    )
    headers = models.JSONField(null=True, help_text="Further headers: names and values, in order.")
    tags = ArrayField(models.TextField(), null=True)
    metadata = models.JSONField(null=True, help_text="The caller's own keys and values.")
    send_at = models.DateTimeField(null=True, help_text="Not before; empty: at once.")
    on_uncertain = ChoiceField(max_length=8, choices=OnUncertain, db_default=OnUncertain.HOLD)
    preferred_provider = models.TextField(
        blank=True, db_default="", help_text="The provider that is asked first."
    )
    failover = models.BooleanField(db_default=True, help_text="Whether others are asked after it.")
    deaths = models.PositiveSmallIntegerField(
        db_default=0, help_text="How many workers have died while they had it."
    )
    lease_token = models.UUIDField(null=True, help_text="Held by the worker that claimed it.")
    lease_until = models.DateTimeField(null=True)
    # no index: versions are never deleted, and nobody asks for a version's messages
    template_version = models.ForeignKey(
        TemplateVersion,
        models.PROTECT,
        related_name="+",
        null=True,
        db_index=False,
        help_text="The template's version that subject and bodies were rendered from.",
    )

    objects = MessageQuerySet.as_manager()

    class Meta:
        """Indexes name the query that needs them."""

        constraints = [
            models.CheckConstraint(
                condition=Q(lease_token__isnull=True, lease_until__isnull=True)
                | Q(lease_token__isnull=False, lease_until__isnull=False),
                name="message_lease_whole",
            ),
            models.CheckConstraint(condition=Q(state__in=State.values), name="message_state_known"),
        ]
        indexes = [
            # queue.claim: what has its turn and is not claimed, in the order of turns
            models.Index(
                F("turn"),
                F("id"),
                name="message_turn",
                condition=Q(turn__isnull=False, due_at__isnull=False, lease_until__isnull=True),
            ),
            # queue.turns: what is due by now and has no turn yet, in this order: many messages may
            # be scheduled for one moment
            models.Index(
                fields=["due_at", "id"],
                name="message_due",
                condition=Q(turn__isnull=True, due_at__isnull=False, lease_until__isnull=True),
            ),
            # queue.turns: the same of one user and priority, where more is due than one call takes
            models.Index(
                fields=["owner", "priority", "due_at", "id"],
                name="message_share",
                condition=Q(turn__isnull=True, due_at__isnull=False, lease_until__isnull=True),
            ),
            # queue.schedule: what is scheduled for by now
            models.Index(
                fields=["due_at"],
                name="message_scheduled",
                condition=Q(list_state=State.SCHEDULED),
            ),
            # queue.sweep: leases that ran out
            models.Index(
                fields=["lease_until"],
                name="message_lease",
                condition=Q(lease_until__isnull=False),
            ),
            # OwnersList: newest first (UUIDv7 sorts by time), by state and whole
            models.Index(
                F("owner"),
                F("list_state"),
                F("id").desc(nulls_last=True),
                name="message_owner_state",
            ),
            # staff's list filtered by state
            models.Index(fields=["list_state", "-id"], name="message_state"),
        ]
        triggers = [triggers.permanent()]

    def __str__(self) -> str:
        return f"{self.subject or '(no subject)'} · {self.get_state_display()}"
