"""`python -m benchmarks.admin`: how fast staff's screens are; see `make bench-admin`.

Read from the environment: `N` messages (1,000,000), and `ROUNDS` of each page (10, and as many
cold ones as a third of that).
"""

import json
import os
import platform
import signal
import sys
from collections.abc import Mapping
from contextlib import ExitStack
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from benchmarks import results
from benchmarks.admin.data import environment, forget_files, month
from benchmarks.admin.figures import as_rows, table, too_slow
from benchmarks.admin.pages import pages
from benchmarks.admin.timing import Timed, fetch_cold, fetch_warm, served
from benchmarks.database import Database, Server
from benchmarks.processes import LIMBO_PYTHON, ROOT, BenchmarkError, call
from benchmarks.tables import put
from limbo.local.demo_data.__main__ import read_count
from limbo.local.errors import LocalError

_ENOUGH_MESSAGES = 1_000_000
_ENOUGH_ROUNDS = 10
_PACKAGES = ("granian", "django", "django-unfold", "psycopg")


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
        cookie, look_up = _sign_in(database)
        every = [Timed(page) for page in pages(database, look_up)]
        about = _about(database, server)
        _time_warm(database, cookie, every, folder, rounds)
    _time_cold(server, database, cookie, every, folder, max(1, rounds // 3))
    about["versions"]["load"] = load
    content = {"rounds": rounds, **about, "rows": as_rows(every)}
    is_trial = count < _ENOUGH_MESSAGES or rounds < _ENOUGH_ROUNDS
    _keep(content, folder / "results" if is_trial else None)
    return too_slow(content["rows"])


def _sign_in(database: Database) -> tuple[str, str]:
    said = call([LIMBO_PYTHON, "-m", "benchmarks.admin.session"], environment(database))
    cookie, look_up = said.split()
    return cookie, look_up


def _time_warm(
    database: Database, cookie: str, every: list[Timed], folder: Path, rounds: int
) -> None:
    with served(database, cookie, folder / "web.log") as client:
        look_up, *others = every
        for timed in others:
            fetch_warm(client, timed, look_up, rounds)
            print(f"warm {timed.warm_ms:>8.1f} ms  {timed.page.label}", flush=True)


def _time_cold(
    server: Server, database: Database, cookie: str, every: list[Timed], folder: Path, rounds: int
) -> None:
    """Each page as the first one that asks for its data, on a server that was just started."""
    look_up, *others = every
    with ExitStack() as stack:
        with server.running():
            # it does not begin without a database
            client = stack.enter_context(served(database, cookie, folder / "web-cold.log"))
        for timed in others:
            for _ in range(rounds):
                forget_files(folder)
                with server.running():
                    fetch_cold(client, timed, look_up)
            print(f"cold {timed.cold_ms:>8.1f} ms  {timed.page.label}", flush=True)


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
    folder = trial or results.FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    name = f"{content['date'][:10]}-admin.json"
    (folder / name).write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
    made = table(content, name)
    print(f"\n{made}\n")
    if not trial:
        paper = results.PAPER.read_text(encoding="utf-8")
        results.PAPER.write_text(put(paper, {"admin": made}), encoding="utf-8")


if __name__ == "__main__":
    main()
