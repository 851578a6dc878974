"""A process that ends when the one that started it is gone, however that ended."""

import ctypes
import os
import signal
import sys
from collections.abc import Callable

_PR_SET_PDEATHSIG = 1
# loaded before any fork: the child may only call, not import
_libc = ctypes.CDLL(None)


def end_with_parent(number: signal.Signals) -> Callable[[], None]:
    """For Popen's `preexec_fn`: the kernel sends the child `number` when its parent dies.

    Only Linux can; elsewhere it does nothing. The parent is the thread that starts the child, so
    start children from the main thread.
    """

    parent = os.getpid()

    def ask_the_kernel() -> None:
        if sys.platform == "linux":
            _libc.prctl(_PR_SET_PDEATHSIG, number)
            # the kernel speaks of deaths to come, not of one just before
            if os.getppid() != parent:
                os._exit(1)

    return ask_the_kernel
