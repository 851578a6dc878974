"""`python -m limbo.local.run`: all of Limbo on this machine, until Ctrl-C. See `make run`."""

import os
import signal
import socket
import sys
from contextlib import closing, suppress
from dataclasses import replace
from functools import partial

from limbo.local.child import Child, Service
from limbo.local.config import HOST, Config, Secrets
from limbo.local.console import Console
from limbo.local.errors import LocalError, RunError
from limbo.local.files import hold
from limbo.local.first_message import FirstMessage
from limbo.local.leftovers import Started, end_leftovers
from limbo.local.postgres import LocalPostgres
from limbo.local.record import Record
from limbo.local.services import Services
from limbo.local.supervisor import Managed, StopRequested, Supervisor

_LISTENS_SECONDS = 20.0


class Run:
    """One run, from its first line on the terminal to its last."""

    def __init__(self, config: Config, console: Console, started: Started) -> None:
        self._config = config
        self._console = console
        self._started = started
        self._processes: dict[str, Managed] = {}
        self._record: Record | None = None
        self._supervisor = Supervisor(console, self._write_record)

    def execute(self) -> None:
        """Start everything, post the first message, stay. Raises LocalError."""
        self._supervisor.obey_signals()
        try:
            record = self._start()
            self._prove(record.secrets.token)
            self._record = record
            self._write_record()
            if not self._config.once:
                self._console.say(record.welcome())
                self._supervisor.watch()
        except StopRequested:
            pass
        finally:
            self._console.say("Stopping …")
            self._supervisor.stop()
            self._started.forget()
            self._processes.clear()
            self._write_record()

    def _start(self) -> Record:
        database_url = self._config.database_url or self._start_postgres()
        secrets_file = self._config.var / "secrets.json"
        services = Services(self._config, Secrets.load(secrets_file), database_url)
        self._console.say("Bringing the database up to date …")
        self._run_to_end(services.migrate())
        self._console.say("Making the admin, the demo user and a token …")
        self._run_to_end(services.seed(secrets_file))
        self._console.say("Starting the local inbox, the web front and the worker …")
        self._start_stage(services.sink())
        if not self._supervisor.wait_until(self._sink_listens, seconds=_LISTENS_SECONDS):
            raise RunError("the local inbox does not listen; its log is above")
        self._start_stage(services.web(), services.worker())
        return Record(self._config, Secrets.load(secrets_file), database_url)

    def _start_postgres(self) -> str:
        folder = self._config.var / "postgres"
        self._console.say(f"Starting PostgreSQL on {folder} …")
        postgres = LocalPostgres(folder, on_spawn=partial(self._started.note, LocalPostgres.name))
        self._processes[postgres.name] = postgres
        self._supervisor.start([postgres])
        return postgres.url

    def _run_to_end(self, service: Service) -> None:
        self._supervisor.run_to_end(self._child(service))

    def _start_stage(self, *services: Service) -> None:
        stage = {service.name: self._child(service) for service in services}
        self._processes.update(stage)
        self._supervisor.start(list(stage.values()))

    def _child(self, service: Service) -> Child:
        marked = replace(service, env={**service.env, **self._started.mark(service.name)})
        return Child(marked, self._console, partial(self._started.note, service.name))

    def _sink_listens(self) -> bool:
        with suppress(OSError), socket.create_connection((HOST, self._config.sink_port), timeout=1):
            return True
        return False

    def _prove(self, token: str) -> None:
        """Post the first message and show what became of it."""
        with closing(
            FirstMessage(self._config.base_url, token, self._supervisor.wait_until)
        ) as first:
            first.wait_for_service()
            self._console.say(f"Posting a first message: {first.post()} …")
            first.wait_until_sent()
            # other providers' inboxes are out of our sight
            if not self._config.providers:
                file = first.wait_until_in(self._config.inbox)
                self._console.say(f"It is in the inbox, {file}")
            self._console.say("Its history:")
            for line in first.history():
                self._console.say(f"  {line}")

    def _write_record(self) -> None:
        if self._record is not None:
            self._record.write({name: process.pid for name, process in self._processes.items()})


def run(config: Config, console: Console) -> None:
    """Check what must hold before anything starts, then run. Raises LocalError."""
    config.var.mkdir(mode=0o700, parents=True, exist_ok=True)
    with hold(config.var / "run.lock") as held:
        if not held:
            raise RunError(f"Limbo runs already in {config.var}; LIMBO_VAR=… makes a second one")
        started = config.var / "started.json"
        end_leftovers(started, console.say)
        config.check_ports()
        # an old one would be taken for ours
        (config.var / "run.json").unlink(missing_ok=True)
        Run(config, console, Started.begin(started)).execute()


def main() -> None:
    """Run as the environment says; the exit code is 0 unless something went wrong."""
    console = Console(sys.stdout)
    try:
        run(Config.read(os.environ), console)
    except LocalError as error:
        raise SystemExit(f"make run: {error}") from None
    except KeyboardInterrupt:
        # before there was anything to stop
        raise SystemExit(128 + signal.SIGINT) from None
    finally:
        console.close()


if __name__ == "__main__":
    main()
