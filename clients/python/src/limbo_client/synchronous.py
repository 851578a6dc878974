"""The client for ordinary code."""

import time
from collections.abc import Iterator
from itertools import count
from typing import Self, TypeVar

import httpx

from limbo_client.answers import Answer
from limbo_client.calls import Call, Page
from limbo_client.core import USUAL_TIMEOUT, Connection, conclude
from limbo_client.feed import LONGEST_WAIT, Feed
from limbo_client.operations import Operations
from limbo_client.retrying import Retrying

T = TypeVar("T")


class Limbo(Operations):
    """Limbo's API. Safe to share between threads; close it, or use it in a `with`.

    `url` and `token` are taken from LIMBO_URL and LIMBO_TOKEN where they are not given; `timeout`
    is the longest silence of one try, in seconds. Every method raises LimboError.
    """

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
        self._http = httpx.Client(**self._connection.options())

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def events(
        self, cursor: str | None = None, *, page_size: int | None = None, wait: int = LONGEST_WAIT
    ) -> Feed:
        """Follow one's events from a cursor on: the first event if None, the next if "end".

        Each request waits up to `wait` seconds (30 at most) for an event; with 0 the feed ends
        when there is none. The feed's `cursor` says where to resume.
        """
        return Feed(self.carry, time.sleep, cursor, page_size=page_size, wait=wait)

    def carry(self, call: Call[T]) -> T:
        """Make the call, as often as it takes."""
        for tries in count(1):
            outcome = self._try(call)
            pause = self._retrying.pause(call, outcome, tries)
            if pause is None:
                break
            time.sleep(pause)
        return conclude(call, outcome)

    def turn_pages(self, call: Call[Page[T]]) -> Iterator[T]:
        """Iterate over the call's pages and those that follow."""
        following: Call[Page[T]] | None = call
        while following is not None:
            page = self.carry(following)
            yield from page.results
            following = page.next

    def _try(self, call: Call[T]) -> Answer | httpx.RequestError:
        try:
            return Answer.of(self._http.send(self._connection.request(self._http, call)))
        except httpx.RequestError as error:
            return error
