"""Clients that submit over HTTP, and repeat under the same Idempotency-Key until answered."""

import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from random import Random
from typing import Any, Self
from uuid import UUID

import httpx

CLIENTS_A_USER = 2
_ANSWER_SECONDS = 10.0
_AGAIN_SECONDS = 0.3
_PATIENCE_SECONDS = 90.0
"""How long a submission is repeated after the load has ended."""


@dataclass(slots=True)
class Tally:
    """What became of the submissions."""

    accepted: dict[str, UUID]
    """The messages that were answered with a 2xx, by their Idempotency-Key."""
    repeats: int
    """Requests that were sent again: no answer came, or a 429 or 5xx."""
    unanswered: list[str]
    """Keys whose submission never got an answer."""
    refused: list[str]
    """Answers that nobody should have got."""


class Load:
    """Submits `rate` messages a second with the users' tokens; a context manager."""

    def __init__(self, url: str, tokens: Sequence[str], rate: float, draw: Random) -> None:
        clients = [token for token in tokens for _ in range(CLIENTS_A_USER)]
        self.tally = Tally({}, 0, [], [])
        self._over = threading.Event()
        self._threads = [
            threading.Thread(
                target=_Client(
                    url, token, f"{number}", len(clients) / rate, Random(draw.random()), self
                ).run,
                daemon=True,
            )
            for number, token in enumerate(clients)
        ]

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        for thread in self._threads:
            thread.join()

    def is_over(self, *, within: float = 0.0) -> bool:
        """Whether nothing new is to be submitted; waits for it `within` seconds."""
        return self._over.wait(within)


class _Client:
    """One client: one submission after the other, at its own pace."""

    def __init__(
        self, url: str, token: str, name: str, interval: float, draw: Random, load: Load
    ) -> None:
        self._name = name
        self._interval = interval
        self._draw = draw
        self._load = load
        self._http = httpx.Client(
            base_url=url,
            headers={"Authorization": f"Bearer {token}"},
            timeout=_ANSWER_SECONDS,
            trust_env=False,
        )

    def run(self) -> None:
        """Submit until the load is over."""
        count = 0
        began = time.monotonic()
        while not self._load.is_over(within=began + count * self._interval - time.monotonic()):
            count += 1
            self._submit(f"{self._name}-{count}")
        self._http.close()

    def _submit(self, key: str) -> None:
        body = self._message(key)
        tally = self._load.tally
        patience_ends = 0.0
        while not (answer := self._post(key, body)):
            tally.repeats += 1
            if self._load.is_over(within=_AGAIN_SECONDS):
                patience_ends = patience_ends or time.monotonic() + _PATIENCE_SECONDS
                if time.monotonic() > patience_ends:
                    tally.unanswered.append(key)
                    return
                time.sleep(_AGAIN_SECONDS)
        if answer.is_success:
            tally.accepted[key] = UUID(answer.json()["id"])
        else:
            tally.refused.append(f"{key} was answered {answer.status_code}: {answer.text[:200]}")

    def _post(self, key: str, body: dict[str, Any]) -> httpx.Response | None:
        """The answer; None when it is to be asked again."""
        try:
            answer = self._http.post("/v1/mail", json=body, headers={"Idempotency-Key": key})
        except httpx.HTTPError:
            return None
        return None if answer.status_code == 429 or answer.status_code >= 500 else answer

    def _message(self, key: str) -> dict[str, Any]:
        """Mostly to one reader; every address is used once, so that it names its message."""
        readers = self._draw.choices([1, 2, 4], [90, 7, 3])[0]
        return {
            "from": "App <app@example.com>",
            "to": [f"r{key}-{number}@example.org" for number in range(readers)],
            "subject": key,
            "message": "Hello.\n" * self._draw.randrange(1, 200),
        }
