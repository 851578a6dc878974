"""Reading bodies: strict JSON of a bounded size."""

import json
import re
from collections.abc import Mapping
from typing import IO, Any, ClassVar, NoReturn

from django.conf import settings
from rest_framework.exceptions import ParseError
from rest_framework.parsers import BaseParser

from notifications.api.errors import LengthRequiredError, TooLargeError

# one without its end goes to the end of the body, or each of its quotes would be tried anew
_STRING = re.compile(rb'"(?:[^"\\]++|\\.)*+(?:"|\\?\Z)', re.DOTALL)
BATCH_OCTETS = 30 * 1024 * 1024


class StrictJsonParser(BaseParser):
    """JSON in UTF-8 as RFC 8259 has it, at most `LIMBO_MAX_REQUEST_OCTETS` long."""

    media_type = "application/json"
    max_structure: ClassVar[int] = 64 * 1024
    """Octets outside of strings: a megabyte of brackets becomes a hundred of objects."""

    @property
    def max_octets(self) -> int:
        """How long a body may be."""
        return int(settings.LIMBO_MAX_REQUEST_OCTETS)

    def parse(
        self,
        stream: IO[Any],
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> Any:
        """Decode the body. Raises TooLargeError, or ParseError for what is not JSON."""
        most = self.max_octets
        body = stream.read(most + 1)
        if len(body) > most:
            raise TooLargeError(f"A request may have at most {most} octets.")
        if _has_more_structure(body, than=self.max_structure):
            raise ParseError("The JSON has too many values.")
        try:
            return json.loads(body.decode(), parse_constant=_refuse_constant)
        except RecursionError:
            raise ParseError("The JSON is nested too deeply.") from None
        except ValueError as error:
            raise ParseError(f"This is not JSON in UTF-8: {_reason(error)}.") from error


class BatchJsonParser(StrictJsonParser):
    """The same for many messages at once."""

    max_structure = 512 * 1024
    max_octets = BATCH_OCTETS


def refuse_unknown_length(headers: Mapping[str, str]) -> None:
    """Raise LengthRequiredError for a chunked body, which would look like an empty one."""
    if "Transfer-Encoding" in headers and "Content-Length" not in headers:
        raise LengthRequiredError("Send the body with a Content-Length, not in chunks.")


def _has_more_structure(body: bytes, *, than: int) -> bool:
    """Whether so much lies outside of strings."""
    if len(body) <= than:
        return False
    outside = end = 0
    for string in _STRING.finditer(body):
        outside += string.start() - end + 1
        end = string.end()
        if outside > than:
            return True
    return outside + len(body) - end > than


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not a JSON value")


def _reason(error: ValueError) -> str:
    if isinstance(error, json.JSONDecodeError):
        return f"{error.msg} at line {error.lineno}, column {error.colno}"
    if isinstance(error, UnicodeDecodeError):
        return f"{error.reason} at octet {error.start}"
    return str(error)
