import asyncio
import random
from collections.abc import AsyncIterator, Sequence
from datetime import datetime, timedelta
from itertools import pairwise

import pytest

from monitor.arrivals import Contact, Payload
from monitor.collect.post1 import Parsed, parse
from monitor.collect.supervise import LONGEST_PAUSE, QUIET, SourceState, supervise
from monitor.errors import SourceRefusedError, SourceUnavailableError
from monitor.records import GapMark
from tests.fakes.clock import START, ManualClock, settle

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


class Desk:
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


async def test_after_a_break_it_goes_on_behind_the_last_payload_and_tells_the_gap() -> None:
    desk = Desk([[payload("1"), payload("2"), SourceUnavailableError("connection lost")], [payload("3")]])
    running = desk.start()
    await settle()
    await desk.advance(LONGEST_PAUSE)
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
    await desk.advance(LONGEST_PAUSE * 12)
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
    await desk.advance(timedelta(seconds=89))
    assert not running.done()
    await desk.advance(timedelta(seconds=2))
    await running


async def test_a_file_that_may_come_any_moment_is_looked_for_within_its_time() -> None:
    script: Script = [[SourceUnavailableError("none", within=3)] for _ in range(20)]
    desk = Desk([*script, []])
    running = desk.start()
    await desk.advance(timedelta(seconds=60))
    await running
    assert all(pause <= timedelta(seconds=3) for pause in desk.clock.slept)


async def test_failures_are_forgotten_only_after_a_connection_that_lasted_a_minute() -> None:
    short, long = QUIET - timedelta(seconds=1), QUIET
    down = SourceUnavailableError("down")
    failing: Script = [[down] for _ in range(9)]
    desk = Desk([*failing, [Contact(), short, down], [Contact(), long, down], []])
    running = desk.start()
    await desk.advance(LONGEST_PAUSE * 12)
    await running
    pauses = [pause for pause in desk.clock.slept if pause not in {short, long}]
    assert pauses[-2] > timedelta(seconds=1)
    assert pauses[-1] <= timedelta(seconds=1)


async def test_a_source_that_says_nothing_for_too_long_is_connected_anew_and_was_blind_since_it_was_heard() -> None:
    limit = timedelta(seconds=90)
    desk = Desk([[payload("1"), timedelta(days=1)], [Contact(), timedelta(days=1)]], stale_after=limit)
    running = desk.start()
    await desk.advance(limit)
    assert desk.states == [SourceState.STARTING, SourceState.RUNNING, SourceState.UNAVAILABLE]
    assert desk.collector.open == 0
    await desk.advance(timedelta(seconds=1))
    assert desk.collector.asked_since == [None, "1"]
    assert desk.states[-1] is SourceState.RUNNING
    assert desk.gaps[0].begins == START
    assert desk.gaps[0].ends == START + limit
    assert desk.gaps[0].why == "nothing came for 90 s; the connection is made anew"
    await stopped(running)


async def test_a_source_that_never_answers_was_blind_since_it_was_tried() -> None:
    limit = timedelta(seconds=90)
    desk = Desk([[timedelta(days=1)], []], stale_after=limit)
    running = desk.start()
    await desk.advance(limit)
    assert [(gap.begins, gap.ends) for gap in desk.gaps] == [(START, START + limit)]
    await stopped(running)


async def test_contact_is_enough_not_to_be_stale() -> None:
    beats: list[Payload | GapMark | Contact | timedelta | Exception] = [Contact(), timedelta(seconds=60)] * 30
    desk = Desk([beats], stale_after=timedelta(seconds=90))
    running = desk.start()
    await desk.advance(timedelta(minutes=30))
    await running
    assert desk.states == [SourceState.STARTING, SourceState.RUNNING, SourceState.ENDED]
    assert desk.arrived == []


async def test_a_full_channel_is_not_the_silence_of_the_source() -> None:
    limit = timedelta(seconds=90)
    desk = Desk([[payload("1"), payload("2"), timedelta(days=1)], []], stale_after=limit)
    desk.room.clear()
    running = desk.start()
    await desk.advance(limit * 20)
    assert desk.states[-1] is SourceState.RUNNING
    desk.room.set()
    await settle()
    assert [one.resume for one in desk.arrived if isinstance(one, Payload)] == ["1", "2"]
    await desk.advance(limit - timedelta(seconds=2))
    assert desk.states[-1] is SourceState.RUNNING
    await desk.advance(timedelta(seconds=4))
    assert SourceState.UNAVAILABLE in desk.states
    await stopped(running)


