"""The only place that asks what time it is; everything else is handed a time or a Clock."""

import asyncio
import time
from collections.abc import Coroutine
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple, Protocol


class Clock(Protocol):
    """Gives the time and waits; a test's clock is advanced by hand."""

    def now(self) -> datetime:
        """The time, aware and in UTC."""
        ...

    def monotonic(self) -> float:
        """Seconds that never go back; for durations only."""
        ...

    async def sleep(self, duration: timedelta) -> None:
        """Waits until `duration` has passed on this clock."""
        ...


class SystemClock:
    """The machine's clock."""

    def now(self) -> datetime:
        """The time, aware and in UTC."""
        return datetime.now(UTC)

    def monotonic(self) -> float:
        """Seconds that never go back; while the machine was suspended they went on, where it can say so."""
        return time.clock_gettime(time.CLOCK_BOOTTIME) if hasattr(time, "CLOCK_BOOTTIME") else time.monotonic()

    async def sleep(self, duration: timedelta) -> None:
        """Waits on the event loop."""
        await asyncio.sleep(duration.total_seconds())


class SteadyClock:
    """A clock that a jump does not shake.

    What is seen an hour ahead by mistake would move the stream an hour ahead, and all that comes until the true time is
    there would be late. So a clock that jumps, forward or back, is not followed at once: the time goes on by
    `monotonic` until the new one has stood for `BELIEVED`.
    """

    def __init__(self, clock: Clock) -> None:
        """`clock` may jump; its `monotonic` does not."""
        self._clock = clock
        self._stands = _Stands(clock.now(), clock.monotonic(), None)

    def now(self) -> datetime:
        """The time, aware and in UTC."""
        told, at = self._clock.now(), self._clock.monotonic()
        stands = self._stands
        own = stands.now + timedelta(seconds=at - stands.at)
        if abs(told - own) <= JUMP or (stands.doubted is not None and at - stands.doubted >= BELIEVED.total_seconds()):
            self._stands = _Stands(told, at, None)
            return told
        if stands.doubted is None:
            self._stands = stands._replace(doubted=at)
        return own

    def monotonic(self) -> float:
        """Seconds that never go back."""
        return self._clock.monotonic()

    async def sleep(self, duration: timedelta) -> None:
        """Waits on the event loop."""
        await self._clock.sleep(duration)


class _Stands(NamedTuple):
    now: datetime
    at: float
    """By `monotonic`."""
    doubted: float | None
    """Since when the clock tells another time."""


JUMP = timedelta(seconds=2)
"""By so much a clock may be set at once and be followed."""
BELIEVED = timedelta(minutes=5)
"""After so long a jump is the time."""


async def first_of(*waits: Coroutine[Any, Any, Any] | asyncio.Future[Any]) -> list[asyncio.Future[Any]]:
    """Waits for all until one ends, then cancels the others; answers them in their order, all done."""
    tasks: list[asyncio.Future[Any]] = [asyncio.ensure_future(wait) for wait in waits]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)
        for task in tasks:
            if not task.cancelled():
                task.exception()  # seen, so that asyncio does not report it once more
    return tasks


def pause(duration: timedelta) -> None:
    """Waits without an event loop, for commands that play recordings at a pace."""
    time.sleep(duration.total_seconds())
