"""The first message: proof, over the same HTTP that everybody uses, that all of it works."""

import time
from collections.abc import Callable
from email import policy
from email.parser import BytesHeaderParser
from pathlib import Path
from typing import Any, Protocol

import httpx

from limbo.local.errors import RunError

RECIPIENT = "demo@example.com"
READY_SECONDS = 60.0
SENT_SECONDS = 45.0

_ANSWER_SECONDS = 5.0
_OPEN = {"pending", "scheduled", "held", "sending"}
_GONE_OUT = {"queued", "sent", "deferred", "delivered"}


class Wait(Protocol):
    """Waits until a condition holds, at most so many seconds; answers whether it did."""

    def __call__(self, condition: Callable[[], bool], *, seconds: float) -> bool: ...


class FirstMessage:
    """One message and what is known of it; each step raises RunError when it does not succeed."""

    def __init__(self, base_url: str, token: str, wait: Wait) -> None:
        self._client = httpx.Client(
            base_url=base_url,
            headers={"Authorization": f"Bearer {token}"},
            timeout=_ANSWER_SECONDS,
            # a proxy has no business between two processes of one machine
            trust_env=False,
        )
        self._wait = wait
        self._posted_at = time.time()
        self._subject = f"The first message of {time.strftime('%Y-%m-%d %H:%M:%S %z')}"
        self._id = ""
        self._shown: dict[str, Any] = {}
        self._refusal = ""

    def close(self) -> None:
        """Let go of the connections."""
        self._client.close()

    def wait_for_service(self) -> None:
        """Wait until Limbo says of itself that it is ready."""
        if not self._wait(self._is_ready, seconds=READY_SECONDS):
            raise RunError(f"Limbo was not ready within {READY_SECONDS:g} s: {self._refusal}")

    def post(self) -> str:
        """Submit the message; returns its id."""
        body = {
            "from": "Limbo <limbo@example.com>",
            "to": [RECIPIENT],
            "subject": self._subject,
            "message": "Hello!\n\nIf you can read this, Limbo works.\n",
        }
        try:
            answer = self._client.post("/v1/mail", json=body)
        except httpx.HTTPError as error:
            raise RunError(f"the first message could not be posted: {error}") from error
        if answer.status_code != httpx.codes.OK:
            raise RunError(f"the first message was refused ({answer.status_code}): {answer.text}")
        self._id = str(answer.json()["id"])
        return self._id

    def wait_until_sent(self) -> None:
        """Wait until a provider has taken it."""
        settled = self._wait(self._is_settled, seconds=SENT_SECONDS)
        state = self._shown.get("state", "unknown")
        if not settled:
            raise RunError(
                f"the first message was not sent within {SENT_SECONDS:g} s, but is {state}"
                f"{self._reason()}"
            )
        if state not in _GONE_OUT:
            raise RunError(f"the first message was not sent, but is {state}{self._reason()}")

    def wait_until_in(self, inbox: Path) -> Path:
        """Wait until it lies in a Maildir; returns its file."""
        if not self._wait(lambda: self._find(inbox) is not None, seconds=SENT_SECONDS):
            raise RunError(f"the first message was sent, but is not in {inbox}")
        found = self._find(inbox)
        assert found is not None  # noqa: S101  it was there just now
        return found

    def history(self) -> list[str]:
        """What became of it, a line for each event."""
        return [
            f"{event['seq']:>4}  {event['at']}  {event['kind']:<10}  {event.get('recipient') or ''}"
            for event in self._shown.get("events", ())
        ]

    def _is_ready(self) -> bool:
        try:
            answer = self._client.get("/ready")
        except httpx.HTTPError as error:
            self._refusal = f"the web front does not answer ({error})"
            return False
        self._refusal = answer.text
        return answer.status_code == httpx.codes.OK

    def _is_settled(self) -> bool:
        try:
            answer = self._client.get(f"/v1/mail/{self._id}").raise_for_status()
        except httpx.HTTPError as error:
            raise RunError(f"the first message cannot be read again: {error}") from error
        self._shown = answer.json()
        return self._shown["state"] not in _OPEN

    def _reason(self) -> str:
        """What the last provider answered."""
        answers = [
            f"{attempt['provider']}: {attempt['answer']}"
            for delivery in self._shown.get("deliveries", ())
            for attempt in delivery.get("attempts", ())
            if attempt.get("answer")
        ]
        return f" ({answers[-1]})" if answers else ""

    def _find(self, inbox: Path) -> Path | None:
        parser = BytesHeaderParser(policy=policy.default)
        for path in (inbox / "new").glob("*"):
            # an inbox may hold thousands from other days
            if path.stat().st_mtime < self._posted_at - 1:
                continue
            with path.open("rb") as file:
                if parser.parse(file)["Subject"] == self._subject:
                    return path
        return None
