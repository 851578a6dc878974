"""What people see in the terminal: progress, and every process's log under its name."""

import os
import selectors
from typing import IO, TextIO

_WIDTH = len("postgres")
_COLOURS = {"web": 36, "worker": 32, "sink": 35, "postgres": 34, "migrate": 33, "seed": 33}
_GREY = 90
_CHUNK = 65536


class _Followed:
    """One process's output, of which the last line may still be without its end."""

    def __init__(self, name: str, pipe: IO[bytes]) -> None:
        self.name = name
        self.pipe = pipe
        self._rest = b""

    def read(self) -> list[str] | None:
        """The lines that came; None when there will be no more."""
        data = os.read(self.pipe.fileno(), _CHUNK)
        if not data:
            return None
        *lines, self._rest = (self._rest + data).split(b"\n")
        return [line.decode(errors="replace").rstrip() for line in lines]


class Console:
    """Prints to `stream`; colours only where a person looks on."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._coloured = stream.isatty() and "NO_COLOR" not in os.environ
        self._selector = selectors.DefaultSelector()

    def say(self, text: str) -> None:
        """Print a line of our own."""
        print(text, file=self._stream, flush=True)

    def log(self, name: str, line: str) -> None:
        """Print one line of the log of `name`."""
        prefix = f"{name:<{_WIDTH}} |"
        if self._coloured:
            prefix = f"\033[{_COLOURS.get(name, _GREY)}m{prefix}\033[0m"
        self.say(f"{prefix} {line}")

    def follow(self, name: str, pipe: IO[bytes]) -> None:
        """Print what comes out of `pipe` until its end, and close it then."""
        self._selector.register(pipe, selectors.EVENT_READ, _Followed(name, pipe))

    def pump(self, seconds: float) -> bool:
        """Print what the processes have written, waiting at most `seconds` for something.

        Answers whether there was anything.
        """
        ready = self._selector.select(seconds)
        for key, _ in ready:
            self._print(key.data)
        return bool(ready)

    def close(self) -> None:
        """Print what is still there, and let go of all pipes."""
        while self.pump(0):
            pass
        for key in list(self._selector.get_map().values()):
            key.data.pipe.close()
        self._selector.close()

    def _print(self, followed: _Followed) -> None:
        lines = followed.read()
        if lines is None:
            self._selector.unregister(followed.pipe)
            followed.pipe.close()
        for line in lines or ():
            self.log(followed.name, line)
