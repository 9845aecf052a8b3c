"""Which post is read again first: as hot as it is answered and as it grows, and none waits for ever."""

from datetime import timedelta

import pytest

from monitor.collect.refresh import Hot, heat, urgency
from monitor.errors import SourceUnavailableError
from tests.collect.test_refresh import HOW, MINUTE, Scripted, mentions, running
from tests.fakes.clock import ManualClock


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


async def test_a_post_that_grows_is_read_again_before_one_of_its_age_that_had_more_and_does_not(
    clock: ManualClock,
) -> None:
    hot, one = Hot(clock), HOW._replace(at_once=1)
    hot.take(mentions(("dead", "create", None), age=timedelta(hours=1), likes=10_000))
    hot.take(mentions(("grows", "create", None), age=timedelta(hours=1), likes=100))
    await clock.advance(2 * MINUTE)
    assert [hot.due("sky", one), hot.due("sky", one)] == [["dead"], ["grows"]]
    await clock.advance(2 * MINUTE)
    assert hot.due("sky", HOW) == ["dead", "grows"]  # the platform was away: nothing is known to be dead
    hot.read("sky", ["dead", "grows"])
    hot.take(mentions(("grows", "counts", None), likes=160))
    for likes in (220, 280):
        await clock.advance(2 * MINUTE)
        assert hot.due("sky", one) == ["grows"]
        hot.read("sky", ["grows"])
        hot.take(mentions(("grows", "counts", None), likes=likes))
    await clock.advance(2 * MINUTE)
    assert hot.due("sky", HOW) == ["grows", "dead"]


async def test_nothing_waits_for_ever_behind_what_is_hotter(clock: ManualClock) -> None:
    hot, one, likes = Hot(clock), HOW._replace(at_once=1), 0
    hot.take(mentions(("quiet", "create", None), ("grows", "create", None), ("storms", "create", None)))
    read: list[str] = []
    for _ in range(60):
        await clock.advance(2 * MINUTE)
        read += (ids := hot.due("sky", one))
        hot.read("sky", ids)
        likes += 1_000
        hot.take(mentions(("grows", "counts", None), likes=likes))
        hot.take(mentions(("storms", "counts", None), likes=likes * 4))
    assert 1 <= read.count("quiet") <= 3
    assert 5 <= read.count("grows") < read.count("storms")


def test_heat_is_answers_that_fade_and_reactions_a_minute() -> None:
    assert heat(answers=4.0, idle=3_600.0, grown=0, over=0.0) == 1.0
    assert heat(answers=0.0, idle=0.0, grown=90, over=600.0) == 9.0
    assert heat(answers=0.0, idle=0.0, grown=90, over=-5.0) == 90.0
    assert heat(answers=1.0, idle=0.0, grown=-7, over=60.0) == 1.0
    assert urgency(hot=3.0, waited=600.0) == urgency(hot=7.0, waited=0.0) == 3.0


async def test_only_a_read_that_was_answered_says_that_a_post_does_not_grow(clock: ManualClock) -> None:
    hot, one = Hot(clock), Scripted(SourceUnavailableError("busy", 60))
    hot.take(mentions(("old", "create", None), age=timedelta(hours=1), likes=10_000))
    await clock.advance(timedelta(hours=7))
    await running(one, hot, clock, 10 * MINUTE)
    assert one.asked == [["old"], ["old"]]


async def test_what_nobody_answers_any_more_is_read_only_while_it_grows_fast(clock: ManualClock) -> None:
    hot = Hot(clock)
    hot.take(mentions(("fast", "create", None), ("slow", "create", None)))
    hot.take(mentions(("fast", "counts", None), likes=480))
    hot.take(mentions(("slow", "counts", None), likes=300))
    await clock.advance(timedelta(hours=7))
    assert hot.due("sky", HOW) == ["fast"]
