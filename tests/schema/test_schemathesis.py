"""The API does what its description says, whatever it is asked: schemathesis finds no difference.

It reads the description from a real web process and sends what keeps it and what breaks it, with
all of its checks. A failure prints a curl command that shows it again.
"""

import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from http.client import HTTPConnection
from pathlib import Path

import pytest

from notifications.intake.tokens import issue_token
from notifications.models import Scope
from tests.conftest import wait_until
from tests.e2e.system import System
from tests.factories import UserFactory
from tests.peers.smtp_peer import SmtpPeer

pytestmark = [pytest.mark.e2e, pytest.mark.django_db(transaction=True), pytest.mark.timeout(600)]

PROGRAM = Path(sys.executable).with_name("schemathesis")
SETTINGS = Path(__file__).with_name("schemathesis.toml")
EXAMPLES = 20
"""Of each operation and kind."""


@pytest.fixture
def web(tmp_path: Path, transactional_db: None) -> Iterator[System]:
    """Limbo's processes, with a provider that takes everything."""
    with SmtpPeer() as peer, System(tmp_path, f"first=smtp://127.0.0.1:{peer.port}") as system:
        system.start_web()
        system.start_worker()
        wait_until(lambda: system.get("/ready")[0] == 200)
        yield system


@contextmanager
def waiting(web: System, token: str) -> Iterator[None]:
    """Wait for events all the time: a token has one place to wait, so nobody else waits long."""
    ended = threading.Event()

    def wait() -> None:
        headers = {"Authorization": f"Bearer {token}"}
        while not ended.is_set():
            with closing(HTTPConnection("127.0.0.1", web.port, timeout=40)) as connection:
                connection.request("GET", "/v1/events?cursor=end&wait=5", headers=headers)
                connection.getresponse().read()

    waiter = threading.Thread(target=wait)
    waiter.start()
    try:
        yield
    finally:
        ended.set()
        waiter.join()


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_it_does_what_it_says(web: System, tmp_path: Path, seed: int) -> None:
    _, token = issue_token(owner=UserFactory(), name="schemathesis", scopes=list(Scope))
    command = [
        *(str(PROGRAM), "--config-file", str(SETTINGS), "run", "--no-color", "--checks", "all"),
        *("--seed", str(seed), "--max-examples", str(EXAMPLES)),
        *("--header", f"Authorization: Bearer {token}"),
        f"http://127.0.0.1:{web.port}/v1/schema",
    ]
    with waiting(web, token):
        run = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert run.returncode == 0, f"{run.stdout}\n{run.stderr}"
