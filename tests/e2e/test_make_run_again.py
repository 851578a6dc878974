"""`make run` after a `make run` that was killed."""

import json
import os
import signal
import subprocess
from pathlib import Path

import pytest

from limbo.local.processes import Process, boot_id
from tests.conftest import wait_until
from tests.e2e.running import RUN, MakeRun, environment, kill_all
from tests.e2e.system import ROOT
from tests.peers.actions import reply
from tests.peers.smtp_peer import SmtpPeer

# two runs each, one of which may have to wait for a process that hangs
pytestmark = [pytest.mark.e2e, pytest.mark.timeout(400)]


def subjects(peer: SmtpPeer) -> list[str]:
    """What the peer has taken, in order."""
    return [str(envelope.message["Subject"]) for envelope in peer.taken]


def mails(peer: SmtpPeer) -> int:
    """How often something was offered to the peer."""
    return sum(command.upper().startswith("MAIL ") for command in peer.commands)


def still_runs(process: Process) -> bool:
    """Whether this very process has not ended."""
    found = Process.find(process.pid)
    return found is not None and found.is_same(process.pid, process.started)


def test_after_the_run_alone_was_killed_the_next_one_sends_what_waits(tmp_path: Path) -> None:
    # the first message is taken, the next ones are put off
    script = [None, *[reply("451 4.3.0 later")] * 100]
    with SmtpPeer(on={"mail": script}) as peer:
        provider = f"peer=smtp://127.0.0.1:{peer.port}"
        with MakeRun(tmp_path / "var", LIMBO_PROVIDERS=provider) as run:
            run.start()
            path = run.post("It waits")
            wait_until(lambda: mails(peer) == 2 and run.state(path) == "pending")
            left = run.family()
            run.kill()
            script.clear()
            run.start()
            wait_until(lambda: run.state(path) == "sent", seconds=90)
            assert left
            assert not any(still_runs(process) for process in left)
        assert subjects(peer).count("It waits") == 1
        assert len(peer.taken) == 3


def test_a_process_that_hangs_is_ended_by_the_next_run_and_no_message_is_lost(
    tmp_path: Path,
) -> None:
    with MakeRun(tmp_path / "var") as run:
        run.start()
        worker = Process.find(run.facts()["pids"]["worker"])
        assert worker is not None
        # stopped, it hears of no SIGTERM
        os.killpg(worker.pid, signal.SIGSTOP)
        path = run.post("It is in nobody's hands")
        others = [process for process in run.family() if process != worker]
        run.kill()
        kill_all(others)
        wait_until(lambda: not any(still_runs(process) for process in others))
        assert still_runs(worker)
        run.start()
        assert not still_runs(worker)
        wait_until(lambda: run.state(path) == "sent", seconds=60)
        kept = [path.read_bytes() for path in (tmp_path / "var" / "inbox" / "new").iterdir()]
    assert sum(b"It is in nobody's hands" in content for content in kept) == 1


def test_a_process_that_has_the_pid_of_a_killed_run_by_now_is_left_alone(tmp_path: Path) -> None:
    var = tmp_path / "var"
    var.mkdir(mode=0o700)
    with subprocess.Popen(["sleep", "600"], start_new_session=True) as stranger:
        found = Process.find(stranger.pid)
        assert found is not None
        noted = {"web": [stranger.pid, found.started - 1]}
        content = {"boot": boot_id(), "run": "of-another-day", "processes": noted}
        (var / "started.json").write_text(json.dumps(content))
        ended = subprocess.run(
            RUN, cwd=ROOT, env=environment(var, ONCE="1"), timeout=150, check=False
        )
        alive = stranger.poll() is None
        stranger.kill()
    assert ended.returncode == 0
    assert alive
    assert not (var / "started.json").exists()
