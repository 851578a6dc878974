"""A row of the fault matrix, as its test sees it: the system, the mail, the verdict, its line."""

import fcntl
import os
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from uuid import UUID

import pytest
from _pytest.mark import ParameterSet

from notifications.intake.mail_request import read_mail_request
from notifications.intake.submission import submit
from notifications.models import Delivery, Message, State, User
from notifications.models.state import OPEN
from tests.conftest import wait_until
from tests.e2e.system import System
from tests.factories import UserFactory
from tests.faults.invariants import Verdict, judge
from tests.faults.records import Received, Step, received_by
from tests.faults.sink import SinkProcess
from tests.peers import HttpPeer, SmtpPeer

Source = SmtpPeer | HttpPeer | SinkProcess

_UNSETTLED = [state for state in OPEN if state is not State.UNCERTAIN]


def quick(*case: object) -> ParameterSet:
    """A case of a parametrised row that `make test` runs too."""
    return pytest.param(*case, marks=pytest.mark.quick)


@dataclass(slots=True)
class Row:
    """One row: its number and fault, what it submitted, and the verdict once it is judged."""

    number: str
    fault: str
    folder: Path
    accepted: set[UUID] = field(default_factory=set)
    """Messages that were answered with a 2xx; tests that post over HTTP add theirs."""
    verdict: Verdict | None = None
    systems: list[System] = field(default_factory=list)

    def system(self, providers: str, **environment: str) -> System:
        """The processes, not started yet; a context manager."""
        system = System(self.folder, providers, **environment)
        self.systems.append(system)
        return system

    def submit(
        self,
        count: int,
        *,
        recipients: int = 1,
        owner: User | None = None,
        sender: str = "app@example.com",
    ) -> list[UUID]:
        """Store messages through the door that every way in uses; returns their ids."""
        owner = owner or self.owner()
        addresses = [f"reader{number}@example.org" for number in range(recipients)]
        fields = {"from": sender, "to": addresses, "message": "Hello."}
        ids = [
            submit(
                owner=owner, request=read_mail_request(fields | {"subject": f"Message {number}"})
            ).message_id
            for number in range(count)
        ]
        self.accepted.update(ids)
        return ids

    def owner(self) -> User:
        """The user whose messages these are."""
        user: User = User.objects.filter(username="writer").first() or UserFactory(
            username="writer"
        )
        return user

    def drain(self, *, seconds: float = 90) -> None:
        """Wait until every delivery is settled or uncertain and every lease is let go."""
        wait_until(self.is_drained, seconds=seconds)

    def is_drained(self) -> bool:
        """Whether nothing waits, goes or is leased."""
        return not (
            Delivery.objects.filter(state__in=_UNSETTLED).exists()
            or Message.objects.filter(lease_until__isnull=False).exists()
        )

    def judge(
        self,
        *sources: Source,
        also: Iterable[Received] = (),
        doubt_from: Step | None = Step.ENDED,
    ) -> Verdict:
        """Judge the row by what its sinks recorded; fails the test with every problem.

        Called while the workers still run, after `drain`.
        """
        received = [record for source in sources for record in _records(source)] + list(also)
        self.verdict = judge(self.accepted, received, doubt_from=doubt_from)
        self.verdict.problems += self.forgotten_journals()
        if self.verdict.problems:
            pytest.fail("\n".join([f"row {self.number}: {self.fault}", *self.verdict.problems]))
        return self.verdict

    def leftovers(self) -> list[str]:
        """What still runs of the systems after their end."""
        return [f"process {pid}" for system in self.systems for pid in system.survivors()]

    def forgotten_journals(self) -> list[str]:
        """Journals whose worker is gone; recovery takes them away within seconds."""
        folders = {system.journal for system in self.systems}
        files = [file for folder in folders if folder.exists() for file in folder.iterdir()]
        with suppress(pytest.fail.Exception):
            wait_until(lambda: not _unheld(files), seconds=15)
        return [f"journal {file.name} is left behind" for file in _unheld(files)]


def _records(source: Source) -> list[Received]:
    return source.received() if isinstance(source, SinkProcess) else received_by(source)


def _unheld(files: Sequence[Path]) -> list[Path]:
    return [file for file in files if file.is_file() and not _is_held(file)]


def _is_held(file: Path) -> bool:
    """Whether a living process holds the lock on it."""
    try:
        descriptor = os.open(file, os.O_RDWR)
    except FileNotFoundError:
        return True
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False
