"""From accepted to handed over on an idle system: one message at a time, over HTTP.

Both times are the database's, in the message's own events: `accepted`, and `sent`.
"""

import json
import random
import time
from collections.abc import Mapping
from contextlib import ExitStack, closing
from http.client import HTTPConnection

from benchmarks.contestants import LIMBO
from benchmarks.database import Database
from benchmarks.figures import percentile
from benchmarks.letter import BODY, SENDER, SUBJECT, recipient
from benchmarks.measures import Figure, Measure
from benchmarks.options import Options
from benchmarks.processes import (
    LIMBO_PYTHON,
    BenchmarkError,
    Program,
    call,
    free_port,
    is_listening,
    wait_until,
)
from benchmarks.stage import Stage

_MESSAGES = 500
_GAP_SECONDS = (0.05, 0.25)
_LOST = {
    "DJANGO_SETTINGS_MODULE": "benchmarks.limbo_side.settings",
    "BENCH_APP": "benchmarks.limbo_side.lost_wakeups",
}
_TIMES = """
SELECT 1000 * extract(epoch FROM sent.at - accepted.at)
FROM notifications_event accepted JOIN notifications_event sent USING (message_id)
WHERE accepted.kind = 'accepted' AND sent.kind = 'sent'
"""


def measure(stage: Stage, options: Options) -> Measure:
    """With wake-ups, and with all of them lost, so that only the poll is left."""
    count = options.scaled(_MESSAGES)
    woken = _times(stage, count, {})
    polled = _times(stage, count, _LOST)
    return Measure(
        [],
        [
            *_figures("accept_to_sent", "accepted to sent", woken),
            *_figures("accept_to_sent_polling", "the same without any wake-up", polled),
        ],
    )


def _figures(name: str, label: str, times: list[float]) -> list[Figure]:
    return [
        Figure(f"{name}_p{share}_ms", f"{label}, ms, p{share}", percentile(times, share / 100))
        for share in (50, 99)
    ]


def _times(stage: Stage, count: int, web: Mapping[str, str]) -> list[float]:
    """The milliseconds of `count` messages; `web` is more for the web front's environment."""
    stage.forget_journals()
    port = free_port()
    with ExitStack() as stack:
        database = stack.enter_context(stage.lasting(LIMBO, "latency"))
        sink = stack.enter_context(stage.sinks.smtp())
        environment = stage.environment(LIMBO, database, sink.port)
        token = api_token(environment)
        for name, command, more in (
            ("web", web_command(port), web),
            ("worker", [LIMBO_PYTHON, *LIMBO.work], {}),
        ):
            log = stage.folder / f"{name}.log"
            stack.enter_context(Program(command, {**environment, **more}, log))
        wait_until(lambda: is_listening(port), what="the web front")
        # connections, caches and the first claim are no part of an idle system's time
        _post(port, token, 20)
        _wait_for(database, 20)
        _post(port, token, count)
        _wait_for(database, count + 20)
        times = [float(str(value)) for (value,) in database.ask(f"{_TIMES} ORDER BY sent.id")]
    return times[20:]


def web_command(port: int) -> list[object]:
    """Starts the web front at the port."""
    options: list[object] = ["--interface", "wsgi", "--host", "127.0.0.1", "--port", port]
    options += ["--blocking-threads", 8]
    return [LIMBO_PYTHON, "-m", "granian", *options, "limbo.wsgi:application"]


def api_token(environment: Mapping[str, str]) -> str:
    """A token of the benchmarks' user."""
    make = ["manage.py", "token", "create", "--user", "bench", "--name", "bench"]
    return call([LIMBO_PYTHON, *make], environment).strip()


def _post(port: int, token: str, count: int) -> None:
    """Post messages one by one, at times that are in step with nothing."""
    draw = random.Random(count)
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    with closing(HTTPConnection("127.0.0.1", port, timeout=10)) as http:
        for number in range(count):
            fields = {"from": SENDER, "to": [recipient(number)], "subject": SUBJECT}
            http.request("POST", "/v1/mail", json.dumps({**fields, "message": BODY}), headers)
            with http.getresponse() as answer:
                if answer.status != 200:
                    raise BenchmarkError(f"POST /v1/mail answered {answer.status}")
                answer.read()
            time.sleep(draw.uniform(*_GAP_SECONDS))


def _wait_for(database: Database, count: int) -> None:
    query = "SELECT count(*) FROM notifications_event WHERE kind = 'sent'"
    wait_until(lambda: database.number(query) == count, what=f"{count} messages sent")
