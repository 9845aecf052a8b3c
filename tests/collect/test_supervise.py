import asyncio
import random
from collections.abc import AsyncIterator, Sequence
from datetime import datetime, timedelta

import pytest

from monitor.arrivals import Contact, Payload
from monitor.collect.post1 import Parsed, parse
from monitor.collect.supervise import LONGEST_PAUSE, SourceState, supervise
from monitor.errors import SourceRefusedError, SourceUnavailableError
from monitor.records import GapMark
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

    async def payloads(self, since: str | None) -> AsyncIterator[Payload | GapMark | Contact]:
        self.asked_since.append(since)
        for step in self.script.pop(0):
            if isinstance(step, Exception):
                raise step
            if isinstance(step, timedelta):
                await self.clock.sleep(step)
                continue
            yield step

    def parse(self, bodies: Sequence[bytes], seen_at: datetime) -> Parsed:
        return parse(bodies, self.name, seen_at)


class Desk:
    """Runs one supervisor and keeps what came out of it."""

    def __init__(self, script: Script, stale_after: timedelta | None = None) -> None:
        self.clock = ManualClock()
        self.collector = ScriptedCollector(script, self.clock, stale_after)
        self.arrived: list[Payload | GapMark] = []
        self.states: list[SourceState] = []

    async def put(self, arrival: Payload | GapMark) -> None:
        self.arrived.append(arrival)

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


async def test_after_a_break_it_goes_on_behind_the_last_payload_and_tells_the_gap() -> None:
    desk = Desk([[payload("1"), payload("2"), SourceUnavailableError("connection lost")], [payload("3")]])
    running = desk.start()
    await settle()
    await desk.clock.advance(LONGEST_PAUSE)
    await running
    assert desk.collector.asked_since == [None, "2"]
    gaps = [mark for mark in desk.arrived if isinstance(mark, GapMark)]
    assert [(gap.source, gap.why, gap.begins) for gap in gaps] == [("scripted", "connection lost", ManualClock().now())]
    assert gaps[0].ends >= gaps[0].begins
    assert desk.states[-1] is SourceState.ENDED


async def test_it_tries_for_ever_with_pauses_below_a_doubling_bound() -> None:
    script: Script = [[SourceUnavailableError("down")] for _ in range(12)]
    desk = Desk([*script, []])
    running = desk.start()
    await settle()
    await desk.clock.advance(LONGEST_PAUSE * 12)
    await running
    assert len(desk.clock.slept) == 12
    assert all(
        pause <= min(LONGEST_PAUSE, timedelta(seconds=2**number)) for number, pause in enumerate(desk.clock.slept)
    )
    assert len(set(desk.clock.slept)) == 12


async def test_it_does_not_come_back_before_the_source_asked() -> None:
    desk = Desk([[SourceUnavailableError("slow down", retry_after=90)], []])
    running = desk.start()
    await settle()
    await desk.clock.advance(timedelta(seconds=89))
    assert not running.done()
    await desk.clock.advance(timedelta(seconds=2))
    await running


async def test_a_refused_source_stops_for_good() -> None:
    desk = Desk([[payload("1"), SourceRefusedError("bad password")]])
    await desk.start()
    assert desk.states[-1] is SourceState.REFUSED
    assert desk.clock.slept == []


async def test_a_bug_is_not_caught() -> None:
    with pytest.raises(ZeroDivisionError):
        await Desk([[ZeroDivisionError()]]).start()
