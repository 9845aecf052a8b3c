"""Which post is read again first: as hot as it is answered and as it grows, and none waits for ever."""

from collections.abc import Callable
from datetime import timedelta
from random import Random

import polars as pl
import pytest

from monitor.collect.refresh import Hot, heat, urgency
from monitor.errors import SourceUnavailableError
from tests.collect.test_refresh import HOW, MINUTE, Scripted, mentions, running
from tests.fakes.clock import ManualClock

HOUR = timedelta(hours=1)


async def read_until(
    hot: Hot, clock: ManualClock, hours: int, likes: Callable[[float], int | None], every: timedelta = 2 * MINUTE
) -> list[float]:
    """The minutes in which `a` was read while its likes went on as they are at a minute; told as the answers come."""
    read: list[float] = []
    for _ in range(round(hours * HOUR / every)):
        await clock.advance(every)
        at = clock.monotonic() / 60
        if hot.due("sky", HOW._replace(again=every)):
            read.append(at)
            hot.read("sky", ["a"])
            hot.take(mentions(("a", "counts", None), likes=likes(at)))
    return read


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


async def test_what_grows_steadily_or_by_chance_is_read_as_long_as_it_does(clock: ManualClock) -> None:
    chance, gained = Random(4), [0]

    def by_chance(_: float) -> int:  # fifteen in five minutes
        gained[0] += sum(chance.random() < 0.025 for _ in range(600))
        return gained[0]

    def steady(at: float) -> int:
        return round(at * 1.5)

    def from_a_cache(at: float) -> int:
        return int(at // 12) * 18

    def missing_at_times(at: float) -> int | None:
        return steady(at) if at % 15 else None

    ways: tuple[Callable[[float], int | None], ...] = (steady, by_chance, from_a_cache, missing_at_times)
    for likes in ways:
        hot = Hot(clock)
        hot.take(mentions(("a", "create", None), likes=likes(clock.monotonic() / 60)))
        begun = clock.monotonic() / 60
        read = await read_until(hot, clock, 13, likes, 5 * MINUTE)
        assert read[-1] >= begun + 12 * 60


@pytest.mark.parametrize("every", [2 * MINUTE, 10 * MINUTE])
async def test_what_does_not_grow_is_read_for_six_hours_and_what_has_stopped_twice_at_most(
    clock: ManualClock, every: timedelta
) -> None:
    hot = Hot(clock)
    hot.take(mentions(("a", "create", None), likes=10_000))
    assert (await read_until(hot, clock, 8, lambda _: 10_000, every))[-1] <= 6 * 60 + 2
    hot = Hot(clock)
    hot.take(mentions(("a", "create", None), likes=0))
    begun = clock.monotonic() / 60
    read = await read_until(hot, clock, 10, lambda at: 2 * min(round(at - begun), 7 * 60), every)
    assert 7 * 60 < read[-1] - begun <= 7 * 60 + 40


async def test_the_count_that_is_told_last_holds_though_some_were_taken_back(clock: ManualClock) -> None:
    hot, one, likes = Hot(clock), HOW._replace(at_once=1), 1_000
    hot.take(mentions(("z", "create", None), ("b", "create", None)))
    for told in (likes, 100, 200, 300):
        await clock.advance(2 * MINUTE)
        hot.due("sky", HOW)
        hot.read("sky", ["b", "z"])
        hot.take(mentions(("z", "counts", None), likes=told))
        hot.take(mentions(("z", "update", None)))  # says no counts
    await clock.advance(2 * MINUTE)
    assert hot.due("sky", one) == ["z"]


async def test_what_a_platform_tells_of_itself_grows_since_it_was_told_before(clock: ManualClock) -> None:
    hot, one = Hot(clock), HOW._replace(at_once=1)
    hot.take(mentions(("a", "create", None), ("b", "create", None), ("b1", "create", "b"), source="sky"))
    hot.take(mentions(("b2", "create", "b"), ("b3", "create", "b"), source="other"))
    for minute in range(1, 9):
        await clock.advance(MINUTE)
        hot.take(mentions(("a", "counts", None), likes=6 * minute))  # 6 a minute, b has an answer heat of 4 at most
        if minute % 4 == 0:
            hot.due("sky", HOW._replace(at_once=9))
            hot.read("sky", ["a", "b", "b1"])
    for minute in (9, 10):
        await clock.advance(MINUTE)
        hot.take(mentions(("a", "counts", None), likes=6 * minute))
    assert hot.due("sky", one) == ["a"]


async def test_what_was_viral_before_a_restart_and_is_older_than_six_hours_is_not_bought_again(
    clock: ManualClock,
) -> None:
    hot = Hot(clock)
    ages = [timedelta(hours=7), timedelta(hours=5)]
    rows = mentions(("dead", "create", None), ("new", "create", None), likes=100_000)
    hot.refill(rows.with_columns(seen_at=pl.Series([clock.now() - age for age in ages]), text=pl.lit("a")))
    await clock.advance(2 * MINUTE)
    assert hot.due("sky", HOW) == ["new"]
