"""Whether, and after how long, a call is tried again."""

import random
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

import httpx

from limbo_client.answers import Answer
from limbo_client.calls import Call

_TRY_LATER = {HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE}
"""Nothing was done: these are repeated whatever the call does."""

_NOT_BEGUN = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)
"""Before anything of the request was written."""


@dataclass(frozen=True, slots=True)
class Retrying:
    """How patient a client is. After the last try the call fails as that try did."""

    tries: int = 4
    """In all."""
    first_pause: float = 0.5
    """Seconds, at most; doubled each time, and drawn at random from 0 up (full jitter)."""
    longest_pause: float = 8.0
    longest_wait: float = 60.0
    """A `Retry-After` of more seconds is not waited for."""

    def pause(
        self, call: Call[Any], outcome: Answer | httpx.RequestError, tries: int
    ) -> float | None:
        """Seconds until the call is tried again after `tries`; None to leave it at that."""
        if tries >= self.tries or not _is_worth_it(call, outcome):
            return None
        longest = min(self.longest_pause, self.first_pause * 2 ** (tries - 1))
        jitter = random.uniform(0, longest)  # noqa: S311 - it hides nothing
        asked = outcome.retry_after if isinstance(outcome, Answer) else None
        if asked is not None and asked > self.longest_wait:
            return None
        # all who were asked to wait would otherwise come back at once
        return (asked or 0.0) + jitter


def _is_worth_it(call: Call[Any], outcome: Answer | httpx.RequestError) -> bool:
    if not isinstance(outcome, Answer):
        return call.is_repeatable or isinstance(outcome, _NOT_BEGUN)
    if outcome.status in _TRY_LATER:
        return True
    if outcome.status == HTTPStatus.CONFLICT:
        # the first request with this key is still under way
        return outcome.retry_after is not None
    return call.is_repeatable and outcome.status >= HTTPStatus.INTERNAL_SERVER_ERROR
