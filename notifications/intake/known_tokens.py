"""Tokens that this process has looked up a moment ago.

A busy client shows the same token hundreds of times a second; looking it up each time would cost as
much as storing what it submits.
"""

import time
from collections.abc import Callable

from notifications.models import ApiToken

KNOWN_SECONDS = 5.0
"""So long at most a revocation elsewhere, or an owner switched off, goes unnoticed."""

_MOST = 10_000
"""Tokens in memory; beyond, all are forgotten and looked up anew."""


class KnownTokens:
    """Valid tokens by their digest, each with its owner."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._tokens: dict[bytes, tuple[ApiToken, float]] = {}

    def get(self, digest: bytes) -> ApiToken | None:
        """The token, if it was looked up within KNOWN_SECONDS. It may have expired since."""
        token, looked_up_at = self._tokens.get(digest, (None, 0.0))
        is_fresh = self._clock() - looked_up_at < KNOWN_SECONDS
        return token if is_fresh else None

    def put(self, token: ApiToken) -> None:
        """Remember what was looked up just now."""
        if len(self._tokens) >= _MOST:
            self._tokens.clear()
        self._tokens[bytes(token.digest)] = (token, self._clock())

    def forget(self, digest: bytes) -> None:
        """Look the token up again next time."""
        self._tokens.pop(digest, None)
