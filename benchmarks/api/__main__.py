"""`python -m benchmarks.api`: how fast the API takes messages; see `make bench-api`.

Read from the environment: `ROUNDS` (3), `SECONDS` under load in each (10), and `NAME`, the end of
the results file's name.
"""

import json
import os
import platform
import signal
import sys
from contextlib import ExitStack
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from benchmarks import results
from benchmarks.api.contenders import CONTENDERS, Contender
from benchmarks.api.figures import Round, Row, ratios, table
from benchmarks.api.serving import THREADS, WORKERS, Served, cpu_seconds, served
from benchmarks.database import Server
from benchmarks.options import ENOUGH_ROUNDS
from benchmarks.processes import LIMBO_PYTHON, ROOT, BenchmarkError, call
from benchmarks.tables import put

PAPER = ROOT / "docs" / "explanation" / "api-performance.md"
_ENOUGH_SECONDS = 5.0
_WARM_UP_SECONDS = 3.0
_PACKAGES = ("granian", "django", "djangorestframework", "psycopg")


def main() -> None:
    """Run as the environment says."""
    rounds, seconds = int(os.environ.get("ROUNDS") or 3), float(os.environ.get("SECONDS") or 10)
    # so that what was started is ended
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    folder = ROOT / "var" / "bench"
    folder.mkdir(parents=True, exist_ok=True)
    load = os.getloadavg()[0]
    with Server(folder).running() as server:
        about = {**_versions(server), "load": load}
        try:
            rows = _alternate(server, folder, rounds, seconds)
        except BenchmarkError as error:
            raise SystemExit(f"make bench-api: {error}") from None
    is_trial = rounds < ENOUGH_ROUNDS or seconds < _ENOUGH_SECONDS
    _keep(_as_json(rows, rounds, seconds, about), folder / "results" if is_trial else None)


def _alternate(server: Server, folder: Path, rounds: int, seconds: float) -> list[Row]:
    """Each contender in turn, round after round, so that all see the same weather."""
    rows = [Row(contender) for contender in CONTENDERS]
    with ExitStack() as stack:
        projects = {contender.project.name: contender.project for contender in CONTENDERS}
        up = {
            name: stack.enter_context(served(project, server, folder))
            for name, project in projects.items()
        }
        for row in rows:
            _post(row.contender, up[row.contender.project.name], server, folder, _WARM_UP_SECONDS)
        for number in range(1, rounds + 1):
            for row in rows:
                one = _post(row.contender, up[row.contender.project.name], server, folder, seconds)
                row.rounds.append(one)
                # what it has left for the database to tidy up is not the next one's to pay
                up[row.contender.project.name].tidy()
                print(
                    f"round {number}  {row.rates()[-1]:>8,.0f} messages/s  "
                    f"{row.costs()[-1]:>6.3f} ms  {row.contender.name}",
                    flush=True,
                )
    return rows


def _post(
    contender: Contender, server: Served, database: Server, folder: Path, seconds: float
) -> Round:
    """Post to the contender for so long. Raises BenchmarkError when it refuses."""
    body = folder / "body.json"
    body.write_bytes(contender.body)
    load = [LIMBO_PYTHON, "-m", "benchmarks.api.load", server.port, contender.path]
    before = cpu_seconds(server.pid), cpu_seconds(database.pid)
    said = json.loads(call([*load, server.authorization, seconds, body], {}))
    after = cpu_seconds(server.pid), cpu_seconds(database.pid)
    if bad := said.pop("bad"):
        raise BenchmarkError(f"{contender.name} answered:\n{bad[:1000]}")
    web, stored = (1000 * (now - then) for now, then in zip(after, before, strict=True))
    count = said["requests"]
    return Round(**said, web_cpu_ms=web / count, database_cpu_ms=stored / count)


def _versions(server: Server) -> dict[str, object]:
    return {
        "python": platform.python_version(),
        "processors": os.cpu_count(),
        "postgres": server.settings(),
        "packages": {name: version(name) for name in _PACKAGES},
        "server": f"granian, {WORKERS} workers × {THREADS} threads",
    }


def _as_json(
    rows: list[Row], rounds: int, seconds: float, versions: dict[str, object]
) -> dict[str, Any]:
    return {
        "date": datetime.now(tz=UTC).strftime("%Y-%m-%d %H:%M UTC"),
        "rounds": rounds,
        "seconds": seconds,
        "versions": versions,
        "ratios": ratios({row.contender.name: row for row in rows}),
        "rows": [row.as_json() for row in rows],
    }


def _keep(content: dict[str, Any], trial: Path | None) -> None:
    """Write the results and print them; what is no trial goes into the docs, too."""
    folder = trial or results.FOLDER
    name = results.write(content, folder, os.environ.get("NAME") or "api").name
    made = table(content, name)
    print(f"\n{made}\n")
    if not trial:
        paper = PAPER.read_text(encoding="utf-8")
        PAPER.write_text(put(paper, {name.removesuffix(".json")[11:]: made}), encoding="utf-8")


if __name__ == "__main__":
    main()
