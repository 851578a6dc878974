"""Mailboxes: an address and the name that may stand before it."""

import re
from dataclasses import dataclass
from email.utils import quote

import email_validator
from email_validator import EmailNotValidError, validate_email

from notifications.models.errors import LimboError

# Which names lead somewhere is for the provider to say: a gateway in a private network serves
# `.local`, and tests use `.test`. The library offers this list for exactly that.
email_validator.SPECIAL_USE_DOMAIN_NAMES.clear()

# RFC 5322 3.4: [phrase] "<" addr-spec ">", with dots allowed in the phrase (4.1, obs-phrase) and
# RFC 6532's characters. Comments and folding belong to header fields, not to an API.
_QUOTED = r'"(?:[^"\\]|\\.)*+"'
_WORD = r'[^\s()<>\[\]:;@\\,"]++'
_PART = re.compile(rf"{_QUOTED}|{_WORD}")
_NAME_AND_ADDRESS = re.compile(rf"\s*((?:(?:{_QUOTED}|{_WORD})\s*)*+)<([^<>]*)>\s*")
# What nearly all addresses look like, and the library takes as it is, at many times the cost:
# ASCII, labels without the hyphens by which IDNA marks its own, and at the end a letter.
_ATOM = r"[\w!#$%&'*+/=?^`{|}~-]++"
_LABEL = r"(?!..--)[a-z\d](?:[a-z\d-]{0,61}[a-z\d])?"
_PLAIN = re.compile(
    rf"(?=.{{1,254}}\Z)(?=[^@]{{1,64}}@)({_ATOM}(?:\.{_ATOM})*+)@((?:{_LABEL}\.)+{_LABEL}(?<![\d-]))",
    re.ASCII | re.IGNORECASE,
)
_SPECIAL = re.compile(r'[()<>\[\]:;@\\,."]')


class AddressError(LimboError):
    """The text is no mailbox; the message says why."""


@dataclass(frozen=True, slots=True)
class Mailbox:
    """A checked address with its display name."""

    address: str
    """The bare address, its domain in lower case and in Unicode."""
    name: str = ""
    """The display name, unquoted; empty when there is none."""
    ascii_domain: str = ""
    """The domain as DNS knows it (IDNA)."""

    def __str__(self) -> str:
        """The mailbox as RFC 5322 writes it, non-ASCII characters as they are."""
        if not self.name:
            return self.address
        name = f'"{quote(self.name)}"' if _SPECIAL.search(self.name) else self.name
        return f"{name} <{self.address}>"


def read_mailbox(text: str) -> Mailbox:
    """Read `address` or `name <address>`.

    The syntax is RFC 5321's and RFC 5322's, internationalised by RFC 6531: quoted local parts and
    address literals are refused, a domain needs a dot, DNS is not asked. Raises AddressError.
    """
    name, address = _split(text)
    if plain := _PLAIN.fullmatch(address):
        domain = plain[2].lower()
        return Mailbox(f"{plain[1]}@{domain}", name, domain)
    try:
        checked = validate_email(address, strict=True, check_deliverability=False)
    except EmailNotValidError as error:
        raise AddressError(str(error)) from error
    return Mailbox(checked.normalized, name, checked.ascii_domain)


def _split(text: str) -> tuple[str, str]:
    if "<" not in text:
        return "", text.strip()
    match = _NAME_AND_ADDRESS.fullmatch(text)
    if match is None:
        raise AddressError(
            "This is not `name <address>`; a name with special characters must be in quotes."
        )
    return " ".join(_unquoted(part) for part in _PART.findall(match[1])), match[2]


def _unquoted(part: str) -> str:
    return re.sub(r"\\(.)", r"\1", part[1:-1]) if part.startswith('"') else part
