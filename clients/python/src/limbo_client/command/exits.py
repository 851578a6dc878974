"""How the command ends."""

from enum import IntEnum

from limbo_client.errors import (
    BrokenAnswerError,
    ConfigurationError,
    LimboError,
    ServerError,
    TooManyRequestsError,
    UnreachableError,
)


class Exit(IntEnum):
    """The exit codes, which stay."""

    DONE = 0
    REFUSED = 1
    """Limbo refused it: the same request will be refused again."""
    USAGE = 2
    """The command line, the environment or a file is wrong; nothing was asked."""
    TRY_AGAIN = 3
    """Limbo was not reached, or failed. A submission may have been stored."""
    FAILED = 4
    """With --wait: the message did not go out to everyone."""
    UNSETTLED = 5
    """With --wait: the time is over, and the message is still under way."""
    INTERRUPTED = 130


_TRY_AGAIN = (BrokenAnswerError, ServerError, TooManyRequestsError, UnreachableError)


def exit_of(error: LimboError) -> Exit:
    """How the command ends after `error`."""
    if isinstance(error, ConfigurationError):
        return Exit.USAGE
    return Exit.TRY_AGAIN if isinstance(error, _TRY_AGAIN) else Exit.REFUSED
