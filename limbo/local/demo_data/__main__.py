"""`python -m limbo.local.demo_data`: makes up a month of messages; see `make demo-data`."""

import os
import secrets
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta

import django

from limbo.local.config import Config, Secrets
from limbo.local.errors import LocalError, RunError
from limbo.local.postgres import LocalPostgres
from limbo.local.services import environment

_DEFAULT_COUNT = 10_000
_TELL_SECONDS = 2.0


class Progress:
    """Tells every now and then how far it is."""

    def __init__(self) -> None:
        self._began_at = time.monotonic()
        self._told_at = 0.0

    def __call__(self, what: str, done: int, total: int) -> None:
        """Say it, unless it was said just now; an end is always said."""
        now = time.monotonic()
        if done < total and now - self._told_at < _TELL_SECONDS:
            return
        self._told_at = now
        print(f"{self.elapsed}  {what}: {done:,} of {total:,}", flush=True)

    @property
    def elapsed(self) -> timedelta:
        """Since the beginning, in whole seconds."""
        return timedelta(seconds=round(time.monotonic() - self._began_at))


def read_count(text: str) -> int:
    """How many messages are asked for. Raises RunError where that is no number."""
    plain = text.replace(",", "").replace("_", "") or str(_DEFAULT_COUNT)
    if not plain.isdecimal() or int(plain) < 1:
        raise RunError(f"N must be a number of messages, not {text!r}")
    return int(plain)


@contextmanager
def database(config: Config) -> Iterator[str]:
    """Where the data go: `DATABASE_URL`, or the PostgreSQL of `make run`, running or not."""
    folder = config.var / "postgres"
    if url := config.database_url or LocalPostgres.url_of_running(folder):
        yield url
        return
    with LocalPostgres(folder) as postgres:
        yield postgres.url


def run(environ: Mapping[str, str]) -> None:
    """Do it as the environment says. Raises LocalError."""
    config, count = Config.read(environ), read_count(environ.get("N", ""))
    add = environ.get("ADD", "0") not in {"", "0"}
    with database(config) as url:
        _prepare(config, url)
        # models can be imported only after Django's setup
        from limbo.local.demo_data.making import make  # noqa: PLC0415

        progress = Progress()
        make(count, add=add, stays=bool(config.database_url), tell=progress)
        print(f"{progress.elapsed}  done: {count:,} messages of the last 30 days.")


def _prepare(config: Config, url: str) -> None:
    """Set Django up on the database; that of `make run` is brought up to date, with its people."""
    from django.core.management import call_command  # noqa: PLC0415 - it is needed only here

    kept = config.var / "secrets.json"
    is_named = bool(config.database_url)
    config.var.mkdir(mode=0o700, parents=True, exist_ok=True)
    known = Secrets(secrets.token_urlsafe(48), "", "") if is_named else Secrets.load(kept)
    os.environ.update(environment(config, known, url))
    django.setup()
    if is_named:
        try:
            call_command("migrate", check_unapplied=True, verbosity=0)
        except SystemExit:
            raise RunError("the database is not up to date: manage.py migrate") from None
        return
    call_command("migrate", verbosity=0)
    from limbo.local.people import ensure_people  # noqa: PLC0415 - after the setup

    ensure_people(kept)


def main() -> None:
    """Run; what is wrong is one line."""
    try:
        run(os.environ)
    except LocalError as error:
        raise SystemExit(f"make demo-data: {error}") from None
    except KeyboardInterrupt:
        sys.exit(130)


if __name__ == "__main__":
    main()
