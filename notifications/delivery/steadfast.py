"""Going on when the database was away for a while."""

import logging
import threading
from collections.abc import Callable
from typing import TypeVar

from django.db import InterfaceError, InternalError, OperationalError, connection

logger = logging.getLogger(__name__)

T = TypeVar("T")

_PAUSE_SECONDS = 1.0

_AWAY = (OperationalError, InterfaceError, InternalError)
"""What the database raises while it is down, full, or read-only (the last is an InternalError)."""


def _nothing() -> None:
    pass


def steadfast(step: Callable[[], T], *, first_again: Callable[[], object] = _nothing) -> T:
    """Do `step` until the database lets it, and return its value.

    For steps whose outcome must not be lost, such as a provider's answer. Each must be a
    transaction that may run twice: a commit whose answer was lost is done again. `first_again` is
    done before each repetition, to mend what such a commit has left.
    """
    try:
        return step()
    except _AWAY as error:
        _wait(error)
    while True:
        try:
            first_again()
            return step()
        except _AWAY as error:
            _wait(error)


def _wait(error: Exception) -> None:
    logger.warning("The database is away, trying again: %s", error)
    connection.close()
    threading.Event().wait(_PAUSE_SECONDS)
