"""The channel from the collectors to the worker thread: bounded, batched by time and size, one call per batch."""

import asyncio
from collections.abc import AsyncIterator, Callable
from concurrent.futures import Executor
from datetime import datetime, timedelta
from typing import NamedTuple, TypeVar

from monitor.clock import Clock
from monitor.records import GapMark, Payload, StatusMark

Arrived = TypeVar("Arrived")
Outcome = TypeVar("Outcome")


class Arrivals(NamedTuple):
    """What came in while one batch was open."""

    payloads: tuple[Payload, ...]
    marks: tuple[GapMark | StatusMark, ...]
    closed_at: datetime


class Intake:
    """The bounded channel: `put` waits while the worker is behind, so back-pressure reaches the sources."""

    def __init__(self, *, posts: int, interval: timedelta, payloads: int = 64) -> None:
        self._queue: asyncio.Queue[Payload | GapMark | StatusMark | None] = asyncio.Queue(payloads)
        self._posts = posts
        self._interval = interval

    async def put(self, arrival: Payload | GapMark | StatusMark) -> None:
        """Hands on one arrival; waits while the channel is full."""
        await self._queue.put(arrival)

    async def close(self) -> None:
        """No more arrivals: the batch in hand is the last."""
        await self._queue.put(None)

    def waiting(self) -> int:
        """Arrivals not yet in a batch."""
        return self._queue.qsize()

    async def batches(self, clock: Clock) -> AsyncIterator[Arrivals]:
        """Batches of about `posts` posts, closed after `interval` at the latest; empty ones carry the time on."""
        closed = False
        while not closed:
            payloads: list[Payload] = []
            marks: list[GapMark | StatusMark] = []
            posts = 0
            ends = clock.monotonic() + self._interval.total_seconds()
            while posts < self._posts and not closed:
                try:
                    arrival = await asyncio.wait_for(self._queue.get(), max(0.0, ends - clock.monotonic()))
                except TimeoutError:
                    break
                if arrival is None:
                    closed = True
                elif isinstance(arrival, Payload):
                    payloads.append(arrival)
                    posts += arrival.posts
                else:
                    marks.append(arrival)
            yield Arrivals(tuple(payloads), tuple(marks), clock.now())


async def drive(
    arrivals: AsyncIterator[Arrived],
    work: Callable[[Arrived], Outcome],
    after: Callable[[Outcome], None],
    worker: Executor,
) -> None:
    """Sends each batch through `work` on the worker thread, one at a time, and tells `after` on the loop."""
    loop = asyncio.get_running_loop()
    async for batch in arrivals:
        after(await loop.run_in_executor(worker, work, batch))
