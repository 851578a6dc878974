"""Whom a row kills: one django-q2 child, the sentinel, or everything.

    @pytest.mark.parametrize("victim", VICTIMS)
    def test_…(row: Row, sink: SmtpPeer, victim: Victim) -> None:
        with row.system(by_smtp(sink)) as system:
            system.arm("after_in_flight=stop")
            with Supervisor(system):
                kill_at("after_in_flight", system, victim)

The child stands still at the failpoint until it, or everything above it, is killed.
"""

import os
import signal
from contextlib import suppress
from typing import Literal, get_args

from tests.conftest import wait_until
from tests.e2e.processes import children_of
from tests.e2e.system import System

Victim = Literal["child", "sentinel", "tree"]
VICTIMS: tuple[Victim, ...] = get_args(Victim)


def kill_at(failpoint: str, system: System, victim: Victim, *, name: str = "worker") -> None:
    """Wait until a child stands still at `failpoint`, which is armed with `stop`, and kill.

    What starts from then on has no failpoints. A supervisor must start a killed tree anew.
    """
    child = wait_until(lambda: system.failed_at(failpoint), seconds=60)
    system.arm("")
    match victim:
        case "child":
            os.kill(child, signal.SIGKILL)
        case "sentinel":
            os.kill(children_of(system.pid(name))[0], signal.SIGKILL)
        case "tree":
            kill_tree(system.pid(name))


def kill_tree(main: int) -> None:
    """Kill a process and its whole group at once."""
    with suppress(ProcessLookupError):
        os.killpg(main, signal.SIGKILL)