async def test_an_outage_is_noted_piece_by_piece_and_the_pieces_join() -> None:
    why = ["lost", "no route", "no route", "still no route"]
    script: Script = [[SourceUnavailableError(one)] for one in why]
    desk = Desk([[payload("1"), *script[0]], *script[1:], [Contact()]])
    running = desk.start()
    await settle()
    await desk.advance(LONGEST_PAUSE)
    await running
    assert len(desk.gaps) == len(why)
    assert desk.gaps[0].begins == START
    assert all(one.ends == other.begins for one, other in pairwise(desk.gaps))
    assert {gap.why for gap in desk.gaps} == {"lost"}


async def test_an_outage_ends_with_contact() -> None:
    hour = timedelta(hours=1)
    desk = Desk([[Contact(), SourceUnavailableError("lost")], [Contact(), hour, payload("1")]])
    running = desk.start()
    await desk.advance(timedelta(seconds=1))
    ended = desk.gaps[-1].ends
    await desk.advance(hour * 2)
    await running
    assert desk.gaps[-1].ends == ended <= START + timedelta(seconds=1)


async def test_a_gap_that_the_collector_found_is_handed_on_in_its_place() -> None:
    lost = GapMark(source="scripted", begins=START, ends=START, why="the file was truncated")
    desk = Desk([[payload("1"), lost, payload("2")]])
    await desk.start()
    assert [one if isinstance(one, GapMark) else one.resume for one in desk.arrived] == ["1", lost, "2"]


async def test_a_payload_carries_when_it_arrived() -> None:
    earlier = START - timedelta(seconds=3)
    desk = Desk([[payload("1"), payload("2")._replace(arrived_at=earlier)]])
    await desk.start()
    assert [one.arrived_at for one in desk.arrived if isinstance(one, Payload)] == [START, earlier]


async def test_a_payload_without_a_resume_point_leaves_the_last_one() -> None:
    desk = Desk([[payload("1"), Payload("scripted", b"{}", None), SourceUnavailableError("lost")], []])
    running = desk.start()
    await desk.advance(timedelta(seconds=1))
    await running
    assert desk.collector.asked_since == [None, "1"]


async def test_a_refused_source_stops_for_good_and_stays_blind() -> None:
    desk = Desk([[payload("1"), SourceRefusedError("bad password")]])
    running = desk.start()
    await desk.advance(timedelta(minutes=10, seconds=1))
    assert desk.states[-1] is SourceState.REFUSED
    assert desk.collector.asked_since == [None]
    assert (desk.gaps[0].begins, desk.gaps[-1].ends) == (START, START + timedelta(minutes=10))
    assert all(one.ends == other.begins for one, other in pairwise(desk.gaps))
    await stopped(running)


async def test_a_bug_is_not_caught() -> None:
    with pytest.raises(ZeroDivisionError):
        await Desk([[ZeroDivisionError()]]).start()


async def test_a_bug_while_a_stale_connection_is_closed_is_not_caught() -> None:
    desk = Desk([[timedelta(days=1)]], stale_after=QUIET)
    desk.collector.fails_to_close = ZeroDivisionError()
    running = desk.start()
    await desk.advance(QUIET)
    with pytest.raises(ZeroDivisionError):
        await running


async def test_a_stale_connection_that_cannot_be_closed_is_a_stale_one_all_the_same() -> None:
    desk = Desk([[Contact(), timedelta(days=1)], []], stale_after=QUIET)
    desk.collector.fails_to_close = SourceUnavailableError("reset")
    running = desk.start()
    await desk.advance(QUIET)
    assert desk.gaps[0].begins == START
    assert desk.gaps[0].why.startswith("nothing came for 60 s")
    await stopped(running)


async def test_a_connection_that_is_cancelled_from_within_is_made_anew() -> None:
    desk = Desk([[payload("1")], []])
    desk.collector.script[0].append(timedelta(seconds=5))
    running = desk.start()
    await settle()
    next(task for task in asyncio.all_tasks() if task.get_name() == "read scripted").cancel()
    await desk.advance(timedelta(seconds=1))
    await running
    assert desk.collector.asked_since == [None, "1"]


@pytest.mark.parametrize("full", [False, True], ids=["waiting for the source", "waiting for the channel"])
async def test_a_cancellation_closes_the_connection_and_goes_on(full: bool) -> None:  # noqa: FBT001
    desk = Desk([[payload("1"), timedelta(days=1)]])
    if full:
        desk.room.clear()
    running = desk.start()
    await settle()
    assert desk.collector.open == 1
    await stopped(running)
    assert desk.collector.open == 0
    assert running.cancelled()
    assert SourceState.ENDED not in desk.states


async def stopped(running: asyncio.Task[None]) -> None:
    running.cancel()
    await asyncio.wait([running])
