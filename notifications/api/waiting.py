"""Long polls: how many requests of one process may wait at once."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from uuid import UUID

from django.conf import settings


class WaitingRoom:
    """Places for waiting requests, one for each token; whoever finds none is answered at once.

    A waiting request holds a thread of the server, and the others must always find one.
    """

    def __init__(self, places: int) -> None:
        self.places = places
        self._lock = threading.Lock()
        self._waiting: set[UUID] = set()

    @property
    def taken(self) -> int:
        """How many wait."""
        return len(self._waiting)

    @contextmanager
    def place(self, token_id: UUID) -> Iterator[bool]:
        """Whether the token's request may wait; while the context lasts it has the place."""
        with self._lock:
            is_free = token_id not in self._waiting and len(self._waiting) < self.places
            if is_free:
                self._waiting.add(token_id)
        try:
            yield is_free
        finally:
            if is_free:
                with self._lock:
                    self._waiting.discard(token_id)


waiting_room = WaitingRoom(settings.LIMBO_WEB_THREADS // 2)
"""This process's."""
