"""Flat: the rate and the claim beside millions of finished messages, and before a long queue."""

from contextlib import ExitStack
from dataclasses import replace

from benchmarks.contestants import LIMBO
from benchmarks.database import Database
from benchmarks.figures import ratio
from benchmarks.measures import Entry, Figure, Measure, alternate
from benchmarks.options import Options
from benchmarks.processes import call
from benchmarks.race import Setting, race
from benchmarks.stage import Stage

FINISHED = 5_000_000
BACKLOG = 1_000_000
_MESSAGES = 30_000
_SPARE = 5_000
_WAITING = replace(LIMBO, load=("-m", "benchmarks.limbo_side.wait", "{count}"))


def measure(stage: Stage, options: Options) -> Measure:
    """Limbo in a new database, in an old one, and with much to do, in turn."""
    with ExitStack() as stack:
        old = stack.enter_context(stage.lasting(LIMBO, "old"))
        full = stack.enter_context(stage.lasting(LIMBO, "full"))
        new = stack.enter_context(stage.lasting(LIMBO, "new"))
        _make_old(stage, old, options.scaled(FINISHED))
        # what the rounds take is on top, so that the last one still has the whole before it
        taken = (options.rounds + 1) * options.scaled(_MESSAGES)
        _fill(stage, full, options.scaled(BACKLOG) + taken)
        _fill(stage, new, _SPARE)
        rows = alternate(_entries(old, full, options), stage, options)
        claims = {"empty": new, "5m": old, "backlog_1m": full}
        times = {name: _claim_ms(stage, database) for name, database in claims.items()}
    base = rows["empty"].rates
    figures = [
        Figure(f"flat_{name}", f"{row.label}, to a new database", ratio(row.rates, base))
        for name, row in rows.items()
        if name != "empty"
    ]
    figures += [
        Figure(f"claim_{name}_ms", f"a claim of 100, ms: {rows[name].label}", time)
        for name, time in times.items()
    ]
    return Measure(list(rows.values()), figures)


def _entries(old: Database, full: Database, options: Options) -> list[Entry]:
    empty = Setting(spare=_SPARE)
    aged = Setting(spare=_SPARE, database=old)
    queued = Setting(spare=0, database=full, is_full=True)
    finished, backlog = options.scaled(FINISHED), options.scaled(BACKLOG)
    return [
        Entry(_WAITING, empty, "empty", "a new database", _MESSAGES),
        Entry(_WAITING, aged, "5m", f"{finished:,} finished messages", _MESSAGES),
        Entry(_WAITING, queued, "backlog_1m", f"{backlog:,} messages waiting", _MESSAGES),
    ]


def _make_old(stage: Stage, database: Database, count: int) -> None:
    print(f"storing {count:,} finished messages", flush=True)
    race(LIMBO, stage, count=10, setting=Setting(database=database))
    _call(stage, database, "benchmarks.limbo_side.age", str(count))
    _call(stage, database, "benchmarks.limbo_side.follow")


def _fill(stage: Stage, database: Database, count: int) -> None:
    print(f"storing {count:,} messages that are due", flush=True)
    _call(stage, database, "benchmarks.limbo_side.wait", str(count))


def _claim_ms(stage: Stage, database: Database) -> float:
    _call(stage, database, "benchmarks.limbo_side.turns")
    # the statistics are to know how many stand in line, as they do after a while
    database.settle()
    return float(_call(stage, database, "benchmarks.limbo_side.claim_time"))


def _call(stage: Stage, database: Database, module: str, *arguments: str) -> str:
    environment = stage.environment(LIMBO, database, 1)
    return call([LIMBO.python, "-m", module, *arguments], environment)
