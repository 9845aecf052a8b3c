"""The only place that asks what time it is; everything else is handed a time or a Clock."""

import asyncio
import time
from collections.abc import Coroutine
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol


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
        """Seconds that never go back."""
        return time.monotonic()

    async def sleep(self, duration: timedelta) -> None:
        """Waits on the event loop."""
        await asyncio.sleep(duration.total_seconds())


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
