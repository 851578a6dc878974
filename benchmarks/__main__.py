"""`python -m benchmarks`: take the measures, print them, keep them; see `make bench`."""

import os
import signal
import sys
from collections.abc import Callable, Mapping

from benchmarks import flat, headline, http, latency, lists, memory, results, scale, tables
from benchmarks.database import Server
from benchmarks.measures import Measure
from benchmarks.options import Options
from benchmarks.processes import ROOT, BenchmarkError
from benchmarks.sinks import Sinks
from benchmarks.stage import Stage
from benchmarks.versions import versions

_MEASURES: Mapping[str, Callable[[Stage, Options], Measure]] = {
    "headline": headline.measure,
    "latency": latency.measure,
    "http": http.measure,
    "scale": scale.measure,
    "flat": flat.measure,
    "memory": memory.measure,
    "lists": lists.measure,
}
_QUIET_LOAD = 0.5
_DEFAULT = ("headline", "latency", "http")
"""The others take long, or a large disk."""


def main() -> None:
    """Run as the environment says."""
    try:
        options = Options.read(os.environ, known=_MEASURES, default=_DEFAULT)
    except ValueError as error:
        raise SystemExit(f"make bench: {error}") from None
    # so that what was started is ended
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    folder = ROOT / "var" / "bench"
    folder.mkdir(parents=True, exist_ok=True)
    load = os.getloadavg()[0]
    if load > _QUIET_LOAD:
        print(f"This machine is busy (load {load:.1f}): expect a wide spread", flush=True)
    sinks = Sinks.find(folder)
    with Server(folder).running() as server:
        stage = Stage(server, sinks, folder)
        try:
            taken = {name: _MEASURES[name](stage, options) for name in options.only}
        except BenchmarkError as error:
            raise SystemExit(f"make bench: {error}") from None
        content = results.as_json(taken, options, versions(server, sinks) | {"load": load})
    file = results.write(content, folder / "results" if options.is_trial else results.FOLDER)
    made = tables.tables(content, file.name)
    print("\n" + "\n\n".join(made.values()) + "\n")
    if not options.is_trial:
        paper = results.PAPER.read_text(encoding="utf-8")
        results.PAPER.write_text(tables.put(paper, made), encoding="utf-8")


if __name__ == "__main__":
    main()
