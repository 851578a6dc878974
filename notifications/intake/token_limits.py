"""What a token is limited to beside its scopes: whom it may send as, and from where it may be used.

What a test token submits is a test: it goes to the sandbox and to nobody else.

A sender that is allowed is an address, or a domain: then every address at that very domain is, and
none at a domain below it. Case makes no difference. A network is CIDR's.
"""

from collections.abc import Iterable
from dataclasses import replace
from functools import lru_cache
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network

from notifications.intake.addresses import Mailbox
from notifications.intake.errors import Fault, ImpossibleRequestError
from notifications.intake.mail_request import MailRequest, read_mail_request
from notifications.intake.templates.shelf import Shelf
from notifications.models import ApiToken

Network = IPv4Network | IPv6Network


def read_allowed(fields: object, *, token: ApiToken, shelf: Shelf) -> MailRequest:
    """Read what is submitted with `token`, as `read_mail_request` does, within its limits.

    Raises what that raises, and ImpossibleRequestError for a sender that is not the token's.
    """
    request = read_mail_request(fields, shelf)
    _check_sender(token, request.sender)
    return replace(request, is_test=True) if token.is_test else request


def _check_sender(token: ApiToken, sender: Mailbox) -> None:
    if token.allowed_senders and not covers_sender(token.allowed_senders, sender.address):
        detail = f"This token may not send from {sender.address}: sender not allowed."
        raise ImpossibleRequestError(Fault("/from", detail, "sender_not_allowed"))


def covers_sender(allowed: Iterable[str], sender: str) -> bool:
    """Whether an address or a domain is among `allowed`, or at one of its domains."""
    wanted = sender.lower()
    domain = wanted.rpartition("@")[2]
    return any(entry.lower() in (wanted, domain) for entry in allowed)


def may_come_from(token: ApiToken, address: str | None) -> bool:
    """Whether a token with limits to its networks covers an IP address; None is one unknown."""
    if address is None:
        return False
    client = ip_address(address)
    return any(client in network for network in _networks(tuple(token.allowed_networks)))


def covers_network(allowed: Iterable[str], network: Network) -> bool:
    """Whether all of `network` lies in one that is `allowed`."""
    return any(
        network.subnet_of(wider)  # type: ignore[arg-type]
        for wider in _networks(tuple(allowed))
        if wider.version == network.version
    )


@lru_cache(maxsize=1024)
def _networks(texts: tuple[str, ...]) -> tuple[Network, ...]:
    return tuple(ip_network(text) for text in texts)
