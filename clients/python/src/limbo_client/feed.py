"""Following the event feed: complete, in order, and resumable."""

from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from typing import Self

from limbo_client.calls import Call, Stretch, stretch
from limbo_client.results import FeedEvent

END = "end"
"""The cursor of whoever wants only what happens from now on."""

LONGEST_WAIT = 30


class _Follower:
    """Where a feed is, and what it has at hand."""

    def __init__(self, cursor: str | None, *, page_size: int | None, wait: int) -> None:
        self.cursor = cursor
        """Where to go on once the event at hand is dealt with; None is the beginning.

        Keep it together with what was made of the event. Events come in stretches of `page_size`,
        and within one this still is the stretch's beginning: who resumes there sees some events
        twice (`message_id` and `seq` name each), and misses none.
        """
        self._page_size = page_size
        self._wait = wait
        self._next_cursor = cursor
        self._at_hand: deque[FeedEvent] = deque()
        self._is_over = False

    def _next_stretch(self) -> Call[Stretch]:
        return stretch(self._next_cursor, page_size=self._page_size, wait=self._wait)

    def _take(self, following: Stretch) -> None:
        self._at_hand.extend(following.events)
        self._next_cursor = following.cursor
        self._is_over = self._wait == 0 and following.is_last
        if not following.events:
            self.cursor = following.cursor

    def _pop(self) -> FeedEvent:
        event = self._at_hand.popleft()
        if not self._at_hand:
            self.cursor = self._next_cursor
        return event


class Feed(_Follower, Iterator[FeedEvent]):
    """The user's events; without an end, unless `wait` is 0.

    After an error it can be asked again, and goes on where it was.
    """

    def __init__(
        self,
        carry: Callable[[Call[Stretch]], Stretch],
        sleep: Callable[[float], None],
        cursor: str | None,
        *,
        page_size: int | None,
        wait: int,
    ) -> None:
        super().__init__(cursor, page_size=page_size, wait=wait)
        self._carry = carry
        self._sleep = sleep

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> FeedEvent:
        while not self._at_hand:
            if self._is_over:
                raise StopIteration
            following = self._carry(self._next_stretch())
            self._take(following)
            self._sleep(following.pause)
        return self._pop()


class AsyncFeed(_Follower, AsyncIterator[FeedEvent]):
    """As `Feed`, with `async for`."""

    def __init__(
        self,
        carry: Callable[[Call[Stretch]], Awaitable[Stretch]],
        sleep: Callable[[float], Awaitable[None]],
        cursor: str | None,
        *,
        page_size: int | None,
        wait: int,
    ) -> None:
        super().__init__(cursor, page_size=page_size, wait=wait)
        self._carry = carry
        self._sleep = sleep

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> FeedEvent:
        while not self._at_hand:
            if self._is_over:
                raise StopAsyncIteration
            following = await self._carry(self._next_stretch())
            self._take(following)
            await self._sleep(following.pause)
        return self._pop()
