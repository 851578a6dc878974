"""Putting made-up messages into the database, and all that is derived from them."""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

import django
from django.db import connection, transaction
from django.db.models import Sum

from limbo.local.demo_data.chunk import Plan, make_chunk
from limbo.local.demo_data.rows import COLUMNS
from limbo.local.demo_data.times import arrivals
from notifications.history import roll_ups, search
from notifications.history.following import is_behind
from notifications.history.positions import sequence_events
from notifications.models import EventPosition, EventQueue, Follower

CHUNK = 10_000
"""Messages in one transaction."""

_STRETCH = 200_000
"""Positions that a follower reads at once."""

_PAUSE_SECONDS = 0.1

Tell = Callable[[str, int, int], None]
"""Is told what is done, how much of it, and of how much."""


def load(plan: Plan, *, tell: Tell) -> None:
    """Load the messages with their history, then positions, roll-ups and what is searched."""
    _load_messages(plan, tell)
    _sequence(tell)
    with connection.cursor() as cursor:
        # the followers sort much at once here
        cursor.execute("SET work_mem = '128MB'")
    for name, step in (
        (roll_ups.NAME, roll_ups.count_events),
        (search.NAME, search.write_terms),
    ):
        _follow(name, step, tell)
    with connection.cursor() as cursor:
        cursor.execute("RESET work_mem")
        cursor.execute("VACUUM (ANALYZE)")


def store(texts: Mapping[str, str]) -> None:
    """Load one chunk's rows, all or none.

    The state table is a trigger, which takes no delivery whose story is already told: it is off
    for this transaction, in which nobody else can change deliveries, and for no other.
    """
    trigger = _first_state()
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"ALTER TABLE notifications_delivery DISABLE TRIGGER {trigger}")
        for table, columns in COLUMNS.items():
            with cursor.copy(f"COPY notifications_{table} ({columns}) FROM STDIN") as copy:
                copy.write(texts[table])
        # a table with checks to come cannot be altered
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute(f"ALTER TABLE notifications_delivery ENABLE TRIGGER {trigger}")


def _first_state() -> str:
    """The trigger's name in the database, which ends with a hash."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT quote_ident(tgname) FROM pg_trigger WHERE NOT tgisinternal"
            " AND tgrelid = 'notifications_delivery'::regclass AND tgname LIKE %s",
            ["pgtrigger_first_state_%"],
        )
        ((name,),) = cursor.fetchall()
        return str(name)


def _load_messages(plan: Plan, tell: Tell) -> None:
    done = 0
    for count, texts in _made(plan):
        store(texts)
        done += count
        tell("messages", done, plan.count)


def _made(plan: Plan) -> Iterator[tuple[int, Mapping[str, str]]]:
    """The chunks, of which a process of its own makes the next while one is stored."""
    chunks = list(_chunks(plan))
    # spawned: a fork would share this process's connection
    spawn = get_context("spawn")
    with ProcessPoolExecutor(1, mp_context=spawn, initializer=django.setup) as maker:
        ahead = [maker.submit(make_chunk, plan, *chunk) for chunk in chunks[:2]]
        for place, (_, times) in enumerate(chunks):
            texts = ahead.pop(0).result()
            following = chunks[place + 2 : place + 3]
            ahead += [maker.submit(make_chunk, plan, *chunk) for chunk in following]
            yield len(times), texts


def _chunks(plan: Plan) -> Iterator[tuple[int, Sequence[int]]]:
    times = list(arrivals(plan.count, until=plan.now))
    for first in range(0, plan.count, CHUNK):
        yield first, times[first : first + CHUNK]


def _sequence(tell: Tell) -> None:
    waiting = EventQueue.objects.aggregate(events=Sum("event_ids__len"))["events"] or 0
    done = 0
    # where a worker runs, its sequencer takes part
    while EventQueue.objects.exists():
        done += sequence_events() or _pause()
        tell("positions", min(done, waiting), waiting)


def _follow(name: str, step: Callable[..., int], tell: Tell) -> None:
    last = EventPosition.objects.latest("position").position
    while is_behind(name):
        step(limit=_STRETCH) or _pause()
        read = Follower.objects.filter(name=name).values_list("position", flat=True).first()
        tell(name, min(read or 0, last), last)


def _pause() -> int:
    """Let another process, which is at the same work, go on with it."""
    time.sleep(_PAUSE_SECONDS)
    return 0
