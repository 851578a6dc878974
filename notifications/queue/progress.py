"""Progress: the task that shows that work goes the whole way to a worker."""

from notifications.models import Heartbeat


def beat(cluster: str) -> None:
    """Note that `cluster` works; runs in a worker, as a django-q2 task."""
    Heartbeat.objects.beat(cluster)
    Heartbeat.objects.forget_old()
