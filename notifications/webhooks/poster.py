"""The poster: sends what is due, several at once, and never with a transaction open."""

import time
from collections.abc import Iterable
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from datetime import UTC, datetime

from standardwebhooks.webhooks import Webhook

from notifications.models import WebhookEndpoint
from notifications.webhooks.claim import Claimed, claim_due
from notifications.webhooks.endpoints import disable
from notifications.webhooks.errors import SecretLostError
from notifications.webhooks.outbound import Answer, Outbound
from notifications.webhooks.payload import payloads
from notifications.webhooks.record import give_up, record_answer
from notifications.webhooks.secret import unseal

_THREADS = 32
"""Posts under way at once. The threads only speak HTTP; the database is the caller's thread's."""


class Poster:
    """One run over what is due."""

    def __init__(self, outbound: Outbound) -> None:
        self._outbound = outbound
        self._under_way: dict[Future[Answer], Claimed] = {}

    def run(self, *, until: float) -> None:
        """Post until nothing is due, beginning nothing after `until` (in monotonic seconds).

        Raises DatabaseError when the database is away; what is under way then is tried again.
        """
        with ThreadPoolExecutor(_THREADS, thread_name_prefix="webhook") as pool:
            while True:
                if time.monotonic() < until:
                    self._begin(pool)
                if not self._under_way:
                    return
                ended, _ = wait(self._under_way, return_when=FIRST_COMPLETED)
                self._end(ended)

    def _begin(self, pool: ThreadPoolExecutor) -> None:
        free = _THREADS - len(self._under_way)
        claimed = claim_due(under_way=self._under_way.values(), limit=free)
        bodies = payloads(post.event_id for post in claimed)
        for post in claimed:
            body = bodies.get(post.event_id)
            if body is None:
                give_up(post, "The event is no longer kept.")
                continue
            try:
                headers = sign(post, body)
            except SecretLostError as error:
                disable(WebhookEndpoint(id=post.endpoint_id), reason=str(error))
                continue
            future = pool.submit(self._outbound.post, post.url, headers=headers, body=body.encode())
            self._under_way[future] = post

    def _end(self, ended: Iterable[Future[Answer]]) -> None:
        for future in ended:
            record_answer(self._under_way.pop(future), future.result())


def sign(post: Claimed, body: str) -> dict[str, str]:
    """The headers of one try: its id, which stays the same, the time, and the signature of both.

    Raises SecretLostError.
    """
    now = datetime.now(UTC)
    signature = Webhook(unseal(post.sealed_secret)).sign(str(post.id), now, body)
    return {
        "content-type": "application/json",
        "user-agent": "Limbo",
        "webhook-id": str(post.id),
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": signature,
    }
