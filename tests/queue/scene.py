"""A broker and its workers, for tests of what it hands over."""

from contextlib import ExitStack

from django.db import connection
from django_q.signing import SignedPackage

from notifications.queue.board import Board, Ticket
from notifications.queue.broker import ClusterBroker
from tests.conftest import wait_until
from tests.queue.forked import Forked, worker

BEAT = "notifications.queue.progress.beat"
BATCH = "notifications.delivery.batch.deliver_batch"


class Scene:
    """A broker in this process, which is the pusher, and workers that do as they are told."""

    def __init__(self, workers: int) -> None:
        self.board = Board(workers)
        self.broker = ClusterBroker(self.board)
        self._stack = ExitStack()
        self.workers = [self._stack.enter_context(worker(self.board)) for _ in range(workers)]

    def close(self) -> None:
        """End the workers, and the connections of this process."""
        self._stack.close()
        self.broker._listener.close()
        connection.close()

    def next(self) -> tuple[str, Ticket] | None:
        """What is handed over now: its function, and the ticket."""
        packages = self.broker.dequeue()
        if not packages:
            return None
        ((ticket, signed),) = packages
        return str(SignedPackage.loads(signed)["func"]), ticket

    def handed(self) -> tuple[str, Ticket]:
        """What is handed over, waited for."""
        found = wait_until(self.next)
        assert found is not None
        return found

    def give(self, to: Forked) -> str:
        """Have the worker take up what is handed over next; returns its function."""
        func, ticket = self.handed()
        to.do("take_up", ticket)
        return func
