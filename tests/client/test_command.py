"""The `limbo` command: what it prints, and how it ends."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from limbo_client import Limbo
from limbo_client.command import main
from limbo_client.command.exits import Exit
from notifications.delivery.reading import Reading
from notifications.intake.tokens import issue_token
from notifications.models import Content, Message, Scope, User
from tests import stories
from tests.client.test_messages import HELLO
from tests.conftest import wait_until
from tests.e2e.system import ROOT, free_port
from tests.peers.http_peer import Answer, HttpPeer

TO_ADA = ["send", "--from", "app@example.com", "--to", "ada@example.org"]
HI = [*TO_ADA, "--subject", "Hi", "--text", "Hello."]


@pytest.fixture(autouse=True)
def surroundings(monkeypatch: pytest.MonkeyPatch, url: str, token: str) -> None:
    """Where Limbo is, as the command is told of it."""
    monkeypatch.setenv("LIMBO_URL", url)
    monkeypatch.setenv("LIMBO_TOKEN", token)


def started(arguments: Sequence[str], stdin: int | None = None) -> subprocess.Popen[str]:
    """The command as a program of its own."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "clients/python/src")}
    return subprocess.Popen(
        # not deaf to SIGINT, as what a shell starts in the background is
        ["env", "--default-signal=INT", sys.executable, "-m", "limbo_client", *arguments],
        env=environment,
        stdout=subprocess.PIPE,
        text=True,
        stdin=stdin,
    )


def test_a_message_is_sent_with_its_text_from_standard_input() -> None:
    process = started([*TO_ADA, "--subject", "Grüße"], stdin=subprocess.PIPE)
    told, _ = process.communicate("Guten Tag.\n", timeout=60)
    message = Message.objects.get()
    assert (process.returncode, told) == (0, f"{message.id} pending\n")
    assert (message.subject, Content.objects.get().text) == ("Grüße", "Guten Tag.\n")


def test_everything_can_be_said_on_the_command_line(tmp_path: Path) -> None:
    (tmp_path / "bill.pdf").write_bytes(b"%PDF")
    (tmp_path / "body.html").write_text("<p>Grüße</p>", encoding="utf-8")
    files = ["--attach", str(tmp_path / "bill.pdf"), "--html", str(tmp_path / "body.html")]
    people = ["--to", "bob@example.org", "--cc", "c@example.org", "--bcc", "d@example.org"]
    labels = ["--tag", "bills", "--metadata", "order=4=2", "--header", "X-Order=42"]
    send_at = datetime.now(UTC) + timedelta(days=1)
    times = ["--send-at", f"{send_at}", "--expires-at", f"{send_at + timedelta(days=1)}"]
    more = ["--reply-to", "help@example.com", "--priority", "bulk", "--provider", "first"]
    assert main([*HI, *files, *people, *labels, *times, *more]) == 0
    message = Message.objects.get()
    assert (message.tags, message.metadata) == (["bills"], {"order": "4=2"})
    assert (message.state, message.deliveries.count()) == ("scheduled", 4)
    assert Content.objects.get().html == "<p>Grüße</p>"


def test_a_message_is_sent_by_a_template(capsys: pytest.CaptureFixture[str], token: str) -> None:
    with Limbo() as limbo:
        limbo.create_template("hello", subject="Hi {{ name }}", text="Hello.")
    assert main([*TO_ADA, "--template", "hello", "--variables", '{"name": "Ada"}']) == 0
    assert Message.objects.get().subject == "Hi Ada"


def test_a_key_stores_a_message_once(capsys: pytest.CaptureFixture[str]) -> None:
    for _ in range(2):
        assert main([*HI, "--idempotency-key", "k", "--json"]) == 0
    assert Message.objects.count() == 1
    assert '"is_replayed": true' in capsys.readouterr().out


def test_status_tells_each_recipient_and_each_try(
    owner: User, capsys: pytest.CaptureFixture[str]
) -> None:
    message = stories.accepted(owner, "ada@example.org", subject="Your bill\x1b[31m")
    stories.answered(stories.handed_over(message))
    assert main(["status", str(message.id)]) == 0
    told = capsys.readouterr().out
    assert told.splitlines()[0] == f"{message.id} sent"
    assert "to ada@example.org: sent" in told
    assert "sink accepted: 2.0.0 OK" in told
    assert "\x1b" not in told


