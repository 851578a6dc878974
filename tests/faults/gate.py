"""A sink that takes a message and keeps its answer back until it is told to give it."""

import threading

from tests.peers import Action
from tests.peers.actions import Line, reply


class Gate:
    """What a peer does at a moment: it waits for `open`, then answers well."""

    def __init__(self, text: str = "250 2.0.0 ok, at last") -> None:
        self._opened = threading.Event()
        self._answer = reply(text)
        self.action = Action(self._wait, text)
        """To be given to a peer's script."""

    def open(self) -> None:
        """Let all answers go, now and later."""
        self._opened.set()

    def _wait(self, line: Line) -> None:
        while not (self._opened.wait(0.05) or line.stopped.is_set()):
            pass
        self._answer.do(line)
