"""What systemd or Docker is to a worker: it is started again whenever it ends."""

import threading
from typing import Self

from tests.e2e.system import System

_LOOK_SECONDS = 0.05


class Supervisor:
    """Keeps one process of a system running from `with` to its end, and counts the starts.

    It only starts the process anew: orphans of the old one are left to end by themselves. Kill what
    it watches by `os.kill` and `System.pid`; `System.kill` takes the process away from it.
    """

    def __init__(self, system: System, name: str = "worker") -> None:
        self._system = system
        self._name = name
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self.endings: list[int] = []
        """The exit codes so far."""

    def __enter__(self) -> Self:
        self._system.start_worker(self._name)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._over.wait(_LOOK_SECONDS):
            code = self._system.exit_code(self._name)
            if code is not None:
                self.endings.append(code)
                self._system.start_worker(self._name)
