"""The stop flag: once set, the workers of this cluster begin nothing more.

One byte of memory that is shared with every process forked after this module was imported; the
`qcluster` command imports it before the first fork.
"""

import mmap


class StopFlag:
    """Set once, by whoever ends the cluster; never cleared while its processes live."""

    def __init__(self) -> None:
        self._memory = mmap.mmap(-1, 1)

    def set(self) -> None:
        """From now on nothing more is begun. One store: safe in a signal handler."""
        self._memory[0] = 1

    def clear(self) -> None:
        """Begin anew, in a process that starts a cluster."""
        self._memory[0] = 0

    def is_set(self) -> bool:
        """Whether the cluster is ending."""
        return self._memory[0] != 0


stop_flag = StopFlag()
