"""How addresses and display names are written where they leave."""

import re
from email.utils import unquote

import idna

_PLAIN_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(?: [A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*")
"""Words that need no quotes (RFC 5322, 3.2.3)."""


def wire_address(address: str) -> str:
    """`address` as it crosses the wire: its domain in ASCII, unless SMTPUTF8 is needed anyway.

    A local part with other characters than ASCII has no ASCII form (RFC 6531); such an address
    is left whole. Raises UnicodeError when the domain cannot be encoded.
    """
    if address.isascii():
        return address
    local, at, domain = address.rpartition("@")
    if not local.isascii():
        return address
    return f"{local}{at}{idna.encode(domain, uts46=True).decode('ascii')}"


def needs_smtputf8(address: str) -> bool:
    """Whether only a server that announces SMTPUTF8 can take `address`."""
    return not wire_address(address).isascii()


def display_name(sender: str) -> str:
    """The display name within a From header's value `name <address>`, or ""."""
    return unquote(sender.rpartition("<")[0].strip())


def bare_address(mailbox: str) -> str:
    """The address within `name <address>`, or the whole where there is no name."""
    return mailbox.rpartition("<")[2].removesuffix(">")


def quoted_name(name: str) -> str:
    """`name` as an RFC 5322 phrase: in quotes where it needs them, not encoded otherwise."""
    if _PLAIN_NAME.fullmatch(name):
        return name
    escaped = name.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def mailbox(name: str, address: str) -> str:
    """`name <address>`, or the bare address when there is no name."""
    return f"{quoted_name(name)} <{address}>" if name else address
