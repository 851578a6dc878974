"""Failpoints: named places at which a test makes a process die, stand still or fail.

    LIMBO_FAILPOINTS='dot_sent=kill,build[poison]=kill*'  LIMBO_FAILPOINT_DIR=/tmp/here

`name=action` acts once, in whichever process comes there first; with `*` every time. `[detail]`
narrows it to hits whose detail contains that text. Each time it acts, it first writes its process's
id into the file `name` in the folder, by which a test knows that it happened.

Without the variable `hit` does nothing, and a public Limbo refuses to start with it (limbo.E013).
"""

import os
import re
import signal
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

VARIABLE = "LIMBO_FAILPOINTS"
FOLDER = "LIMBO_FAILPOINT_DIR"

_POINT = re.compile(r"(?P<name>\w+)(?:\[(?P<detail>[^\]]*)\])?=(?P<action>\w+)(?P<always>\*?)")


class FailpointError(RuntimeError):
    """What a failpoint with the action `raise` raises."""


def _raise() -> None:
    raise FailpointError("a failpoint was hit")


_ACTIONS: dict[str, Callable[[], None]] = {
    "kill": lambda: os.kill(os.getpid(), signal.SIGKILL),
    # to this thread: one to the process may reach it late, and it would go on meanwhile
    "stop": lambda: signal.pthread_kill(threading.get_ident(), signal.SIGSTOP),
    "raise": _raise,
}


@dataclass(frozen=True, slots=True)
class _Point:
    name: str
    detail: str
    action: str
    always: bool

    def act(self, folder: Path) -> None:
        mode = os.O_WRONLY | os.O_CREAT | (0 if self.always else os.O_EXCL)
        try:
            mark = os.open(folder / self.name, mode, 0o600)
        except FileExistsError:
            return
        os.write(mark, str(os.getpid()).encode())
        os.close(mark)
        _ACTIONS[self.action]()


def parse(text: str) -> list[_Point]:
    """Read the variable. Raises ValueError that names the part that is wrong."""
    points = []
    for part in filter(None, (entry.strip() for entry in text.split(","))):
        found = _POINT.fullmatch(part)
        if found is None or found["action"] not in _ACTIONS:
            raise ValueError(f"{part!r} is not name=action, with one of {', '.join(_ACTIONS)}")
        points.append(
            _Point(found["name"], found["detail"] or "", found["action"], bool(found["always"]))
        )
    return points


def _armed(environ: Mapping[str, str]) -> Callable[[str, str], None]:
    points = parse(environ[VARIABLE])
    folder = Path(environ[FOLDER])

    def act(name: str, detail: str) -> None:
        for point in points:
            if point.name == name and point.detail in detail:
                point.act(folder)

    return act


_act = _armed(os.environ) if os.environ.get(VARIABLE) else None


def is_armed() -> bool:
    """Whether any failpoint may act in this process."""
    return _act is not None


def hit(name: str, detail: str = "") -> None:
    """Come to the place `name`; `detail` says what is being worked on there."""
    if _act is not None:
        _act(name, detail)
