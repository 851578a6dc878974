"""Running code in a strand, from a test's thread."""

from collections.abc import Callable
from queue import SimpleQueue

from notifications.delivery.strands import run_as_strands


def in_a_strand(work: Callable[[], object]) -> None:
    """Do `work` in a strand; returns when it is over, and raises what it raises."""
    ends: SimpleQueue[BaseException | None] = SimpleQueue()

    def carry() -> None:
        try:
            work()
        except BaseException as error:  # noqa: BLE001 - it is the test's
            ends.put(error)
        else:
            ends.put(None)

    run_as_strands([carry])
    if error := ends.get():
        raise error
