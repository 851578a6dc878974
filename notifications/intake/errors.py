"""What the door answers instead of taking a message."""

from dataclasses import dataclass

from notifications.models.errors import LimboError


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is wrong with a request."""

    pointer: str
    """Where, as a JSON Pointer (RFC 6901) into the request; empty for the request as a whole."""
    detail: str
    """What is wrong, for the person who reads it."""
    code: str
    """The same for a program."""
    line: int | None = None
    """The line of a template's source that it is about."""


class RefusedRequestError(LimboError):
    """The request is not taken; `faults` has every reason, the first being told first."""

    def __init__(self, *faults: Fault) -> None:
        super().__init__("; ".join(f"{fault.pointer}: {fault.detail}" for fault in faults))
        self.faults = faults


class InvalidRequestError(RefusedRequestError):
    """It breaks rules, and always will."""


class ImpossibleRequestError(RefusedRequestError):
    """It is well formed, but not possible now: a time is over, a sender is not allowed."""


class NameTakenError(LimboError):
    """The owner has another template of this name; nothing was stored."""


class StillRunningError(LimboError):
    """The first request with this Idempotency-Key has no answer yet; nothing was stored."""


class IdempotencyConflictError(LimboError):
    """The Idempotency-Key was used for another request; nothing was stored."""
