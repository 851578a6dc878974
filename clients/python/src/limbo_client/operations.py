"""What a client can do, said once for both.

`Limbo().get` takes what `calls.get` takes and returns what that call returns; `AsyncLimbo().get`
the same, to be awaited. Lists return an iterator over all pages, of either kind.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from functools import wraps
from typing import TYPE_CHECKING, Any, Generic, ParamSpec, Protocol, TypeVar, overload

from limbo_client import calls
from limbo_client.calls import Call, Page

if TYPE_CHECKING:
    from limbo_client.asynchronous import AsyncLimbo
    from limbo_client.synchronous import Limbo

P = ParamSpec("P")
T = TypeVar("T")


class _Carrier(Protocol):
    """A client, of either kind."""

    def carry(self, call: Call[Any]) -> Any:
        """Make the call."""

    def turn_pages(self, call: Call[Page[Any]]) -> Any:
        """Iterate over the call's pages and those that follow."""


class Operation(Generic[P, T]):
    """A method that makes one call."""

    def __init__(self, make: Callable[P, Call[T]]) -> None:
        self._make = make
        self.__doc__ = make.__doc__

    @overload
    def __get__(self, client: "Limbo", owner: object = None) -> Callable[P, T]: ...
    @overload
    def __get__(self, client: "AsyncLimbo", owner: object = None) -> Callable[P, Awaitable[T]]: ...
    @overload
    def __get__(self, client: None, owner: object = None) -> "Operation[P, T]": ...
    def __get__(self, client: _Carrier | None, owner: object = None) -> Any:
        """The method of `client`."""
        if client is None:
            return self
        return _bound(self._make, client.carry)


class Listing(Generic[P, T]):
    """A method that iterates over all pages of a list."""

    def __init__(self, make: Callable[P, Call[Page[T]]]) -> None:
        self._make = make
        self.__doc__ = make.__doc__

    @overload
    def __get__(self, client: "Limbo", owner: object = None) -> Callable[P, Iterator[T]]: ...
    @overload
    def __get__(
        self, client: "AsyncLimbo", owner: object = None
    ) -> Callable[P, AsyncIterator[T]]: ...
    @overload
    def __get__(self, client: None, owner: object = None) -> "Listing[P, T]": ...
    def __get__(self, client: _Carrier | None, owner: object = None) -> Any:
        """The method of `client`."""
        if client is None:
            return self
        return _bound(self._make, client.turn_pages)


def _bound(make: Callable[..., Call[Any]], carry: Callable[[Call[Any]], Any]) -> Any:
    @wraps(make)
    def method(*args: Any, **kwargs: Any) -> Any:
        return carry(make(*args, **kwargs))

    return method


class Operations:
    """The methods of a client."""

    send = Operation(calls.send)
    send_batch = Operation(calls.send_batch)
    get = Operation(calls.get)
    list = Listing(calls.list_messages)
    message_events = Listing(calls.message_events)
    stats = Operation(calls.stats)
    list_templates = Listing(calls.list_templates)
    get_template = Operation(calls.get_template)
    create_template = Operation(calls.create_template)
    change_template = Operation(calls.change_template)
    delete_template = Operation(calls.delete_template)
    template_versions = Listing(calls.template_versions)
    preview_template = Operation(calls.preview_template)
    list_tokens = Listing(calls.list_tokens)
    create_token = Operation(calls.create_token)
    revoke_token = Operation(calls.revoke_token)
