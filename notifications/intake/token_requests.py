"""What an owner may ask of a new token; it never gives more than the token that asks for it."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from ipaddress import ip_network
from typing import TypeVar

from django.utils import timezone

from notifications.intake.addresses import AddressError, read_mailbox
from notifications.intake.errors import Fault, ImpossibleRequestError, InvalidRequestError
from notifications.intake.options.times import read_time
from notifications.intake.reader import Reader, header_fault
from notifications.intake.token_limits import Network, covers_network, covers_sender
from notifications.intake.tokens import USUAL_SCOPES
from notifications.models import ApiToken, Scope

MAX_NAME = 100
MAX_LIMITS = 50
"""Senders, and networks, that one token is limited to."""

MAX_SENDER = 320

FIELDS = frozenset(("name", "scopes", "expires_at", "allowed_senders", "allowed_networks", "test"))

_Value = TypeVar("_Value")


@dataclass(frozen=True, slots=True)
class NewToken:
    """A token as its owner wants it."""

    name: str
    scopes: tuple[str, ...]
    expires_at: datetime | None
    allowed_senders: tuple[str, ...]
    allowed_networks: tuple[str, ...]
    is_test: bool


def read_new_token(fields: object, *, maker: ApiToken) -> NewToken:
    """Read a token from decoded JSON: those of FIELDS.

    What is not given, and what null stands for, is as with `maker`, the token that asks for it; for
    the scopes it is `send` and `read`, as far as `maker` has them. Raises InvalidRequestError with
    every fault, and ImpossibleRequestError for what `maker` may not give.
    """
    if not isinstance(fields, Mapping):
        raise InvalidRequestError(Fault("", "The request must be a JSON object.", "type"))
    reader = Reader()
    token = NewToken(
        name=_read(reader, fields, "name", _name) or "",
        scopes=_read(reader, fields, "scopes", _scopes) or _usual_scopes(maker),
        expires_at=_read(reader, fields, "expires_at", read_time) or maker.expires_at,
        allowed_senders=_read(reader, fields, "allowed_senders", _senders)
        or tuple(maker.allowed_senders),
        allowed_networks=_read(reader, fields, "allowed_networks", _networks)
        or tuple(maker.allowed_networks),
        is_test=maker.is_test if (test := _read(reader, fields, "test", _test)) is None else test,
    )
    if fields.get("name") is None:
        reader.refuse("/name", "A token needs a name.", "required")
    if not token.scopes:
        reader.refuse("/scopes", "Name the scopes that it is to have.", "required")
    reader.unknown(fields, FIELDS)
    if reader.faults:
        raise InvalidRequestError(*reader.faults)
    if not reader.obstacles:
        _check(reader, token, maker)
    if reader.obstacles:
        raise ImpossibleRequestError(*reader.obstacles)
    return token


def _read(
    reader: Reader,
    fields: Mapping[str, object],
    field: str,
    read: Callable[[Reader, str, object], _Value | None],
) -> _Value | None:
    return None if fields.get(field) is None else read(reader, f"/{field}", fields[field])


def _name(reader: Reader, pointer: str, value: object) -> str | None:
    name = reader.filled(pointer, value, header_fault)
    if name is not None and len(name) > MAX_NAME:
        reader.refuse(pointer, f"This is longer than {MAX_NAME} characters.", "too_long")
    return name


def _test(reader: Reader, pointer: str, value: object) -> bool | None:
    if isinstance(value, bool):
        return value
    reader.refuse(pointer, "This must be true or false.", "type")
    return None


def _usual_scopes(maker: ApiToken) -> tuple[str, ...]:
    return tuple(scope for scope in USUAL_SCOPES if scope in maker.scopes)


def _scopes(reader: Reader, pointer: str, value: object) -> tuple[str, ...]:
    items = reader.items(pointer, value, most=len(Scope), what="scopes")
    chosen = [reader.choice(place, item, Scope.values) for place, item in items]
    return _distinct(reader, pointer, [scope for scope in chosen if scope])


def _senders(reader: Reader, pointer: str, value: object) -> tuple[str, ...]:
    items = reader.items(pointer, value, most=MAX_LIMITS, what="senders")
    return _distinct(reader, pointer, [*_each(reader, items, _sender)])


def _networks(reader: Reader, pointer: str, value: object) -> tuple[str, ...]:
    items = reader.items(pointer, value, most=MAX_LIMITS, what="networks")
    return _distinct(reader, pointer, [*_each(reader, items, _network)])


def _each(
    reader: Reader, items: Iterator[tuple[str, object]], read: Callable[[str], str]
) -> Iterator[str]:
    """The items in the form that `read` gives them; what it raises is a fault."""
    for place, item in items:
        text = reader.text(place, item, header_fault)
        if text is None:
            continue
        try:
            yield read(text)
        except (AddressError, ValueError) as error:
            # no schema can say what an address or a network is
            reader.hinder(place, str(error), "form")


def _sender(text: str) -> str:
    if len(text) > MAX_SENDER:
        raise ValueError(f"This is longer than {MAX_SENDER} characters.")
    is_address = "@" in text
    mailbox = read_mailbox(text if is_address else f"anyone@{text}")
    if mailbox.name:
        raise ValueError("This must be an address or a domain, without a name.")
    return mailbox.address if is_address else mailbox.address.rpartition("@")[2]


def _network(text: str) -> str:
    return str(ip_network(text))


def _distinct(reader: Reader, pointer: str, values: list[str]) -> tuple[str, ...]:
    if len(set(values)) < len(values):
        reader.refuse(pointer, "Something is named twice here.", "twice")
    return tuple(values)


def _check(reader: Reader, token: NewToken, maker: ApiToken) -> None:
    """Note what is past, and what `maker` may not give."""
    if token.expires_at is not None and token.expires_at <= timezone.now():
        reader.hinder("/expires_at", "This is past.", "past")
    if maker.expires_at and token.expires_at and token.expires_at > maker.expires_at:
        told = f"The token that asks for it ends at {maker.expires_at.isoformat()}."
        reader.hinder("/expires_at", told, "too_late")
    if maker.is_test and not token.is_test:
        told = "The token that asks for it is a test token, so it makes no others."
        reader.hinder("/test", told, "not_yours")
    for place, scope in enumerate(token.scopes):
        if scope not in maker.scopes:
            _not_ours(reader, f"/scopes/{place}", f"the scope `{scope}`")
    for place, sender in enumerate(token.allowed_senders):
        if maker.allowed_senders and not covers_sender(maker.allowed_senders, sender):
            _not_ours(reader, f"/allowed_senders/{place}", f"the sender {sender}")
    for place, network in enumerate(token.allowed_networks):
        known: Network = ip_network(network)
        if maker.allowed_networks and not covers_network(maker.allowed_networks, known):
            _not_ours(reader, f"/allowed_networks/{place}", f"the network {network}")


def _not_ours(reader: Reader, pointer: str, what: str) -> None:
    told = f"The token that asks for it does not have {what}, so it cannot give it."
    reader.hinder(pointer, told, "not_yours")
