"""No orphans: a process that Limbo's cluster forks dies with the process that forked it."""

import ctypes
import os
import signal

_PR_SET_PDEATHSIG = 1
# loaded before any fork: the child may only call, not import
_libc = ctypes.CDLL(None)


class _Tie:
    """Remembers who this process is, so that its child knows who its parent must be."""

    def __init__(self) -> None:
        self._pid = os.getpid()

    def bind(self) -> None:
        """In a child just forked: die with the parent, or at once if it is gone already."""
        parent, self._pid = self._pid, os.getpid()
        _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:
            os._exit(1)


def tie_children() -> None:
    """From now on the kernel kills every descendant that is forked, when its parent dies.

    That is the main process, then the sentinel, then the workers. The parent is the *thread* that
    forks, so it must be the main thread. Programs that are started (subprocess) are not tied.
    """
    os.register_at_fork(after_in_child=_Tie().bind)
