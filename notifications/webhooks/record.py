"""Recording what became of a post, and what follows for it and its endpoint."""

import random
from datetime import timedelta

from django.db import transaction
from django.db.models import QuerySet
from django.db.models.functions import Now
from django.utils import timezone

from notifications.models import WebhookDelivery, WebhookEndpoint, WebhookState
from notifications.webhooks.claim import Claimed
from notifications.webhooks.endpoints import disable
from notifications.webhooks.outbound import Answer

_MINUTE = 60
_HOUR = 60 * _MINUTE

RETRY_DELAYS = (
    5,
    5 * _MINUTE,
    30 * _MINUTE,
    2 * _HOUR,
    5 * _HOUR,
    10 * _HOUR,
    14 * _HOUR,
    20 * _HOUR,
    24 * _HOUR,
)
"""Seconds between the tries of one post: the schedule of Standard Webhooks."""

_JITTER = 0.1
"""By so much a delay is lengthened at random, so that what failed together does not return so."""

LONGEST_FAILURE = timedelta(days=5)
"""An endpoint that has taken nothing for so long is disabled."""

_SHORTEST_PAUSE = timedelta(seconds=5)
_LONGEST_PAUSE = timedelta(minutes=5)

_LONGEST_WAIT_SECONDS = _HOUR
"""Whatever an endpoint asks for with Retry-After, it is called again after an hour."""

GONE = 410


def record_answer(post: Claimed, answer: Answer) -> None:
    """Store how a try of `post` ended.

    A try whose claim has run out meanwhile is recorded only if nobody else has tried since.
    """
    with transaction.atomic():
        if answer.is_success:
            _succeed(post, answer)
        else:
            _fail(post, answer)


def give_up(post: Claimed, reason: str) -> None:
    """End `post`, by no fault of its endpoint's."""
    _ours(post).update(state=WebhookState.FAILED, due_at=None, last_answer=reason)


def _succeed(post: Claimed, answer: Answer) -> None:
    _ours(post).update(
        state=WebhookState.DELIVERED,
        due_at=None,
        delivered_at=Now(),
        last_status=answer.status,
        last_answer=answer.text,
    )
    WebhookEndpoint.objects.filter(id=post.endpoint_id, failing_since__isnull=False).update(
        failing_since=None, paused_until=None
    )


def _fail(post: Claimed, answer: Answer) -> None:
    is_over = answer.status == GONE or post.attempts > len(RETRY_DELAYS)
    fate = (
        {"state": WebhookState.FAILED, "due_at": None}
        if is_over
        else {"due_at": Now() + max(_delay(post.attempts), _asked(answer))}
    )
    _ours(post).update(last_status=answer.status, last_answer=answer.text, **fate)
    endpoint = WebhookEndpoint.objects.select_for_update(no_key=True).get(id=post.endpoint_id)
    if answer.status == GONE:
        disable(endpoint, reason="It answered 410 Gone: it wants nothing more.")
    else:
        _note_failure(endpoint, asked=_asked(answer))


def _ours(post: Claimed) -> QuerySet[WebhookDelivery]:
    """The post's row, as long as this try is its last one."""
    return WebhookDelivery.objects.filter(
        id=post.id, attempts=post.attempts, state=WebhookState.PENDING
    )


def _delay(attempts: int) -> timedelta:
    seconds = RETRY_DELAYS[attempts - 1]
    # spreading load is no secret
    return timedelta(seconds=seconds * random.uniform(1, 1 + _JITTER))  # noqa: S311


def _asked(answer: Answer) -> timedelta:
    """The wait that the endpoint asked for, within reason."""
    return timedelta(seconds=min(answer.retry_after, _LONGEST_WAIT_SECONDS))


def _note_failure(endpoint: WebhookEndpoint, *, asked: timedelta) -> None:
    """Leave the endpoint alone for a while, the longer it has failed; at last disable it."""
    now = timezone.now()
    since = endpoint.failing_since or now
    failing_for = now - since
    if failing_for > LONGEST_FAILURE:
        disable(endpoint, reason=f"It has taken nothing since {since:%d %B %Y, %H:%M} UTC.")
        return
    pause = max(_SHORTEST_PAUSE, min(failing_for, _LONGEST_PAUSE), asked)
    WebhookEndpoint.objects.filter(id=endpoint.id).update(
        failing_since=since, paused_until=now + pause
    )
