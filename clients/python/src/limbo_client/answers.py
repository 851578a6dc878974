"""An HTTP answer as the core reads it, whichever transport brought it."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

import httpx


@dataclass(frozen=True, slots=True)
class Answer:
    """A whole answer; header names are in lower case."""

    status: int
    reason: str
    headers: Mapping[str, str]
    body: bytes

    @classmethod
    def of(cls, response: httpx.Response) -> "Answer":
        """What a transport got."""
        headers = {name.lower(): value for name, value in response.headers.items()}
        return cls(response.status_code, response.reason_phrase, headers, response.content)

    @property
    def is_success(self) -> bool:
        """Whether it is a 2xx."""
        return 200 <= self.status < 300

    @property
    def retry_after(self) -> float | None:
        """Seconds to wait, 0 or more; None where the answer does not say so."""
        text = self.headers.get("retry-after", "").strip()
        if text.isascii() and text.isdecimal():
            return float(text)
        try:
            at = parsedate_to_datetime(text)
        except ValueError:
            return None
        if at.tzinfo is None:
            return None
        return max(0.0, (at - datetime.now(UTC)).total_seconds())

    def json(self) -> Any:
        """The body, parsed. Raises ValueError for one that is not JSON."""
        return json.loads(self.body)
