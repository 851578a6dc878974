"""Reading values that a caller gave: what breaks a rule is gathered, each with its place."""

import re
from collections.abc import Callable, Collection, Iterator, Mapping
from urllib.parse import quote

from notifications.intake.addresses import AddressError, Mailbox, read_mailbox
from notifications.intake.errors import Fault

MAX_HEADER_OCTETS = 998
"""A subject or a mailbox, in UTF-8: the longest line that RFC 5322 (2.1.1) lets through."""

MAX_BODY_CHARACTERS = 10 * 1024 * 1024

TextRule = Callable[[str], tuple[str, str] | None]
"""What is wrong with a text (detail and code), or nothing."""

_MAX_UNKNOWN = 10
_SHOWN_KEY = 60

CONTROLS = r"\u0000-\u0008\u000a-\u001f\u007f-\u009f\u2028\u2029"
"""What some mail library takes for the end of a line, as part of a regular expression's class."""

# and what no database can store
_NOT_IN_HEADERS = re.compile(rf"[{CONTROLS}\ud800-\udfff]")
_NOT_IN_BODIES = re.compile("[\x00\ud800-\udfff]")


def header_fault(text: str) -> tuple[str, str] | None:
    """The rule for what gets into a header: one line that can be stored, and not too long."""
    if _NOT_IN_HEADERS.search(text):
        return "Line breaks and control characters are not allowed here.", "character"
    if len(text.encode()) > MAX_HEADER_OCTETS:
        return f"This is longer than {MAX_HEADER_OCTETS} octets.", "too_long"
    return None


def body_fault(text: str) -> tuple[str, str] | None:
    """The rule for bodies: what can be stored, and not too long."""
    if _NOT_IN_BODIES.search(text):
        return "NUL and unpaired surrogates are not allowed here.", "character"
    if len(text) > MAX_BODY_CHARACTERS:
        return f"This is longer than {MAX_BODY_CHARACTERS} characters.", "too_long"
    return None


def is_blank(value: object) -> bool:
    """Whether `value` is null or white space."""
    return value is None or (isinstance(value, str) and not value.strip())


def pointer_to(key: str) -> str:
    """The JSON Pointer to `key`, cut short and in ASCII whatever the caller called it."""
    short = key[:_SHOWN_KEY].replace("~", "~0").replace("/", "~1")
    return "/" + quote(short, safe="~", errors="replace")


def shown(key: str) -> str:
    """`key` in quotes, cut short and in ASCII."""
    return ascii(key if len(key) <= _SHOWN_KEY else f"{key[:_SHOWN_KEY]}…")


class Reader:
    """Reads value after value and gathers what is wrong with them.

    `pointer` is always where the value stands, as a JSON Pointer.
    """

    def __init__(self) -> None:
        self.faults: list[Fault] = []
        """What breaks a rule."""
        self.obstacles: list[Fault] = []
        """What keeps the rules, but is impossible as things are now."""

    def refuse(self, pointer: str, detail: str, code: str) -> None:
        """Note that the value breaks a rule."""
        self.faults.append(Fault(pointer, detail, code))

    def hinder(self, pointer: str, detail: str, code: str) -> None:
        """Note that the value is well formed, but impossible as things are now."""
        self.obstacles.append(Fault(pointer, detail, code))

    def text(self, pointer: str, value: object, rule: TextRule) -> str | None:
        """`value` if it is text that keeps the rule; else that is a fault."""
        if not isinstance(value, str):
            self.refuse(pointer, "This must be a string.", "type")
            return None
        if fault := rule(value):
            self.refuse(pointer, *fault)
            return None
        return value

    def filled(self, pointer: str, value: object, rule: TextRule) -> str | None:
        """The same, of a text that must not be empty."""
        if is_blank(value) and isinstance(value, str):
            self.refuse(pointer, "This must not be empty.", "blank")
            return None
        return self.text(pointer, value, rule)

    def matching(self, pointer: str, value: object, form: re.Pattern[str], told: str) -> str | None:
        """`value` if it is text of this `form`; `told` says what that is."""
        if not isinstance(value, str):
            self.refuse(pointer, "This must be a string.", "type")
            return None
        if not form.fullmatch(value):
            self.refuse(pointer, told, "form")
            return None
        return value

    def choice(self, pointer: str, value: object, choices: Collection[str]) -> str | None:
        """`value` if it is one of `choices`."""
        if isinstance(value, str) and value not in choices:
            self.refuse(pointer, f"This must be one of {', '.join(choices)}.", "choice")
            return None
        return self.text(pointer, value, body_fault)

    def mailbox(self, pointer: str, value: object) -> Mailbox | None:
        """The mailbox that `value` names."""
        text = self.filled(pointer, value, header_fault)
        if text is None:
            return None
        try:
            return read_mailbox(text)
        except AddressError as error:
            # no schema can say what an address is
            self.hinder(pointer, str(error), "address")
            return None

    def items(
        self, pointer: str, value: object, *, most: int, what: str
    ) -> Iterator[tuple[str, object]]:
        """The items of a list of at most so many, each with its place; `what` is the plural."""
        if not isinstance(value, list):
            self.refuse(pointer, f"This must be a list of {what}.", "type")
        elif len(value) > most:
            self.refuse(pointer, f"At most {most} {what} may be named here.", "too_many")
        else:
            yield from ((f"{pointer}/{index}", item) for index, item in enumerate(value))

    def pairs(
        self, pointer: str, value: object, *, most: int, what: str
    ) -> Iterator[tuple[str, str, object]]:
        """The members of an object of at most so many: place, key and value of each."""
        if not isinstance(value, Mapping):
            self.refuse(pointer, f"This must be an object of {what}.", "type")
        elif len(value) > most:
            self.refuse(pointer, f"At most {most} {what} may be named here.", "too_many")
        else:
            yield from ((pointer + pointer_to(key), key, item) for key, item in value.items())

    def unknown(self, fields: Mapping[str, object], known: Collection[str], at: str = "") -> None:
        """Note the fields that there are none of, by name: a slip of the pen must not vanish."""
        unknown = [str(key) for key in fields if key not in known]
        for key in unknown[:_MAX_UNKNOWN]:
            self.refuse(at + pointer_to(key), f"There is no field {shown(key)}.", "unknown")
