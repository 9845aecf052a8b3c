"""The only place that asks what time it is; everything else is handed a time or a Clock."""

import asyncio
import time
from datetime import UTC, datetime, timedelta
from typing import Protocol


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


def pause(duration: timedelta) -> None:
    """Waits without an event loop, for commands that play recordings at a pace."""
    time.sleep(duration.total_seconds())
