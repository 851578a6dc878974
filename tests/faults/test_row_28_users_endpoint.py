"""Row 28: a user's endpoint fails for an hour, and then wants nothing more."""

from datetime import timedelta

import pytest
from django.db.models import F
from django.utils import timezone
from django_q.tasks import async_task

from notifications.models import WebhookDelivery, WebhookEndpoint, WebhookState
from notifications.webhooks.endpoints import create_endpoint
from notifications.webhooks.record import RETRY_DELAYS
from notifications.webhooks.work import TASK
from tests.conftest import wait_until
from tests.faults.row import Row
from tests.faults.steps import by_smtp
from tests.peers import Answer, HttpPeer, SmtpPeer

_FAILURES = 4
"""As many tries as the schedule has in the first hour, and the one after it."""


def time_passes(delay: timedelta) -> None:
    """Let `delay` pass for all posts and endpoints, and have what is due posted.

    Their columns are moved instead of the clock.
    """
    WebhookDelivery.objects.filter(due_at__isnull=False).update(
        due_at=F("due_at") - delay, last_status=None
    )
    WebhookEndpoint.objects.filter(paused_until__isnull=False).update(
        paused_until=F("paused_until") - delay
    )
    async_task(TASK, save=False)


@pytest.mark.quick
@pytest.mark.faults("28", "user's webhook endpoint 500s for an hour, then 410")
def test_it_is_retried_by_the_schedule_and_disabled_and_others_are_not_affected(
    row: Row, sink: SmtpPeer
) -> None:
    script = [Answer(500)] * _FAILURES + [Answer(410)]
    with (
        HttpPeer(script) as failing,
        HttpPeer(speak=lambda _: Answer(204, "")) as healthy,
        row.system(by_smtp(sink), LIMBO_WEBHOOK_ALLOW_PRIVATE="1") as system,
    ):
        bad, _ = create_endpoint(owner=row.owner(), url=f"{failing.url}hook", kinds=["sent"])
        create_endpoint(owner=row.owner(), url=f"{healthy.url}hook", kinds=["sent"])
        row.submit(1)
        system.start_worker()
        for turn, seconds in enumerate(RETRY_DELAYS[:_FAILURES], start=1):
            post = WebhookDelivery.objects.filter(endpoint=bad, attempts=turn, last_status=500)
            wait_until(post.exists, seconds=60)
            due_at = post.get().due_at
            assert due_at is not None
            wait = (due_at - timezone.now()).total_seconds()
            assert wait < seconds * 1.2
            assert wait > seconds * 0.9 or turn == 1
            time_passes(timedelta(seconds=seconds * 1.2))
        wait_until(lambda: not WebhookEndpoint.objects.get(id=bad.id).enabled, seconds=60)
        row.submit(1)
        wait_until(lambda: len(healthy.requests) == 2, seconds=60)
        row.drain()
        verdict = row.judge(sink)
    assert len(failing.requests) == _FAILURES + 1
    assert len({request.headers["webhook-id"] for request in failing.requests}) == 1
    states = WebhookDelivery.objects.filter(endpoint=bad).values_list("state", flat=True)
    assert WebhookState.PENDING not in states
    assert verdict.handed_off == 2
