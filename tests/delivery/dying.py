"""A process of a test's own that is really killed."""

import os
import signal
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from django.db import connections


@contextmanager
def living(work: Callable[[], object]) -> Iterator[int]:
    """Do `work` in a forked process that then stays; give its pid, and kill it at the end."""
    done, write_end = os.pipe()
    # a connection cannot be shared with a child
    connections.close_all()
    pid = os.fork()
    if pid == 0:
        _work_and_stay(work, write_end)
    os.close(write_end)
    try:
        with os.fdopen(done) as pipe:
            said = pipe.readline()
            if said != "done\n":
                pytest.fail(said + pipe.read())
            yield pid
    finally:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)


def work_and_die(work: Callable[[], object]) -> None:
    """Do `work` in a forked process that is then killed by SIGKILL."""
    with living(work):
        pass


def _work_and_stay(work: Callable[[], object], write_end: int) -> None:
    """In the child, which must never come back into the tests."""
    try:
        work()
        os.write(write_end, b"done\n")
        while True:
            signal.pause()
    except BaseException:  # noqa: BLE001 - told to the parent
        os.write(write_end, traceback.format_exc().encode())
    finally:
        os._exit(1)
