"""The delivery half of the daemon as a process that can be killed, on a fast clock: `python -m tests.rig.outage`.

Arguments: the store's URL, the beginning of the clock (seconds since 1970), how many times faster it runs, and for
each receiver its kind and the address of the server that stands for its chat.
"""

import asyncio
import random
import sys
import warnings
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

from aiohttp import ClientSession

from monitor.alert.deliver import Deliverer
from monitor.alert.worker_outbox import WorkerOutbox
from monitor.clock import SystemClock
from monitor.store.store import Store
from monitor.store.worker import StoreWorker
from tests.fakes.alerts import AT
from tests.fakes.chats import made

LIMIT = 1.0
"""Seconds of real time that an attempt may take."""


class FastClock:
    """Implements monitor.clock.Clock: `AT` at `begin`, and `speed` times as fast as real time."""

    def __init__(self, begin: float, speed: float) -> None:
        self._begin = datetime.fromtimestamp(begin, UTC)
        self._speed = speed
        self._real = SystemClock()

    def now(self) -> datetime:
        return AT + (self._real.now() - self._begin) * self._speed

    def monotonic(self) -> float:
        return self._real.monotonic() * self._speed

    async def sleep(self, duration: timedelta) -> None:
        await self._real.sleep(duration / self._speed)


async def deliver(store: str, begin: float, speed: float, chats: list[tuple[str, str]]) -> None:
    """Delivers what the store's outbox holds, until the process ends."""
    clock, chance = FastClock(begin, speed), random.Random()
    with ThreadPoolExecutor(1) as pool, Store(store) as opened:
        worker = StoreWorker(pool, SystemClock(), chance)
        async with ClientSession() as session:
            receivers = [made(kind, at, session, limit=LIMIT, name=kind) for kind, at in chats]
            deliverer = Deliverer(WorkerOutbox(opened, worker), receivers, clock, chance)
            await deliverer.run(asyncio.Event())


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    url, begins, times, *rest = sys.argv[1:]
    asyncio.run(deliver(url, float(begins), float(times), list(zip(rest[::2], rest[1::2], strict=True))))
