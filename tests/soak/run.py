"""One soak: load and faults, then calm, then the verdict."""

import os
import signal
import time
from contextlib import suppress
from pathlib import Path

import pytest
from django.core.management import call_command

from notifications.intake.tokens import issue_token
from notifications.models import User
from tests.conftest import wait_until
from tests.e2e.system import System
from tests.faults.own_postgres import OwnPostgres
from tests.faults.row import Row
from tests.soak.chaos import Chaos
from tests.soak.drain import DRAIN_SECONDS, drain
from tests.soak.load import Load
from tests.soak.options import Options
from tests.soak.progress import Progress, count_by_state
from tests.soak.stack import Keeper, Providers, Stack
from tests.soak.verdict import evidence, judge_soak

USERS = 4
_TICK_SECONDS = 0.2


def run(folder: Path, options: Options, postgres: OwnPostgres, providers: Providers) -> bool:
    """Run the soak on a running, empty PostgreSQL; answers whether everything held."""
    call_command("migrate", verbosity=0)
    users = [User.objects.create(username=f"user{number}") for number in range(USERS)]
    tokens = [issue_token(owner=user, name="soak")[1] for user in users]
    with System(folder, providers.setting) as system:
        row = Row("soak", "", folder, systems=[system])
        with Keeper(system) as keeper:
            chaos = Chaos(Stack(postgres, providers, keeper), options.draw("faults"))
            url = f"http://127.0.0.1:{system.port}"
            load = Load(url, tokens, options.rate, options.draw("load"))
            progress = Progress(load.tally, chaos)
            _make_faults(load, chaos, progress, options.minutes * 60)
            providers.calm()
            print("The faults are over. What waits for a next try is tried now.", flush=True)
            problems = [] if drain(row, users[0], progress.tick) else [_UNDRAINED]
            problems += _judge(row, load, chaos, progress, providers)
    problems += _end_leftovers(row)
    for problem in problems:
        print(f"PROBLEM {problem}")
    print("Nothing lost, nothing doubled." if not problems else "The invariants do not hold.")
    return not problems


_UNDRAINED = f"the queue did not drain within {DRAIN_SECONDS:g} s"


def _make_faults(load: Load, chaos: Chaos, progress: Progress, seconds: float) -> None:
    ends_at = time.monotonic() + seconds
    with load:
        while time.monotonic() < ends_at:
            chaos.tick()
            progress.tick()
            time.sleep(_TICK_SECONDS)
        chaos.end()


def _end_leftovers(row: Row) -> list[str]:
    """Orphans end by themselves within seconds; those that do not are told, and killed."""
    with suppress(pytest.fail.Exception):
        wait_until(lambda: not row.leftovers(), seconds=20)
    left = row.leftovers()
    for system in row.systems:
        for pid in system.survivors():
            os.kill(pid, signal.SIGKILL)
    return [f"{orphan} still runs" for orphan in left]


def _judge(
    row: Row, load: Load, chaos: Chaos, progress: Progress, providers: Providers
) -> list[str]:
    progress.say()
    seen = providers.received()
    judgement = judge_soak(load.tally, seen, chaos.made)
    judgement.verdict.problems += row.forgotten_journals()
    print(f"submissions repeated {load.tally.repeats} times; deliveries {count_by_state()}")
    for line in judgement.lines():
        print(line)
    for line in evidence(judgement.verdict.problems, seen):
        print(line)
    return judgement.verdict.problems
