"""The channel from the sources to the worker thread: bounded, batched by time and size, one call per batch."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import datetime, timedelta
from functools import partial
from typing import NamedTuple

from monitor.arrivals import Payload, Settled
from monitor.clock import Clock, first_of
from monitor.marks import Mark

_NOBODY = ""
"""The source of a payload that only marks a place in the channel."""


class Arrivals(NamedTuple):
    """What came in while one batch was open."""

    payloads: tuple[Payload, ...]
    marks: tuple[Mark, ...]
    closed_at: datetime
    told: tuple[Callable[[], None], ...] = ()
    """To be called once the marks are committed."""


class Intake:
    """The bounded channel: `put` waits while the worker is behind, so back-pressure reaches the sources.

    A batch closes when it holds `posts` posts, or `interval` after the one before it closed. At most `most_posts` posts
    and `most_bytes` bytes wait; a single payload larger than that passes when nothing else waits.
    """

    def __init__(self, *, posts: int, interval: timedelta, most_posts: int, most_bytes: int = 64 << 20) -> None:
        self._posts = posts
        self._interval = interval
        self._most = (most_posts, most_bytes)
        self._waiting: deque[Payload] = deque()
        self._marks: list[Mark] = []
        self._told: list[Callable[[], None]] = []
        self._count = 0
        self._bytes = 0
        self._closed = False
        self._room = asyncio.Event()
        self._room.set()
        self._enough = asyncio.Event()

    async def put(self, arrival: Payload | Mark) -> None:
        """Hands on one arrival; a payload waits while the channel is full, a mark never does."""
        if not isinstance(arrival, Payload):
            self._marks.append(arrival)
            return
        while not self.offer(arrival):
            await self._room.wait()

    async def submit(self, mark: Mark) -> None:
        """Hands on a mark and waits until it is committed."""
        committed = asyncio.Event()
        self._marks.append(mark)
        self._told.append(committed.set)
        await committed.wait()

    async def flushed(self) -> None:
        """Waits until everything that was handed on so far is committed."""
        committed = asyncio.Event()
        self._waiting.append(Payload(_NOBODY, b"", None, 0, settle=lambda _: committed.set()))
        await committed.wait()

    def offer(self, payload: Payload) -> bool:
        """Hands on a payload if there is room; says whether there was."""
        if self._closed or self.full():
            self._room.clear()
            return False
        self._waiting.append(payload)
        self._count += payload.posts
        self._bytes += len(payload.body)
        if self._count >= self._posts:
            self._enough.set()
        return True

    def full(self) -> bool:
        """Whether a payload would have to wait."""
        return self._count >= self._most[0] or self._bytes >= self._most[1]

    def close(self) -> None:
        """No more arrivals: the batch in hand is the last."""
        self._closed = True
        self._enough.set()

    @property
    def closed(self) -> bool:
        """Whether nothing is taken any more."""
        return self._closed

    def waiting(self) -> int:
        """Posts not yet in a batch."""
        return self._count

    async def batches(self, clock: Clock) -> AsyncIterator[Arrivals]:
        """Batches of about `posts` posts; empty ones carry the time on."""
        closes = clock.monotonic() + self._interval.total_seconds()
        last = False
        while not last:
            left = closes - clock.monotonic()
            if not self._enough.is_set() and left > 0:
                await first_of(self._enough.wait(), clock.sleep(timedelta(seconds=left)))
            closes = clock.monotonic() + self._interval.total_seconds()
            arrivals = self._taken(clock.now())
            last = self._closed and not self._waiting
            yield arrivals

    def _taken(self, at: datetime) -> Arrivals:
        payloads: list[Payload] = []
        posts = 0
        while self._waiting and posts < self._posts:
            payload = self._waiting.popleft()
            if payload.source == _NOBODY:
                self._told.append(partial(_settle, payload))
                continue
            payloads.append(payload)
            posts += payload.posts
            self._bytes -= len(payload.body)
        self._count -= posts
        marks, self._marks = tuple(self._marks), []
        told, self._told = tuple(self._told), []
        self._room.set()
        if self._count < self._posts and not self._closed:
            self._enough.clear()
        return Arrivals(tuple(payloads), marks, at, told)


async def drive(arrivals: AsyncIterator[Arrivals], work: Callable[[Arrivals], Awaitable[None]]) -> None:
    """Sends each batch through `work`, one at a time and in their order."""
    async for batch in arrivals:
        await work(batch)


def _settle(place: Payload) -> None:
    if place.settle is not None:
        place.settle(Settled(0, {}))
