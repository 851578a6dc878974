"""What a developer reads: lists and events of one user, among as many again of another's."""

import time
from collections.abc import Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass
from http.client import HTTPConnection

from benchmarks.contestants import LIMBO
from benchmarks.database import Database
from benchmarks.figures import percentile
from benchmarks.latency import api_token, web_command
from benchmarks.letter import SUBJECT
from benchmarks.measures import Figure, Measure
from benchmarks.options import Options
from benchmarks.processes import BenchmarkError, Program, call, free_port, is_listening, wait_until
from benchmarks.race import Setting, race
from benchmarks.stage import Stage

MESSAGES = 1_000_000
"""Of each user."""

_REQUESTS = 100
_SENT = 10


@dataclass(frozen=True, slots=True)
class Read:
    """One thing that is read."""

    name: str
    label: str
    path: str


def measure(stage: Stage, options: Options) -> Measure:
    """Each list in turn, over HTTP; the times are whole requests' as the client sees them."""
    count = options.scaled(MESSAGES)
    with ExitStack() as stack:
        database = stack.enter_context(stage.lasting(LIMBO, "lists"))
        _make(stage, database, count)
        port = free_port()
        environment = stage.environment(LIMBO, database, 1)
        token = api_token(environment)
        log = stage.folder / "lists.log"
        stack.enter_context(Program(web_command(port), environment, log))
        wait_until(lambda: is_listening(port), what="the web front")
        times = {read: _times(port, token, read.path) for read in _reads(database)}
    return Measure([], [figure for read in times for figure in _figures(read, times[read])])


def _make(stage: Stage, database: Database, count: int) -> None:
    print(f"storing {2 * count:,} finished messages", flush=True)
    race(LIMBO, stage, count=_SENT, setting=Setting(database=database))
    environment = stage.environment(LIMBO, database, 1)
    call([LIMBO.python, "-m", "benchmarks.limbo_side.two_users", count], environment)
    database.settle()


def _reads(database: Database) -> Iterator[Read]:
    """What is read: near the newest, far down, and by each kind of filter."""
    mine = "owner_id = (SELECT id FROM notifications_user WHERE username = 'bench')"
    messages = f"SELECT id FROM notifications_message WHERE {mine}"
    ((far,),) = database.ask(f"{messages} ORDER BY id LIMIT 1 OFFSET {_SENT + 50}")
    positions = f"SELECT max(position) FROM notifications_eventposition WHERE {mine}"
    middle = int(database.number(positions)) // 2
    word = SUBJECT.split()[0].lower()
    yield Read("mail", "`/v1/mail`", "/v1/mail")
    yield Read("mail_far", "the same, nearly at its end", f"/v1/mail?cursor={far}")
    yield Read("mail_state", "by state", "/v1/mail?state=sent")
    yield Read("mail_absent", "by a state that none is in", "/v1/mail?state=bounced")
    yield Read("mail_tag", "by a tag that all have", "/v1/mail?tag=welcome")
    yield Read("mail_word", "by a word that all have", f"/v1/mail?q={word}")
    yield Read("mail_words", "by two words, one of which 20 have", f"/v1/mail?q={word}+{_ADDRESS}")
    yield Read("mail_recipient", "by a recipient", f"/v1/mail?recipient={_ADDRESS}")
    yield Read("mail_day", "by time", "/v1/mail?created_before=2000-01-01")
    yield Read("events", "`/v1/events` from the beginning", "/v1/events")
    yield Read("events_middle", "the same, from the middle", f"/v1/events?cursor=e{middle:x}")
    yield Read("events_end", "the same, at the end", "/v1/events?cursor=end")


_ADDRESS = "user4711@example.com"


def _times(port: int, token: str, path: str) -> list[float]:
    """Milliseconds of each of the requests, after some that do not count."""
    headers = {"Authorization": f"Bearer {token}"}
    times = []
    with closing(HTTPConnection("127.0.0.1", port, timeout=60)) as http:
        for _ in range(_REQUESTS + 10):
            began_at = time.perf_counter()
            http.request("GET", path, headers=headers)
            with http.getresponse() as answer:
                answer.read()
                if answer.status != 200:
                    raise BenchmarkError(f"GET {path} answered {answer.status}")
            times.append(1000 * (time.perf_counter() - began_at))
    return times[10:]


def _figures(read: Read, times: list[float]) -> Iterator[Figure]:
    for share in (50, 95):
        label = f"{read.label}, ms, p{share}"
        yield Figure(f"{read.name}_p{share}_ms", label, percentile(times, share / 100))
