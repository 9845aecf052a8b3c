"""When a source is blind, and when it is only quiet."""

import asyncio
from datetime import timedelta
from itertools import pairwise

import pytest

from monitor.arrivals import Contact, Payload
from monitor.collect.supervise import LONGEST_PAUSE, QUIET, SourceState
from monitor.errors import SourceRefusedError, SourceUnavailableError
from monitor.marks import GapMark
from tests.fakes.clock import START, ManualClock, settle
from tests.fakes.supervised import Script, Supervised, payload, stopped


async def test_after_a_break_it_goes_on_behind_the_last_payload_and_tells_the_gap() -> None:
    desk = Supervised([[payload("1"), payload("2"), SourceUnavailableError("connection lost")], [payload("3")]])
    running = desk.start()
    await settle()
    await desk.advance(LONGEST_PAUSE)
    await running
    assert desk.collector.asked_since == [None, "2"]
    gaps = [mark for mark in desk.arrived if isinstance(mark, GapMark)]
    assert {(gap.source, gap.why, gap.begins) for gap in gaps} == {("scripted", "connection lost", ManualClock().now())}
    assert gaps[0].ends == gaps[0].begins < gaps[-1].ends
    assert desk.states[-1] is SourceState.ENDED


async def test_a_source_that_says_nothing_for_too_long_is_connected_anew_and_was_blind_since_it_was_heard() -> None:
    limit = timedelta(seconds=90)
    desk = Supervised([[payload("1"), timedelta(days=1)], [Contact(), timedelta(days=1)]], stale_after=limit)
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
    desk = Supervised([[timedelta(days=1)], []], stale_after=limit)
    running = desk.start()
    await desk.advance(limit)
    assert [(gap.begins, gap.ends) for gap in desk.gaps] == [(START, START + limit)]
    await stopped(running)


async def test_contact_is_enough_not_to_be_stale() -> None:
    beats: list[Payload | GapMark | Contact | timedelta | Exception] = [Contact(), timedelta(seconds=60)] * 30
    desk = Supervised([beats], stale_after=timedelta(seconds=90))
    running = desk.start()
    await desk.advance(timedelta(minutes=30))
    await running
    assert desk.states == [SourceState.STARTING, SourceState.RUNNING, SourceState.ENDED]
    assert desk.arrived == []


async def test_a_full_channel_is_not_the_silence_of_the_source() -> None:
    limit = timedelta(seconds=90)
    desk = Supervised([[payload("1"), payload("2"), timedelta(days=1)], []], stale_after=limit)
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
    desk = Supervised([[payload("1"), *script[0]], *script[1:], [Contact()]])
    running = desk.start()
    await settle()
    await desk.advance(LONGEST_PAUSE)
    await running
    assert len(desk.gaps) == len(why) + 1
    assert desk.gaps[0].ends == START  # said at once
    assert desk.gaps[0].begins == START
    assert all(one.ends == other.begins for one, other in pairwise(desk.gaps))
    assert {gap.why for gap in desk.gaps} == {"lost"}


async def test_an_outage_ends_with_contact() -> None:
    hour = timedelta(hours=1)
    desk = Supervised([[Contact(), SourceUnavailableError("lost")], [Contact(), hour, payload("1")]])
    running = desk.start()
    await desk.advance(timedelta(seconds=1))
    ended = desk.gaps[-1].ends
    await desk.advance(hour * 2)
    await running
    assert desk.gaps[-1].ends == ended <= START + timedelta(seconds=1)


async def test_a_gap_that_the_collector_found_is_handed_on_in_its_place() -> None:
    lost = GapMark(source="scripted", begins=START, ends=START, why="the file was truncated")
    desk = Supervised([[payload("1"), lost, payload("2")]])
    await desk.start()
    assert [one if isinstance(one, GapMark) else one.resume for one in desk.arrived] == ["1", lost, "2"]


async def test_a_refused_source_stops_for_good_and_stays_blind() -> None:
    desk = Supervised([[payload("1"), SourceRefusedError("bad password")]])
    running = desk.start()
    await desk.advance(timedelta(minutes=10, seconds=1))
    assert desk.states[-1] is SourceState.REFUSED
    assert desk.collector.asked_since == [None]
    assert (desk.gaps[0].begins, desk.gaps[-1].ends) == (START, START + timedelta(minutes=10))
    assert all(one.ends == other.begins for one, other in pairwise(desk.gaps))
    await stopped(running)


async def test_a_bug_while_a_stale_connection_is_closed_is_not_caught() -> None:
    desk = Supervised([[timedelta(days=1)]], stale_after=QUIET)
    desk.collector.fails_to_close = ZeroDivisionError()
    running = desk.start()
    await desk.advance(QUIET)
    with pytest.raises(ZeroDivisionError):
        await running


async def test_a_stale_connection_that_cannot_be_closed_is_a_stale_one_all_the_same() -> None:
    desk = Supervised([[Contact(), timedelta(days=1)], []], stale_after=QUIET)
    desk.collector.fails_to_close = SourceUnavailableError("reset")
    running = desk.start()
    await desk.advance(QUIET)
    assert desk.gaps[0].begins == START
    assert desk.gaps[0].why.startswith("nothing came for 60 s")
    await stopped(running)


async def test_an_outage_is_noted_up_to_the_moment_at_which_the_source_is_made_anew() -> None:
    desk = Supervised([[payload("1"), SourceUnavailableError("lost", retry_after=100)]])
    running = desk.start()
    await settle()
    await desk.advance(timedelta(seconds=40))
    running.cancel()
    await asyncio.wait({running})
    assert [(gap.begins, gap.ends, gap.goes_on) for gap in desk.gaps] == [
        (START, START, True),
        (START, START + timedelta(seconds=40), True),
    ]
