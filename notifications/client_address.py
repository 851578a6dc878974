"""The client's address, by the proxies that are trusted to tell it."""

import ipaddress

from django.conf import settings
from django.http import HttpRequest


def client_address(request: HttpRequest) -> str | None:
    """The client's IP address, or None where it cannot be known (a Unix socket).

    Each trusted proxy appends the address it was called from to X-Forwarded-For, so with n of them
    the n-th entry from the right is true; what stands left of it anyone may have written.
    """
    hops = [request.META.get("REMOTE_ADDR", "")]
    trusted = settings.LIMBO_TRUSTED_PROXIES
    if trusted:
        forwarded = request.headers.get("X-Forwarded-For", "").split(",")
        hops = [hop.strip() for hop in forwarded if hop.strip()][-trusted:] + hops
    return _ip_address(hops[0])


def _ip_address(text: str) -> str | None:
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return None
    if isinstance(address, ipaddress.IPv6Address):
        return str(address.ipv4_mapped or ipaddress.IPv6Address(int(address)))
    return str(address)
