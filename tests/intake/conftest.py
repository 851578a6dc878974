"""What the tests of the door share."""

import pytest


@pytest.fixture(autouse=True)
def wakeups(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The wake-ups that were asked for, instead of a thread that outlives the test."""
    asked: list[str] = []
    monkeypatch.setattr("notifications.intake.submission.wake", lambda: asked.append("wake"))
    return asked
