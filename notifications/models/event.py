"""Event: one line of history; and the queue and positions by which followers read it."""

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models.functions import Now

from notifications.models import triggers
from notifications.models.delivery import Delivery
from notifications.models.message import Message


class Event(models.Model):
    """One append-only line of history, of a message or of one of its deliveries.

    `kind` is a delivery's new state, or what happened to the message (`accepted`, `retried`).
    """

    # without constraints of the database: see triggers.permanent; found by event_seq_unique
    message = models.ForeignKey(
        Message, models.DO_NOTHING, db_constraint=False, db_index=False, related_name="events"
    )
    delivery = models.ForeignKey(
        Delivery,
        models.DO_NOTHING,
        null=True,
        db_constraint=False,
        db_index=False,
        related_name="events",
    )
    seq = models.PositiveIntegerField(help_text="Counted per message; timelines sort by it.")
    kind = models.CharField(max_length=24)
    at = models.DateTimeField(db_default=Now())
    applied = models.BooleanField(
        db_default=True, help_text="No: it came too late or could not be, and changed nothing."
    )
    data = models.JSONField(db_default={}, help_text="Who, why, and the provider's words.")

    class Meta:
        """History is only ever added to."""

        constraints = [
            models.UniqueConstraint(fields=["message", "seq"], name="event_seq_unique"),
        ]
        triggers = [triggers.append_only(), triggers.queue_events()]

    def __str__(self) -> str:
        return f"{self.seq}. {self.kind}"


class EventQueue(models.Model):
    """Events that have no position yet, as they were inserted together; emptied by the sequencer.

    A trigger fills it. Of one message's events the later ones are in the later row, or stand later
    in the same one: each is inserted under the message's lock, by a statement that ends with its
    own row's id.
    """

    # drawn when the row is inserted: a sequence without a cache, or sessions would mix the order
    id = models.BigAutoField(primary_key=True)
    event_ids = ArrayField(models.BigIntegerField(), help_text="In their order.")


class EventPosition(models.Model):
    """The gap-free order in which followers read events; the sequencer adds its rows."""

    position = models.BigIntegerField(primary_key=True)
    event_id = models.BigIntegerField(unique=True)
    # the message's owner, whom a constraint there vouches for: one here would only cost
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        related_name="+",
        db_constraint=False,
        db_index=False,
    )

    class Meta:
        """Indexes name the query that needs them."""

        indexes = [
            # history.feed: one user's events, whatever the others do
            models.Index(fields=["owner", "position"], name="eventposition_owner"),
        ]
