"""StaffAction: one line of the log of what staff did or looked at."""

from django.contrib.admin.models import LogEntry

from notifications.models import triggers


class StaffAction(LogEntry):
    """Django's log of the admin, which the database holds to be added to only.

    Who is in it stays: a user who has done something can be made inactive, not removed.
    """

    class Meta:
        """The log's screen is that of Django's own model; this one only brings the triggers."""

        proxy = True
        default_permissions = ()
        triggers = [triggers.append_only(), triggers.never_emptied()]
