"""A source is kept running: tried for ever, stopped where it is refused, ended in order."""

import asyncio
from datetime import timedelta

import pytest

from monitor.arrivals import Contact, Payload
from monitor.collect.supervise import LONGEST_PAUSE, QUIET, SourceState
from monitor.errors import SourceUnavailableError
from tests.fakes.clock import START, settle
from tests.fakes.supervised import Script, Supervised, payload, stopped


async def test_it_tries_for_ever_with_pauses_below_a_doubling_bound() -> None:
    script: Script = [[SourceUnavailableError("down")] for _ in range(12)]
    desk = Supervised([*script, []])
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
    desk = Supervised([[SourceUnavailableError("slow down", retry_after=90)], []])
    running = desk.start()
    await settle()
    await desk.advance(timedelta(seconds=89))
    assert not running.done()
    await desk.advance(timedelta(seconds=2))
    await running


async def test_a_file_that_may_come_any_moment_is_looked_for_within_its_time() -> None:
    script: Script = [[SourceUnavailableError("none", within=3)] for _ in range(20)]
    desk = Supervised([*script, []])
    running = desk.start()
    await desk.advance(timedelta(seconds=60))
    await running
    assert all(pause <= timedelta(seconds=3) for pause in desk.clock.slept)


async def test_failures_are_forgotten_only_after_a_connection_that_lasted_a_minute() -> None:
    short, long = QUIET - timedelta(seconds=1), QUIET
    down = SourceUnavailableError("down")
    failing: Script = [[down] for _ in range(9)]
    desk = Supervised([*failing, [Contact(), short, down], [Contact(), long, down], []])
    running = desk.start()
    await desk.advance(LONGEST_PAUSE * 12)
    await running
    pauses = [pause for pause in desk.clock.slept if pause not in {short, long}]
    assert pauses[-2] > timedelta(seconds=1)
    assert pauses[-1] <= timedelta(seconds=1)


async def test_a_payload_carries_when_it_arrived() -> None:
    earlier = START - timedelta(seconds=3)
    desk = Supervised([[payload("1"), payload("2")._replace(arrived_at=earlier)]])
    await desk.start()
    assert [one.arrived_at for one in desk.arrived if isinstance(one, Payload)] == [START, earlier]


async def test_a_payload_without_a_resume_point_leaves_the_last_one() -> None:
    desk = Supervised([[payload("1"), Payload("scripted", b"{}", None), SourceUnavailableError("lost")], []])
    running = desk.start()
    await desk.advance(timedelta(seconds=1))
    await running
    assert desk.collector.asked_since == [None, "1"]


async def test_a_bug_is_not_caught() -> None:
    with pytest.raises(ZeroDivisionError):
        await Supervised([[ZeroDivisionError()]]).start()


async def test_a_connection_that_is_cancelled_from_within_is_made_anew() -> None:
    desk = Supervised([[payload("1")], []])
    desk.collector.script[0].append(timedelta(seconds=5))
    running = desk.start()
    await settle()
    next(task for task in asyncio.all_tasks() if task.get_name() == "read scripted").cancel()
    await desk.advance(timedelta(seconds=1))
    await running
    assert desk.collector.asked_since == [None, "1"]


@pytest.mark.parametrize("full", [False, True], ids=["waiting for the source", "waiting for the channel"])
async def test_a_cancellation_closes_the_connection_and_goes_on(full: bool) -> None:  # noqa: FBT001
    desk = Supervised([[payload("1"), timedelta(days=1)]])
    if full:
        desk.room.clear()
    running = desk.start()
    await settle()
    assert desk.collector.open == 1
    await stopped(running)
    assert desk.collector.open == 0
    assert running.cancelled()
    assert SourceState.ENDED not in desk.states
