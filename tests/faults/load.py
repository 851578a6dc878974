"""Applications that go on submitting while a fault goes on."""

import threading
from itertools import count
from typing import Self
from uuid import UUID

from tests.faults.client import Client

_WRITERS = 4


class Load:
    """Writers that go on submitting, each message until it is taken; a context manager."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._keys = count()
        self._over = threading.Event()
        self._threads = [threading.Thread(target=self._write) for _ in range(_WRITERS)]
        self.accepted: set[UUID] = set()

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        for thread in self._threads:
            thread.join()

    def _write(self) -> None:
        while not self._over.is_set():
            self.accepted.add(self._client.insist(f"key-{next(self._keys)}"))
