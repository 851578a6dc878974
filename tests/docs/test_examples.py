"""The programs in the papers are run, each in its language, against a real web process."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from limbo_client import Limbo
from notifications.intake.tokens import issue_token
from notifications.models import Message
from tests.client.test_messages import HELLO
from tests.conftest import wait_until
from tests.e2e.system import ROOT, System
from tests.factories import UserFactory

PAPER = ROOT / "docs/how-to/send-from-other-languages.md"
RUNNERS = {
    "curl": ("sh", ".sh", "curl"),
    "Python": (sys.executable, ".py", sys.executable),
    "JavaScript": ("node", ".mjs", "node"),
    "PHP": ("php", ".php", "php"),
}
"""By heading: what runs the program, its file's ending, and what must be installed."""

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(scope="module")
def web(django_db_setup: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    """Limbo's real web process."""
    with System(tmp_path_factory.mktemp("web"), "first=smtp://127.0.0.1:1") as system:
        system.start_web()
        yield system


@pytest.fixture
def environment(web: System) -> dict[str, str]:
    """What the papers tell readers to export."""
    _, token = issue_token(owner=UserFactory(), name="examples")
    return {
        **os.environ,
        "LIMBO_URL": f"http://127.0.0.1:{web.port}",
        "LIMBO_TOKEN": token,
        "PYTHONPATH": str(ROOT / "clients/python/src"),
    }


def program(language: str, task: str, folder: Path) -> list[str]:
    """The command that runs the paper's program, which is written into `folder`."""
    runner, ending, needed = RUNNERS[language]
    if shutil.which(needed) is None:
        pytest.skip(f"{needed} is not installed")
    section = re.search(
        rf"^## {language}\n(.+?)(?=^## |\Z)", PAPER.read_text("utf-8"), re.MULTILINE | re.DOTALL
    )
    assert section
    block = re.search(rf"^### {task}\n.*?^```\w+\n(.+?)^```", section[1], re.MULTILINE | re.DOTALL)
    assert block
    file = folder / f"{task}{ending}"
    file.write_text(block[1], encoding="utf-8")
    return [runner, str(file)]


@pytest.mark.parametrize("language", RUNNERS)
def test_the_program_that_sends_stores_the_message_once(
    language: str, environment: dict[str, str], tmp_path: Path
) -> None:
    command = program(language, "Send", tmp_path)
    for _ in range(2):
        told = subprocess.run(
            command, env=environment, cwd=tmp_path, capture_output=True, text=True, check=True
        )
        message = Message.objects.get()
        assert (message.subject, message.sender) == ("Your order", "Shop <shop@example.com>")
        assert str(message.id) in told.stdout


@pytest.mark.parametrize("language", RUNNERS)
def test_the_program_that_follows_tells_what_happens_and_resumes(
    language: str, environment: dict[str, str], tmp_path: Path
) -> None:
    command = program(language, "Follow", tmp_path)
    with Limbo(environment["LIMBO_URL"], environment["LIMBO_TOKEN"]) as limbo:
        early, first = limbo.send(HELLO).id, limbo.send(HELLO).id
        assert early in followed(command, environment, tmp_path, until=first)
        second = limbo.send(HELLO).id
        assert first not in followed(command, environment, tmp_path, until=second)


def followed(command: list[str], environment: dict[str, str], folder: Path, *, until: str) -> str:
    """What the program told before it was ended: `until` and the cursor behind it."""
    (folder / "told.txt").unlink(missing_ok=True)
    before = cursor_in(folder)
    with (folder / "told.txt").open("w") as out:
        process = subprocess.Popen(
            command, env=environment, cwd=folder, stdout=out, start_new_session=True
        )
    try:
        wait_until(lambda: until in (folder / "told.txt").read_text(), seconds=60)
        wait_until(lambda: cursor_in(folder) not in ("", before), seconds=60)
    finally:
        os.killpg(process.pid, 9)
        process.wait()
    return (folder / "told.txt").read_text()


def cursor_in(folder: Path) -> str:
    """The cursor that the program keeps."""
    file = folder / "cursor.txt"
    return file.read_text().strip() if file.exists() else ""
