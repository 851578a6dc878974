"""What a caller may say of a choice on a message: the bodies of cancel, retry and reschedule."""

from collections.abc import Mapping
from datetime import datetime
from typing import NamedTuple, cast

from notifications.intake.errors import Fault, ImpossibleRequestError, InvalidRequestError
from notifications.intake.options.times import check_times, read_time
from notifications.intake.reader import Reader


class Times(NamedTuple):
    """When a scheduled message is to be sent instead, and its deadline if that is another one."""

    send_at: datetime
    expires_at: datetime | None


def read_cancel(fields: object) -> None:
    """Nothing may be said. Raises InvalidRequestError."""
    reader = Reader()
    reader.unknown(_object(fields), ())
    _settle(reader)


def read_retry(fields: object) -> bool:
    """Whether what is in doubt is to be sent again, too. Raises InvalidRequestError."""
    reader = Reader()
    uncertain = _object(fields).get("uncertain", False)
    if not isinstance(uncertain, bool):
        reader.refuse("/uncertain", "This must be true or false.", "type")
    reader.unknown(_object(fields), ("uncertain",))
    _settle(reader)
    return uncertain is True


def read_reschedule(fields: object) -> Times:
    """The times. Raises InvalidRequestError, or ImpossibleRequestError for times that are past."""
    reader = Reader()
    given = {field: value for field, value in _object(fields).items() if value is not None}
    read = {
        field: read_time(reader, f"/{field}", given[field])
        for field in Times._fields
        if field in given
    }
    if "send_at" not in given:
        reader.refuse("/send_at", "This is missing.", "required")
    reader.unknown(given, Times._fields)
    send_at, expires_at = read.get("send_at"), read.get("expires_at")
    check_times(reader, send_at=send_at, expires_at=expires_at)
    _settle(reader)
    return Times(cast("datetime", send_at), expires_at)


def _object(fields: object) -> Mapping[str, object]:
    if not isinstance(fields, Mapping):
        raise InvalidRequestError(Fault("", "The request must be a JSON object.", "type"))
    return fields


def _settle(reader: Reader) -> None:
    if reader.faults:
        raise InvalidRequestError(*reader.faults, *reader.obstacles)
    if reader.obstacles:
        raise ImpossibleRequestError(*reader.obstacles)
