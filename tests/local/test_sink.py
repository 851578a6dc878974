"""The local inbox, as the process that `make run` starts."""

import smtplib
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from email import message_from_bytes, policy
from pathlib import Path

import pytest

from tests.conftest import wait_until
from tests.local.ports import free_port


@pytest.fixture(scope="module")
def port() -> int:
    """A port that is free."""
    return free_port()


@pytest.fixture(scope="module")
def inbox(tmp_path_factory: pytest.TempPathFactory, port: int) -> Iterator[Path]:
    """The folder of a running inbox."""
    folder = tmp_path_factory.mktemp("sink") / "inbox"
    with subprocess.Popen(_command(port, folder), stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline().startswith(f"listens on 127.0.0.1:{port}")
        yield folder
        process.terminate()
        assert process.wait(10) == 0


@pytest.fixture(autouse=True)
def _emptied(inbox: Path) -> None:
    for path in (inbox / "new").iterdir():
        path.unlink()


def test_a_message_is_kept_byte_for_byte(inbox: Path, port: int) -> None:
    sent = b"Subject: =?utf-8?q?Gr=C3=BC=C3=9Fe?=\r\nTo: a@b.example\r\n\r\n.dot\r\n\r\nend \r\n"
    with smtplib.SMTP("127.0.0.1", port) as client:
        client.sendmail("me@b.example", ["a@b.example"], sent)
    assert _only(inbox).read_bytes().endswith(b"\r\n" + sent)


def test_the_envelope_shows_whom_bcc_went_to(inbox: Path, port: int) -> None:
    with smtplib.SMTP("127.0.0.1", port) as client:
        client.sendmail(
            "me@b.example", ["a@b.example", "hidden@b.example"], b"To: a@b.example\r\n\r\n"
        )
    kept = message_from_bytes(_only(inbox).read_bytes(), policy=policy.default)
    assert kept["X-MailFrom"] == "me@b.example"
    assert kept.get_all("X-RcptTo") == ["a@b.example", "hidden@b.example"]
    assert kept["To"] == "a@b.example"


def test_internationalised_addresses_are_taken(inbox: Path, port: int) -> None:
    with smtplib.SMTP("127.0.0.1", port) as client:
        client.sendmail(
            "jörg@müller.example", ["δοκιμή@παράδειγμα.example"], b"\r\n", mail_options=["SMTPUTF8"]
        )
    assert "X-RcptTo: δοκιμή@παράδειγμα.example\r\n".encode() in _only(inbox).read_bytes()


def test_a_bounce_has_an_empty_sender(inbox: Path, port: int) -> None:
    with smtplib.SMTP("127.0.0.1", port) as client:
        client.sendmail("", ["a@b.example"], b"Subject: back\r\n\r\n")
    assert _only(inbox).read_bytes().startswith(b"X-MailFrom: <>\r\n")


def test_nothing_is_left_half_written(inbox: Path, port: int) -> None:
    with smtplib.SMTP("127.0.0.1", port) as client:
        for _ in range(20):
            client.sendmail("me@b.example", ["a@b.example"], b"\r\n" * 1000)
    assert len(list((inbox / "new").iterdir())) == 20
    assert not list((inbox / "tmp").iterdir())


def test_a_client_that_breaks_off_leaves_nothing(
    inbox: Path, port: int, eventually: Callable[[Callable[[], bool]], bool]
) -> None:
    with smtplib.SMTP("127.0.0.1", port) as client:
        client.ehlo()
        client.mail("me@b.example")
        client.rcpt("a@b.example")
        client.putcmd("data")
        client.getreply()
        client.send(b"Subject: half\r\n")
        client.close()
    with smtplib.SMTP("127.0.0.1", port) as client:
        client.sendmail("me@b.example", ["a@b.example"], b"Subject: whole\r\n\r\n")
    assert b"whole" in _only(inbox).read_bytes()


def test_a_port_in_use_is_said(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        done = subprocess.run(
            _command(port, tmp_path / "inbox"), capture_output=True, text=True, check=False
        )
    assert done.returncode == 1
    assert f"the local inbox cannot listen on port {port}" in done.stderr


def _command(port: int, inbox: Path) -> list[str]:
    return [sys.executable, "-m", "limbo.local.sink", "--port", str(port), "--inbox", str(inbox)]


def _only(inbox: Path) -> Path:
    (path,) = wait_until(lambda: list((inbox / "new").iterdir()))
    return path