def test_status_is_json_for_programs(owner: User, capsys: pytest.CaptureFixture[str]) -> None:
    message = stories.accepted(owner, "ada@example.org")
    assert main(["status", str(message.id), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["from"] == "Billing <billing@shop.example>"
    assert told["deliveries"][0]["address"] == "ada@example.org"


def test_waiting_ends_with_the_message_s_fate(owner: User) -> None:
    good = stories.accepted(owner, "ada@example.org")
    stories.answered(stories.handed_over(good))
    bad = stories.accepted(owner, "bob@example.org")
    stories.answered(stories.handed_over(bad), Reading.RECIPIENT_REFUSED, code=550, answer="no")
    waiting = stories.accepted(owner, "carol@example.org")
    assert main(["status", str(good.id), "--wait"]) == Exit.DONE
    assert main(["status", str(bad.id), "--wait"]) == Exit.FAILED
    assert main(["status", str(waiting.id), "--wait", "0"]) == Exit.UNSETTLED
    assert main(["status", str(waiting.id)]) == Exit.DONE


def test_tail_prints_a_line_an_event_and_resumes_from_its_file(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    kept = ["tail", "--no-wait", "--cursor-file", str(tmp_path / "cursor")]
    with Limbo() as limbo:
        limbo.send(HELLO)
        assert main(kept) == 0
        assert capsys.readouterr().out == ""
        second = limbo.send(HELLO)
        assert main(kept) == 0
        line = capsys.readouterr().out
        assert line.split()[1:] == [second.id, "accepted"]
        assert main(kept) == 0
        assert capsys.readouterr().out == ""


def test_tail_tells_everything_there_is_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    with Limbo() as limbo:
        sent = [limbo.send(HELLO).id for _ in range(2)]
    assert main(["tail", "--all", "--no-wait", "--json"]) == 0
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [(line["message_id"], line["kind"]) for line in lines] == [
        (id_, "accepted") for id_ in sent
    ]


def test_tail_follows_until_it_is_interrupted(tmp_path: Path) -> None:
    cursor = tmp_path / "cursor"
    process = started(["tail", "--cursor-file", str(cursor)])
    try:
        wait_until(cursor.exists, seconds=60)
        with Limbo() as limbo:
            sent = limbo.send(HELLO)
        assert process.stdout is not None
        assert process.stdout.readline().split()[1:] == [sent.id, "accepted"]
        process.send_signal(signal.SIGINT)
        assert process.wait(60) == Exit.INTERRUPTED
    finally:
        process.kill()
        process.communicate()


def test_a_reader_that_has_seen_enough_ends_it_quietly() -> None:
    with Limbo() as limbo:
        for _ in range(3):
            limbo.send(HELLO)
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "w") as gone:
        process = subprocess.run(
            [sys.executable, "-m", "limbo_client", "tail", "--all", "--no-wait"],
            env={**os.environ, "PYTHONPATH": str(ROOT / "clients/python/src")},
            stdout=gone,
            stderr=subprocess.PIPE,
            timeout=60,
            check=False,
        )
    assert (process.returncode, process.stderr) == (0, b"")


def test_every_fault_is_told_on_standard_error(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*HI, "--priority", "now", "--tag", "a b"]) == Exit.REFUSED
    told = capsys.readouterr()
    assert told.out == ""
    assert "priority: " in told.err
    assert "tags/0: " in told.err
    assert "request 0" in told.err


def test_a_token_that_may_not_send_is_told_so(
    owner: User, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    _, plain = issue_token(owner=owner, name="reader", scopes=[Scope.READ])
    monkeypatch.setenv("LIMBO_TOKEN", plain)
    assert main(HI) == Exit.REFUSED
    assert "lacks the scope `send`" in capsys.readouterr().err


def test_a_limbo_that_is_not_there_can_be_tried_again(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("time.sleep", lambda _: None)
    assert main(["--url", f"http://127.0.0.1:{free_port()}", *HI]) == Exit.TRY_AGAIN
    with HttpPeer(Answer(429, headers={"Retry-After": "999"})) as peer:
        assert main(["--url", peer.url, *HI]) == Exit.TRY_AGAIN
    assert "Limbo did not answer" in capsys.readouterr().err


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["send", "--to", "ada@example.org"],
        [*HI, "--send-at", "tomorrow"],
        [*HI, "--send-at", "2099-01-01T00:00:00"],
        [*HI, "--metadata", "=x"],
        [*HI, "--variables", "[1]"],
        [*HI, "--variables", "{"],
        ["status", "1", "--wait", "long"],
        ["tail", "--all", "--cursor", "e1"],
    ],
)
def test_a_wrong_command_line_asks_nothing(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as caught:
        main(arguments)
    assert caught.value.code == Exit.USAGE
    assert "usage: limbo" in capsys.readouterr().err


def test_what_it_was_not_told_and_what_it_cannot_read_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*HI, "--attach", str(tmp_path / "nothing.pdf")]) == Exit.USAGE
    assert "nothing.pdf: No such file" in capsys.readouterr().err
    (tmp_path / "latin.html").write_bytes(b"Gr\xfc\xdfe")
    assert main([*HI, "--html", str(tmp_path / "latin.html")]) == Exit.USAGE
    assert "UTF-8" in capsys.readouterr().err
    monkeypatch.delenv("LIMBO_URL")
    assert main(HI) == Exit.USAGE
    assert "LIMBO_URL" in capsys.readouterr().err
    assert not Message.objects.exists()
