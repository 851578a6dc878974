"""`python -m benchmarks.admin`: how fast staff's screens are; see `make bench-admin`.

Read from the environment: `N` messages (1,000,000), and `ROUNDS` of each page (10, and as many
cold ones as a third of that).
"""

import os
import platform
import signal
import sys
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from benchmarks import results
from benchmarks.admin.data import environment, forget_files, month
from benchmarks.admin.figures import as_rows, table, too_slow
from benchmarks.admin.pages import Kind, Page, pages
from benchmarks.admin.timing import Timed, Times, fetch_cold, fetch_warm, served
from benchmarks.database import Database, Server
from benchmarks.processes import LIMBO_PYTHON, ROOT, BenchmarkError, call
from benchmarks.tables import put
from limbo.local.demo_data.__main__ import read_count
from limbo.local.errors import LocalError

_ENOUGH_MESSAGES = 1_000_000
_ENOUGH_ROUNDS = 10
_PACKAGES = ("granian", "django", "django-unfold", "psycopg")


@dataclass(frozen=True, slots=True)
class Asking:
    """Who asks, and where."""

    database: Database
    cookie: str
    look_up: Page
    """What is asked for beside each page."""
    folder: Path
    """For logs."""


def main() -> None:
    """Run as the environment says; fails when a page is over its limit."""
    # so that what was started is ended
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    try:
        count = read_count(os.environ.get("N") or str(_ENOUGH_MESSAGES))
        rounds = int(os.environ.get("ROUNDS") or _ENOUGH_ROUNDS)
        slow = _run(count, rounds)
    except (BenchmarkError, LocalError) as error:
        raise SystemExit(f"make bench-admin: {error}") from None
    if slow:
        raise SystemExit("make bench-admin: over the limit:\n  " + "\n  ".join(slow))


def _run(count: int, rounds: int) -> list[str]:
    """Take the times, print and keep them; returns what is over its limit."""
    folder = ROOT / "var" / "bench" / "admin"
    folder.mkdir(parents=True, exist_ok=True)
    load = os.getloadavg()[0]
    server = Server(folder)
    with server.running():
        database = month(server, count)
        asking = Asking(database, *_sign_in(database), folder)
        every = [Timed(page) for page in pages(database)]
        about = _about(database, server)
        _time_warm(asking, every, rounds)
    _time_cold(server, asking, every, max(1, rounds // 3))
    about["versions"]["load"] = load
    content = {"rounds": rounds, **about, "rows": as_rows(every)}
    is_trial = count < _ENOUGH_MESSAGES or rounds < _ENOUGH_ROUNDS
    _keep(content, folder / "results" if is_trial else None)
    return too_slow(content["rows"])


def _sign_in(database: Database) -> tuple[str, Page]:
    """A session's cookie, and the page that all others are measured by."""
    said = call([LIMBO_PYTHON, "-m", "benchmarks.admin.session"], environment(database))
    cookie, path = said.split()
    return cookie, Page(Kind.LOOK_UP, "a page found by its key", path, "relay")


def _time_warm(asking: Asking, every: list[Timed], rounds: int) -> None:
    with served(asking.database, asking.cookie, asking.folder / "web.log") as client:
        for timed in every:
            fetch_warm(client, timed, asking.look_up, rounds)
            _tell("warm", timed.warm, timed.page)


def _time_cold(server: Server, asking: Asking, every: list[Timed], rounds: int) -> None:
    """Each page as the first one that asks for its data, on a server that was just started."""
    log = asking.folder / "web-cold.log"
    with ExitStack() as stack:
        with server.running():
            # it does not begin without a database
            client = stack.enter_context(served(asking.database, asking.cookie, log))
        for timed in every:
            for _ in range(rounds):
                forget_files(asking.folder)
                with server.running():
                    fetch_cold(client, timed, asking.look_up)
            _tell("cold", timed.cold, timed.page)


def _tell(how: str, times: Times, page: Page) -> None:
    print(f"{how} {times.ms:>8.1f} ms {times.ratio:>6.1f} × look-up  {page.label}", flush=True)


def _about(database: Database, server: Server) -> dict[str, Any]:
    return {
        "date": datetime.now(tz=UTC).strftime("%Y-%m-%d %H:%M UTC"),
        "messages": int(database.number("SELECT count(*) FROM notifications_message")),
        "events": int(database.number("SELECT count(*) FROM notifications_event")),
        "gigabytes": database.usage().disk_bytes / 2**30,
        "versions": {
            "python": platform.python_version(),
            "processors": os.cpu_count(),
            "postgres": server.settings(),
            "packages": {name: version(name) for name in _PACKAGES},
        },
    }


def _keep(content: Mapping[str, Any], trial: Path | None) -> None:
    """Write the results and print them; what is no trial goes into the docs, too."""
    name = results.write(content, trial or results.FOLDER, "admin").name
    made = table(content, name)
    print(f"\n{made}\n")
    if not trial:
        paper = results.PAPER.read_text(encoding="utf-8")
        results.PAPER.write_text(put(paper, {"admin": made}), encoding="utf-8")


if __name__ == "__main__":
    main()
