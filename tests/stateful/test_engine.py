"""The engine holds I1 to I5 in every order of steps, crashes, reports and choices that is tried.

    HYPOTHESIS_PROFILE=long .venv/bin/pytest tests/stateful

tries others each time, for as long as an hour.
"""

import os
import random

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test
from pytest_django import Settings

from tests.stateful.machine import Engine

# the same orders each time, so that nobody's change fails by another's luck
_QUICK = settings(
    max_examples=40,
    stateful_step_count=40,
    derandomize=True,
    database=None,
    deadline=None,
    phases=(Phase.generate, Phase.shrink),
    suppress_health_check=list(HealthCheck),
)

_PROFILES = {
    "quick": _QUICK,
    "long": settings(_QUICK, max_examples=3000, stateful_step_count=60, derandomize=False),
}


@pytest.mark.django_db(transaction=True)
@pytest.mark.timeout(0 if "HYPOTHESIS_PROFILE" in os.environ else 900)
def test_nothing_is_lost_or_sent_twice_and_every_doubt_is_shown(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    # every wait at its bound, so that the machine knows what is over by when
    monkeypatch.setattr(random, "uniform", lambda _low, high: float(high))
    profile = os.environ.get("HYPOTHESIS_PROFILE", "quick")
    run_state_machine_as_test(Engine, settings=_PROFILES[profile])
