"""Web and worker refuse to start with a setting that cannot be used, and say how to mend it."""

from pathlib import Path

import pytest

from tests.conftest import wait_until
from tests.e2e.system import System, free_port

pytestmark = [pytest.mark.e2e, pytest.mark.django_db(transaction=True)]

WORKER = ["manage.py", "qcluster"]
WEB = ["-m", "granian", "--interface", "wsgi", "--port", str(free_port()), "limbo.wsgi:application"]


@pytest.mark.parametrize("arguments", [WORKER, WEB], ids=["worker", "web"])
def test_a_provider_that_cannot_be_used_fails_the_start(
    tmp_path: Path, arguments: list[str]
) -> None:
    with System(tmp_path, "relay=gopher://mail.example.com") as system:
        system.start("process", arguments)
        assert wait_until(lambda: system.exit_code("process")) != 0
        said = system.log("process")
    assert "limbo.E004" in said or "limbo.E003" in said
    assert "relay" in said


def test_a_worker_without_a_journal_does_not_start(tmp_path: Path) -> None:
    (tmp_path / "journal").write_text("a file in the folder's place")
    with System(tmp_path, "relay=smtp://127.0.0.1:1") as system:
        system.start("process", WORKER)
        assert wait_until(lambda: system.exit_code("process"), seconds=60) == 1
        said = system.log("process")
    assert "limbo.E014" in said
    assert "LIMBO_JOURNAL_DIR" in said


@pytest.mark.parametrize("arguments", [WORKER, WEB], ids=["worker", "web"])
def test_a_public_limbo_does_not_start_with_failpoints(
    tmp_path: Path, arguments: list[str]
) -> None:
    armed = {"LIMBO_FAILPOINTS": "before_dot=kill", "LIMBO_FAILPOINT_DIR": str(tmp_path)}
    public = {"LIMBO_LOCAL": "0", "ALLOWED_HOSTS": "mail.example.com"}
    with System(tmp_path, "relay=smtp://127.0.0.1:1", **armed, **public) as system:
        system.start("process", arguments)
        assert wait_until(lambda: system.exit_code("process"), seconds=60) != 0
        said = system.log("process")
    assert "limbo.E013" in said
