"""Content and Attachment: a message's bodies and files, apart from the queue's rows."""

from typing import Self

from django.db import models
from django.db.models.functions import Length

from notifications.models.message import Message


class Content(models.Model):
    """The bodies of one message. A table of its own, so that the queue's rows stay small."""

    # without a constraint of the database: see triggers.permanent
    message = models.OneToOneField(
        Message, models.CASCADE, primary_key=True, db_constraint=False, related_name="content"
    )
    text = models.TextField()
    html = models.TextField(blank=True, db_default="")
    attached_octets = models.PositiveIntegerField(
        db_default=0, help_text="How much its files have, so that nobody looks for none."
    )

    def __str__(self) -> str:
        return f"content of {self.message_id}"


class AttachmentQuerySet(models.QuerySet["Attachment"]):
    """The questions people ask of files."""

    def sized(self) -> Self:
        """With `size`, in octets, which is known without reading what is in them."""
        return self.annotate(size=Length("content", output_field=models.IntegerField()))


class Attachment(models.Model):
    """A file that goes with a message."""

    # the unique index below begins with it
    message = models.ForeignKey(Message, models.CASCADE, related_name="attachments", db_index=False)
    position = models.PositiveSmallIntegerField()
    name = models.TextField()
    type = models.TextField(help_text="Its media type.")
    content_id = models.TextField(
        blank=True, help_text="The HTML refers to it by this; empty: it stands for itself."
    )
    content = models.BinaryField()

    objects = AttachmentQuerySet.as_manager()

    class Meta:
        """Read by message, in their order."""

        constraints = [
            models.UniqueConstraint(fields=["message", "position"], name="attachment_place"),
        ]

    def __str__(self) -> str:
        return self.name
