"""`make run`: everything on one machine, and a first message in the inbox."""

import json
import re
import signal
import socket
import subprocess
from contextlib import closing
from pathlib import Path
from urllib.request import urlopen

import pytest

from tests.conftest import wait_until
from tests.e2e.running import RUN, environment
from tests.e2e.system import ROOT

pytestmark = pytest.mark.e2e


def test_the_first_message_is_sent_and_its_history_printed(tmp_path: Path) -> None:
    ended = subprocess.run(
        RUN,
        cwd=ROOT,
        env=environment(tmp_path / "var", ONCE="1"),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
    history = re.findall(r"^\s+\d+  \S+Z  (\w+)", ended.stdout, re.MULTILINE)
    assert history == ["accepted", "sending", "sent"]
    assert len(list((tmp_path / "var" / "inbox" / "new").iterdir())) == 1


def test_it_stays_up_until_it_is_asked_to_end_and_leaves_nothing_running(tmp_path: Path) -> None:
    var = tmp_path / "var"
    with subprocess.Popen(
        RUN, cwd=ROOT, env=environment(var), stdout=subprocess.DEVNULL, start_new_session=True
    ) as process:
        record = var / "run.json"
        wait_until(record.exists, seconds=60)
        facts = json.loads(record.read_text(encoding="utf-8"))
        assert record.stat().st_mode & 0o777 == 0o600
        with urlopen(f"{facts['base_url']}/health", timeout=5) as answer:
            assert json.load(answer) == {"health": "ok"}
        process.send_signal(signal.SIGTERM)
        process.wait(timeout=10)
    for pid in facts["pids"].values():
        assert not Path(f"/proc/{pid}").exists()


def test_a_port_in_use_is_said_before_anything_starts(tmp_path: Path) -> None:
    with closing(socket.socket()) as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        ended = subprocess.run(
            RUN,
            cwd=ROOT,
            env=environment(tmp_path / "var", PORT=port),
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
    assert ended.returncode != 0
    assert port in ended.stdout + ended.stderr
    assert not (tmp_path / "var" / "postgres").exists()
