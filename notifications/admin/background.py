"""Background tasks: what failed and what is planned, to read.

A schedule names a function to run, so whoever may write one may run anything: they are written by
code alone. The queue and the finished tasks of django-q2 hold none of Limbo's messages, and their
screens would only make people look for them there.
"""

from django.contrib import admin
from django.utils.safestring import SafeString
from django_q import admin as _registered_first  # noqa: F401 - it must not register after us
from django_q.models import Failure, OrmQ, Schedule, Success

from notifications.admin.display import moment
from notifications.admin.theme import ReadOnlyAdmin

admin.site.unregister([Failure, OrmQ, Schedule, Success])


@admin.register(Failure)
class FailureAdmin(ReadOnlyAdmin[Failure]):
    """Tasks that ended with an error, newest first."""

    list_display = ("name", "func", "started_column", "attempt_count")
    fields = ("name", "func", "started", "stopped", "attempt_count", "result")
    ordering = ("-started",)
    sortable_by = ()
    list_per_page = 50

    @admin.display(description="Started")
    def started_column(self, task: Failure) -> SafeString:
        """When it began."""
        return moment(task.started)


@admin.register(Schedule)
class ScheduleAdmin(ReadOnlyAdmin[Schedule]):
    """Tasks that Limbo runs at set times."""

    list_display = ("name", "func", "schedule_type", "next_column")
    fields = ("name", "func", "schedule_type", "minutes", "cron", "next_run", "repeats")
    sortable_by = ()

    @admin.display(description="Next run")
    def next_column(self, schedule: Schedule) -> SafeString:
        """When it runs next."""
        return moment(schedule.next_run)
