"""The client against a real web process; every test that takes `limbo` runs with both clients."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Iterator
from concurrent.futures import ThreadPoolExecutor
from inspect import isawaitable
from typing import Any, Self, cast

import pytest

from limbo_client import AsyncLimbo, Limbo, Retrying
from notifications.intake.tokens import issue_token
from notifications.models import Scope, User
from tests.e2e.system import System
from tests.factories import UserFactory

QUICK = Retrying(first_pause=0.01, longest_pause=0.01)


class _Loop:
    """An event loop in a thread."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = ThreadPoolExecutor(1)

    def run(self, value: Awaitable[Any]) -> Any:
        """Run until `value` is there, and return it."""
        return self._thread.submit(self._loop.run_until_complete, value).result()

    def close(self) -> None:
        """End the thread and the loop."""
        self._thread.shutdown()
        self._loop.close()


class Driven:
    """An `AsyncLimbo`, driven as if it were a `Limbo`.

    Its loop runs in a thread of its own: a browser's tests leave one running in this.
    """

    def __init__(self, client: AsyncLimbo) -> None:
        self._client = client
        self._loop = _Loop()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.run(self._client.close())
        self._loop.close()

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._client, name)
        return lambda *args, **kwargs: self._drive(method(*args, **kwargs))

    def _drive(self, value: Any) -> Any:
        if isawaitable(value):
            return self._loop.run(value)
        return _DrivenIterator(value, self._loop)


class _DrivenIterator:
    def __init__(self, iterator: AsyncIterator[Any], loop: _Loop) -> None:
        self._iterator = iterator
        self._loop = loop

    def __iter__(self) -> Iterator[Any]:
        return self

    def __next__(self) -> Any:
        try:
            return self._loop.run(anext(self._iterator))
        except StopAsyncIteration:
            raise StopIteration from None

    def __getattr__(self, name: str) -> Any:
        return getattr(self._iterator, name)


def client_of(kind: str, url: str, token: str, retrying: Retrying = QUICK) -> Limbo:
    """A client of either kind, to be used in a `with`."""
    if kind == "sync":
        return Limbo(url, token, retrying=retrying)
    return cast("Limbo", Driven(AsyncLimbo(url, token, retrying=retrying)))


@pytest.fixture(scope="package")
def web(django_db_setup: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    """Limbo's real web process; what it accepts waits for a worker."""
    with System(tmp_path_factory.mktemp("web"), "first=smtp://127.0.0.1:1") as system:
        system.start_web()
        yield system


@pytest.fixture
def url(web: System) -> str:
    """Where Limbo is."""
    return f"http://127.0.0.1:{web.port}"


@pytest.fixture
def owner(transactional_db: None) -> User:
    """Who uses the client."""
    return UserFactory()


@pytest.fixture
def token(owner: User) -> str:
    """A token of the owner's, for everything."""
    return issue_token(owner=owner, name="client", scopes=list(Scope))[1]


@pytest.fixture(params=["sync", "async"])
def kind(request: pytest.FixtureRequest) -> str:
    """Which of the two clients."""
    return str(request.param)


@pytest.fixture
def limbo(kind: str, url: str, token: str) -> Iterator[Limbo]:
    """The owner's client."""
    with client_of(kind, url, token) as client:
        yield client
