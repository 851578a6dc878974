"""A worker asks for a journal that it can write, on a disk of its machine."""

from pathlib import Path

import pytest
from django.core.management import call_command
from django.core.management.base import SystemCheckError
from pytest_django import Settings

from notifications.checks import run_worker_checks
from notifications.delivery.journal_folder import NETWORK, check_journal_folder, file_system

MOUNTS = """\
24 1 254:0 / / rw,relatime shared:1 - ext4 /dev/vda rw
31 24 0:27 / /srv/with\\040space rw shared:9 master:3 - nfs4 files:/srv rw,vers=4.2
32 24 0:28 / /proc rw - proc proc rw
"""


def test_the_check_makes_the_folder_and_leaves_it_empty(tmp_path: Path, settings: Settings) -> None:
    settings.LIMBO_JOURNAL_DIR = tmp_path / "var" / "journal"
    assert check_journal_folder() == []
    assert list(settings.LIMBO_JOURNAL_DIR.iterdir()) == []


@pytest.mark.django_db
def test_a_folder_that_cannot_be_written_stops_a_worker_and_nobody_else(
    tmp_path: Path, settings: Settings
) -> None:
    (tmp_path / "file").write_text("in the way")
    settings.LIMBO_JOURNAL_DIR = tmp_path / "file"
    call_command("check")
    with pytest.raises(SystemCheckError, match=r"limbo\.E014"):
        run_worker_checks()


@pytest.mark.parametrize(
    ("device", "kind"),
    [((254, 0), "ext4"), ((0, 27), "nfs4"), ((0, 99), "")],
    ids=["a disk", "a network", "unknown"],
)
def test_the_kind_of_a_file_system_is_read_from_the_mounts(
    device: tuple[int, int], kind: str
) -> None:
    major, minor = device
    assert file_system((major << 8) | minor, MOUNTS) == kind


def test_a_network_file_system_is_refused(
    tmp_path: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever the tests run on stands in for one."""
    settings.LIMBO_JOURNAL_DIR = tmp_path
    mounts = Path("/proc/self/mountinfo").read_text()
    monkeypatch.setattr(
        "notifications.delivery.journal_folder.NETWORK",
        NETWORK | {file_system(tmp_path.stat().st_dev, mounts)},
    )
    (problem,) = check_journal_folder()
    assert problem.id == "limbo.E015"
