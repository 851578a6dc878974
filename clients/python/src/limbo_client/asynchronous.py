"""The client for asynchronous code."""

import asyncio
from collections.abc import AsyncIterator
from itertools import count
from typing import Self, TypeVar

import httpx

from limbo_client.answers import Answer
from limbo_client.calls import Call, Page
from limbo_client.core import USUAL_TIMEOUT, Connection, conclude
from limbo_client.feed import LONGEST_WAIT, AsyncFeed
from limbo_client.operations import Operations
from limbo_client.retrying import Retrying

T = TypeVar("T")


class AsyncLimbo(Operations):
    """As `Limbo`: every method is awaited, every list and feed iterated with `async for`."""

    def __init__(
        self,
        url: str | None = None,
        token: str | None = None,
        *,
        timeout: float = USUAL_TIMEOUT,
        retrying: Retrying | None = None,
    ) -> None:
        self._connection = Connection.to(url, token, timeout)
        self._retrying = retrying or Retrying()
        self._http = httpx.AsyncClient(**self._connection.options())

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> None:
        """Close the connections."""
        await self._http.aclose()

    def events(
        self, cursor: str | None = None, *, page_size: int | None = None, wait: int = LONGEST_WAIT
    ) -> AsyncFeed:
        """Follow one's events, as `Limbo.events`."""
        return AsyncFeed(self.carry, asyncio.sleep, cursor, page_size=page_size, wait=wait)

    async def carry(self, call: Call[T]) -> T:
        """Make the call, as often as it takes."""
        for tries in count(1):
            outcome = await self._try(call)
            pause = self._retrying.pause(call, outcome, tries)
            if pause is None:
                break
            await asyncio.sleep(pause)
        return conclude(call, outcome)

    async def turn_pages(self, call: Call[Page[T]]) -> AsyncIterator[T]:
        """Iterate over the call's pages and those that follow."""
        following: Call[Page[T]] | None = call
        while following is not None:
            page = await self.carry(following)
            for result in page.results:
                yield result
            following = page.next

    async def _try(self, call: Call[T]) -> Answer | httpx.RequestError:
        try:
            return Answer.of(await self._http.send(self._connection.request(self._http, call)))
        except httpx.RequestError as error:
            return error
