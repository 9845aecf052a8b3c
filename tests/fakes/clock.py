"""A clock that stands still until it is told to move; sleepers wake when it passes their time."""

import asyncio
from datetime import UTC, datetime, timedelta

START = datetime(2021, 9, 3, 12, tzinfo=UTC)


class ManualClock:
    """Implements monitor.clock.Clock; `slept` lists every sleep that was asked for."""

    def __init__(self, now: datetime = START) -> None:
        self._start = now
        self._now = now
        self._sleepers: list[tuple[datetime, asyncio.Event]] = []
        self.slept: list[timedelta] = []

    def now(self) -> datetime:
        return self._now

    def monotonic(self) -> float:
        return (self._now - self._start).total_seconds()

    @property
    def sleeping(self) -> int:
        """How many wait for this clock."""
        return len(self._sleepers)

    async def sleep(self, duration: timedelta) -> None:
        self.slept.append(duration)
        awake = asyncio.Event()
        self._sleepers.append((self._now + duration, awake))
        try:
            await awake.wait()
        finally:
            self._sleepers = [sleeper for sleeper in self._sleepers if sleeper[1] is not awake]

    async def advance(self, duration: timedelta) -> None:
        """Moves on, waking sleepers in order, and lets everybody run."""
        end = self._now + duration
        while due := [sleeper for sleeper in self._sleepers if sleeper[0] <= end]:
            first = min(due, key=lambda sleeper: sleeper[0])
            self._sleepers.remove(first)
            self._now = max(self._now, first[0])
            first[1].set()
            await settle()
        self._now = end
        await settle()


async def settle() -> None:
    """Lets every task that can run do so."""
    for _ in range(20):
        await asyncio.sleep(0)
