"""`python -m benchmarks.raw_smtp N`: N ready-made messages by smtplib alone.

2 processes with 4 threads each, every thread with a connection that it keeps: what the standard
library's client can do here with no database and no guarantees at all.
"""

import os
import smtplib
import sys
from multiprocessing import get_context
from threading import Thread

from benchmarks.letter import SENDER, ready_made, recipient

PROCESSES = 2
THREADS = 4


def _send(numbers: range) -> None:
    with smtplib.SMTP("127.0.0.1", int(os.environ["SINK_PORT"]), "localhost") as connection:
        for number in numbers:
            connection.sendmail(SENDER, [recipient(number)], ready_made(number))


def _process(count: int, first: int) -> None:
    step = PROCESSES * THREADS
    threads = [
        Thread(target=_send, args=(range(first + PROCESSES * thread, count, step),))
        for thread in range(THREADS)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def main(count: int) -> None:
    """Send `count` messages."""
    fork = get_context("fork")
    processes = [fork.Process(target=_process, args=(count, first)) for first in range(PROCESSES)]
    for process in processes:
        process.start()
    for process in processes:
        process.join()


if __name__ == "__main__":
    main(int(sys.argv[1]))
