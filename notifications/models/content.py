"""Content: a message's bodies, apart from the queue's rows."""

from django.db import models

from notifications.models.message import Message


class Content(models.Model):
    """The body of one message. A table of its own, so that the queue's rows stay small."""

    message = models.OneToOneField(
        Message, models.CASCADE, primary_key=True, related_name="content"
    )
    text = models.TextField()

    def __str__(self) -> str:
        return f"content of {self.message_id}"
