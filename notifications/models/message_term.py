"""MessageTerm: what a message can be found by."""

from django.conf import settings
from django.db import models

from notifications.models.message import Message


class MessageTerm(models.Model):
    """One thing that one message can be found by; see `history.search`.

    The key is also the order: a term's messages lie side by side, by time, so that the newest are
    one short stretch of the index, however many there are.
    """

    pk = models.CompositePrimaryKey("owner_id", "term", "message_id")
    # neither can go away while there is a message; a constraint would only cost
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.DO_NOTHING,
        related_name="+",
        db_constraint=False,
        db_index=False,
    )
    term = models.TextField()
    message = models.ForeignKey(
        Message, models.DO_NOTHING, related_name="+", db_constraint=False, db_index=False
    )

    def __str__(self) -> str:
        return self.term
