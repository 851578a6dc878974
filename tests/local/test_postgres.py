"""The starter of our own PostgreSQL."""

import json
import os
import signal
import stat
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest

from limbo.local.binaries import Identity, bin_folder, unprivileged
from limbo.local.errors import LocalPostgresError
from limbo.local.postgres import LocalPostgres

THROW_AWAY = {"fsync": "off"}
AS_ROOT = pytest.mark.skipif(os.geteuid() != 0, reason="only root runs it as somebody else")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One data folder for the tests that leave it whole: making one takes a second."""
    return tmp_path_factory.mktemp("var") / "postgres"


@pytest.fixture
def server(folder: Path) -> Iterator[LocalPostgres]:
    """A running server."""
    with LocalPostgres(folder, settings=THROW_AWAY) as running:
        yield running


def test_the_role_owns_its_database_and_is_no_superuser(server: LocalPostgres) -> None:
    with psycopg.connect(server.url) as connection:
        connection.execute("CREATE TABLE of_ours (id int)")
        connection.execute("DROP TABLE of_ours")
        found = connection.execute(
            "SELECT current_user, current_database(), rolsuper, rolcreatedb FROM pg_roles"
            " WHERE rolname = current_user"
        ).fetchone()
    assert found == ("limbo", "limbo", False, True)


def test_it_answers_on_the_loopback_only_and_has_no_socket(server: LocalPostgres) -> None:
    with _superuser(server) as connection:
        listens = connection.execute(
            "SELECT current_setting('listen_addresses'), current_setting('unix_socket_directories')"
        ).fetchone()
    assert listens == ("127.0.0.1", "")


def test_everybody_is_asked_for_a_password_by_scram(server: LocalPostgres) -> None:
    with _superuser(server) as connection:
        methods = connection.execute(
            "SELECT DISTINCT auth_method FROM pg_hba_file_rules"
        ).fetchall()
    assert methods == [("scram-sha-256",)]


@pytest.mark.parametrize("user", ["postgres", "limbo"])
@pytest.mark.parametrize("password", ["", "wrong"])
def test_nobody_comes_in_without_the_password(
    server: LocalPostgres, user: str, password: str
) -> None:
    port = urlsplit(server.url).port
    with pytest.raises(psycopg.OperationalError, match="password"):
        psycopg.connect(
            host="127.0.0.1", port=port, user=user, password=password, dbname="postgres"
        )


def test_its_passwords_are_for_their_owner_only(server: LocalPostgres) -> None:
    assert stat.S_IMODE(_beside(server, "json").stat().st_mode) == 0o600


def test_the_defaults_are_safe(tmp_path: Path) -> None:
    with LocalPostgres(tmp_path / "postgres") as server, psycopg.connect(server.url) as connection:
        settings = connection.execute(
            "SELECT name, setting FROM pg_settings WHERE name = ANY(%s)",
            (["fsync", "full_page_writes", "synchronous_commit"],),
        ).fetchall()
    assert settings == [
        (name, "on") for name in ("fsync", "full_page_writes", "synchronous_commit")
    ]


def test_settings_can_be_added(server: LocalPostgres) -> None:
    with psycopg.connect(server.url) as connection:
        assert connection.execute("SHOW fsync").fetchone() == ("off",)


def test_the_next_start_finds_the_data_and_keeps_the_address(folder: Path) -> None:
    with LocalPostgres(folder, settings=THROW_AWAY) as server:
        url = server.url
        with psycopg.connect(url) as connection:
            connection.execute("CREATE TABLE kept (id int)")
    with LocalPostgres(folder, settings=THROW_AWAY) as server, psycopg.connect(url) as connection:
        assert server.url == url
        connection.execute("DROP TABLE kept")


def test_stopping_ends_the_process_in_spite_of_an_open_connection(folder: Path) -> None:
    server = LocalPostgres(folder, settings=THROW_AWAY)
    server.start()
    pid = server.pid
    with psycopg.connect(server.url) as connection:
        server.stop()
        with pytest.raises(psycopg.OperationalError):
            connection.execute("SELECT 1")
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


def test_a_second_server_on_the_same_folder_is_refused(server: LocalPostgres, folder: Path) -> None:
    with pytest.raises(LocalPostgresError, match="another process runs PostgreSQL on"):
        LocalPostgres(folder).start()
    with psycopg.connect(server.url) as connection:
        connection.execute("SELECT 1")


def test_a_server_that_outlived_its_owner_is_taken_over(folder: Path) -> None:
    first = LocalPostgres(folder, settings=THROW_AWAY)
    first.start()
    # the owner is gone without a word: only its lock is
    first._held.close()
    with LocalPostgres(folder) as second:
        assert second.pid == first.pid
        assert second.exit_code() is None
        with psycopg.connect(second.url) as connection:
            connection.execute("SELECT 1")
    # the second one sees it gone a moment before its parent does
    assert first._gone_within(10)
    assert first.exit_code() == 0


def test_a_killed_server_starts_again(folder: Path) -> None:
    server = LocalPostgres(folder, settings=THROW_AWAY)
    server.start()
    with psycopg.connect(server.url) as connection:
        connection.execute("SELECT 1")
    os.kill(server.pid, signal.SIGQUIT)
    assert server._gone_within(10)
    url = server.url
    server.start()
    assert server.url == url
    with psycopg.connect(url) as connection:
        connection.execute("SELECT 1")
    server.stop()


def test_a_lock_file_whose_pid_is_anothers_by_now_does_not_stop_the_start(tmp_path: Path) -> None:
    with LocalPostgres(tmp_path / "postgres", settings=THROW_AWAY) as server:
        left = (tmp_path / "postgres" / "postmaster.pid").read_text()
    (tmp_path / "postgres" / "postmaster.pid").write_text(
        left.replace(left.split("\n", 1)[0], "1", 1)
    )
    with LocalPostgres(tmp_path / "postgres", settings=THROW_AWAY) as server:
        assert server.exit_code() is None


def test_its_pid_is_told_as_soon_as_there_is_one(folder: Path) -> None:
    told: list[int] = []
    with LocalPostgres(folder, settings=THROW_AWAY, on_spawn=told.append) as server:
        assert told == [server.pid]


def test_a_failed_start_tells_what_the_server_said(folder: Path) -> None:
    server = LocalPostgres(folder, settings={"no_such_setting": "1"})
    with pytest.raises(LocalPostgresError, match="no_such_setting"):
        server.start()
    # and nothing is held
    with LocalPostgres(folder, settings=THROW_AWAY):
        pass


def test_data_without_its_passwords_is_refused(tmp_path: Path) -> None:
    (tmp_path / "postgres").mkdir()
    (tmp_path / "postgres" / "PG_VERSION").write_text("18\n")
    with pytest.raises(LocalPostgresError, match=r"its passwords, is gone"):
        LocalPostgres(tmp_path / "postgres").start()


def test_a_folder_with_something_else_in_it_is_left_alone(tmp_path: Path) -> None:
    folder = tmp_path / "postgres"
    folder.mkdir()
    (folder / "diary").write_text("private")
    with pytest.raises(LocalPostgresError, match="not empty"):
        LocalPostgres(folder, settings=THROW_AWAY).start()
    assert (folder / "diary").read_text() == "private"


@AS_ROOT
def test_root_runs_it_as_somebody_else_below_a_closed_folder(tmp_path: Path) -> None:
    tmp_path.chmod(0o700)
    with LocalPostgres(tmp_path / "postgres", settings=THROW_AWAY) as server:
        assert Path(f"/proc/{server.pid}").stat().st_uid == unprivileged().uid != 0
    assert stat.S_IMODE(tmp_path.stat().st_mode) == 0o700


@AS_ROOT
def test_binaries_out_of_reach_are_copied_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("limbo.local.binaries._open_to_all", lambda _: False)
    cache = tmp_path / "cache"
    copied = bin_folder(unprivileged(), cache)
    assert copied.is_relative_to(cache)
    assert (copied / "postgres").stat().st_mode & 0o005 == 0o005
    made = (copied / "postgres").stat().st_ino
    assert (bin_folder(unprivileged(), cache) / "postgres").stat().st_ino == made
    assert [path.name for path in cache.iterdir()] == [copied.parents[2].name]


def test_binaries_are_run_where_they_are_when_we_run_them_ourselves(tmp_path: Path) -> None:
    assert "site-packages" in bin_folder(Identity(), tmp_path).parts
    assert not list(tmp_path.iterdir())


def _beside(server: LocalPostgres, suffix: str) -> Path:
    return server.log.with_suffix(f".{suffix}")


def _superuser(server: LocalPostgres) -> psycopg.Connection:
    password = json.loads(_beside(server, "json").read_text())["superuser_password"]
    port = urlsplit(server.url).port
    return psycopg.connect(
        host="127.0.0.1", port=port, user="postgres", password=password, dbname="postgres"
    )


def test_another_process_is_told_where_a_running_server_is(tmp_path: Path) -> None:
    with LocalPostgres(tmp_path / "postgres", settings=THROW_AWAY) as server:
        url = LocalPostgres.url_of_running(tmp_path / "postgres")
        with psycopg.connect(url) as connection:
            assert connection.execute("SELECT 1").fetchone() == (1,)
        assert url == server.url
    assert LocalPostgres.url_of_running(tmp_path / "postgres") == ""
