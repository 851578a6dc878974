"""RollUp: how often something happened to one user's messages in one hour, or minute."""

from django.conf import settings
from django.db import models

from notifications.models.fields import ChoiceField


class Dimension(models.TextChoices):
    """What a count is of: everything, or one provider's or one tag's part of it."""

    ALL = "all", "All"
    PROVIDER = "provider", "By provider"
    TAG = "tag", "By tag"


class RollUp(models.Model):
    """Events of one kind in one hour: of the user, or of one provider or tag of the user's.

    Counted are the events that were applied: `accepted` once for each message, the others each
    time one of its deliveries comes into that state. Messages of test tokens are not counted.
    """

    pk = models.CompositePrimaryKey("owner_id", "hour", "dimension", "name", "kind")
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", db_index=False
    )
    hour = models.DateTimeField(help_text="When it begins, in UTC.")
    dimension = ChoiceField(max_length=8, choices=Dimension)
    name = models.TextField(help_text="The provider's name, or the tag; empty for all.")
    kind = models.CharField(max_length=24, help_text="The events' kind.")
    count = models.BigIntegerField()

    class Meta:
        """Indexes name the query that needs them."""

        indexes = [
            # history.rates: everybody's of some hours
            models.Index(
                fields=["hour"], name="rollup_hour", condition=~models.Q(dimension=Dimension.TAG)
            ),
        ]

    def __str__(self) -> str:
        return f"{self.count} {self.kind} in {self.hour:%Y-%m-%d %H}"


class RecentRollUp(models.Model):
    """The same by the minute, of the last two hours, for what staff look at all day.

    Only what their home shows: `accepted`, and by provider how its deliveries fared.
    """

    pk = models.CompositePrimaryKey("minute", "owner_id", "name", "kind")
    minute = models.DateTimeField(help_text="When it begins.")
    # has messages, so it cannot go away
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.DO_NOTHING,
        related_name="+",
        db_constraint=False,
        db_index=False,
    )
    name = models.TextField(help_text="The provider's name; empty for `accepted`.")
    kind = models.CharField(max_length=24, help_text="The events' kind.")
    count = models.BigIntegerField()

    def __str__(self) -> str:
        return f"{self.count} {self.kind} at {self.minute:%H:%M}"
