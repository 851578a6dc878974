"""The one row."""

from django.conf import settings
from django.db import models
from django.db.models.functions import Now


class Letter(models.Model):
    """A message as a table of one's own would have it."""

    owner = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    sender = models.TextField()
    recipient = models.TextField()
    subject = models.TextField()
    message = models.TextField()
    created_at = models.DateTimeField(db_default=Now())

    objects: "models.Manager[Letter]" = models.Manager()

    class Meta:
        """No index but the keys'."""

        app_label = "bare"

    def __str__(self) -> str:
        return self.subject
