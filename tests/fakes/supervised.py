"""A collector that plays a script, under a supervisor."""

import asyncio
import random
from collections.abc import AsyncIterator, Sequence
from datetime import datetime, timedelta

from monitor.arrivals import Contact, Payload
from monitor.collect.parsed import Parsed
from monitor.collect.post1 import parse
from monitor.collect.supervise import SourceState, supervise
from monitor.marks import GapMark
from tests.fakes.clock import ManualClock, settle

Script = list[list[Payload | GapMark | Contact | timedelta | Exception]]
"""A timedelta is a time in which nothing comes."""


class ScriptedCollector:
    """Each connection plays one line of the script."""

    name = "scripted"

    def __init__(self, script: Script, clock: ManualClock, stale_after: timedelta | None) -> None:
        self.script = script
        self.clock = clock
        self.stale_after = stale_after
        self.asked_since: list[str | None] = []
        self.open = 0
        self.fails_to_close: Exception | None = None

    async def payloads(self, since: str | None) -> AsyncIterator[Payload | GapMark | Contact]:
        self.asked_since.append(since)
        self.open += 1
        try:
            for step in self.script.pop(0):
                if isinstance(step, Exception):
                    raise step
                if isinstance(step, timedelta):
                    await self.clock.sleep(step)
                    continue
                yield step
        finally:
            self.open -= 1
            if self.fails_to_close is not None:
                raise self.fails_to_close

    def parse(self, bodies: Sequence[bytes], seen_at: datetime) -> Parsed:
        return parse(bodies, self.name, seen_at)


class Supervised:
    """Runs one supervisor and keeps what came out of it."""

    def __init__(self, script: Script, stale_after: timedelta | None = None) -> None:
        self.clock = ManualClock()
        self.collector = ScriptedCollector(script, self.clock, stale_after)
        self.arrived: list[Payload | GapMark] = []
        self.states: list[SourceState] = []
        self.room = asyncio.Event()
        self.room.set()

    async def put(self, arrival: Payload | GapMark) -> None:
        if isinstance(arrival, Payload):
            await self.room.wait()
        self.arrived.append(arrival)

    @property
    def gaps(self) -> list[GapMark]:
        return [mark for mark in self.arrived if isinstance(mark, GapMark)]

    async def advance(self, duration: timedelta) -> None:
        await settle()
        await self.clock.advance(duration)

    def start(self) -> asyncio.Task[None]:
        return asyncio.ensure_future(
            supervise(
                self.collector,
                None,
                self.put,
                lambda _, state: self.states.append(state),
                clock=self.clock,
                chance=random.Random(7),
            )
        )


def payload(resume: str) -> Payload:
    return Payload("scripted", b"{}", resume)


async def stopped(running: asyncio.Task[None]) -> None:
    running.cancel()
    await asyncio.wait([running])
