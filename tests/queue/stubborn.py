"""An ordinary task that its time-out does not reach, as one that is stuck in a library's C code."""

import signal
import threading


def hang() -> None:
    """Never return, and never mind the alarm that django-q2 sets."""
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGALRM})
    threading.Event().wait()
