"""Going on when the database was away for a while."""

import logging
import threading
from collections.abc import Callable
from typing import TypeVar

from django.db import InterfaceError, OperationalError, connection

logger = logging.getLogger(__name__)

T = TypeVar("T")

_PAUSE_SECONDS = 1.0


def steadfast(step: Callable[[], T]) -> T:
    """Do `step` until the database lets it, and return its value.

    For steps whose outcome must not be lost, such as a provider's answer. Each must be a
    transaction that may run twice: a commit whose answer was lost is done again.
    """
    while True:
        try:
            return step()
        except (OperationalError, InterfaceError) as error:
            logger.warning("The database is away, trying again: %s", error)
            connection.close()
            threading.Event().wait(_PAUSE_SECONDS)
