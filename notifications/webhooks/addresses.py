"""Which addresses a user's webhook may lead to: none within Limbo's own network.

Without this a user could let Limbo call services that trust whoever reaches them: databases,
metadata of the cloud, the machine itself (server-side request forgery).
"""

import ipaddress
import socket
from collections.abc import Callable, Sequence

Resolver = Callable[[str, int], Sequence[str]]
"""From a host's name and port to its addresses. Raises OSError when there are none."""

_REFUSED = tuple(
    ipaddress.ip_network(text)
    for text in (
        # Python's is_global knows these differently from version to version
        "192.0.0.0/24",
        # local to a site, which RFC 3879 gave up
        "fec0::/10",
        # these carry an IPv4 address within, which may be a private one
        "::ffff:0:0/96",
        "64:ff9b::/96",
        "64:ff9b:1::/48",
        "2001::/32",
        "2002::/16",
    )
)


def resolve(host: str, port: int) -> list[str]:
    """The addresses that the system's resolver knows for `host`.

    Raises OSError when there are none.
    """
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except UnicodeError as error:
        raise OSError(f"{host!r} is not a host's name") from error
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


def is_public(address: str) -> bool:
    """Whether the address belongs to the public Internet, and to a single host there."""
    ip = ipaddress.ip_address(address)
    if any(ip in network for network in _REFUSED if network.version == ip.version):
        return False
    return ip.is_global and not (ip.is_multicast or ip.is_reserved or ip.is_unspecified)
