"""A part that cannot be read is an outage of its own, until it answers or is no part any more, also over a restart."""

import pytest

from monitor.alert.marks import merged
from monitor.arrivals import Contact, Payload
from monitor.collect.polling import Arrival, places
from tests.collect.test_polling import AWAY, MINUTE, REFUSED, Asked, for_minutes, gaps, resumed, running
from tests.fakes.clock import ManualClock


async def test_a_part_that_fails_again_is_a_gap_of_its_own_until_it_answers() -> None:
    clock, found = ManualClock(), list[Arrival]()
    asked = Asked(clock, "https://a.example/feed?key=secret", "b")
    begun = clock.now()
    asked.fails[asked.parts[0]] = AWAY
    async with running(asked, found=found):
        assert gaps(found) == []
        await for_minutes(clock, 40)
        asked.fails = {}
        await for_minutes(clock, 40)
    pieces = gaps(found)
    assert {(gap.source.partition(" (")[0], gap.begins, gap.why) for gap in pieces} == {
        ("source: https://a.example/feed", begun, "it cannot be read")
    }
    assert [gap.goes_on for gap in pieces] == [True] * (len(pieces) - 1) + [False]
    assert [gap.ends for gap in pieces] == sorted({gap.ends for gap in pieces})
    assert pieces[0].ends - begun <= 2 * MINUTE
    assert 4 <= len(pieces) <= 8
    (outage,) = merged(pieces)
    assert (outage.begins, outage.ends, outage.goes_on) == (begun, pieces[-1].ends, False)
    assert (pieces[0].whole, pieces[0].partial, "secret" in str(pieces)) == ("source", True, False)


async def test_a_part_that_is_refused_is_a_gap_at_once_and_one_hiccup_is_none() -> None:
    clock, found = ManualClock(), list[Arrival]()
    asked = Asked(clock, "a", "b", "c")
    asked.fails = {"a": REFUSED, "c": AWAY}
    async with running(asked, found=found):
        asked.fails.pop("c")
        await for_minutes(clock, 5)
    assert [gap.source for gap in gaps(found)] == ["source: a"]


async def test_the_gap_of_a_part_goes_on_over_a_restart_and_ends_when_it_answers() -> None:
    clock, found = ManualClock(), list[Arrival]()
    asked = Asked(clock, "a", "b")
    begun = clock.now()
    asked.fails["a"] = REFUSED
    async with running(asked, found=found):
        await for_minutes(clock, 5)
    again = Asked(clock, "a", "b")
    (gap,) = gaps(await again.arrivals(3, resumed(found)))
    assert (gap.source, gap.begins, gap.ends, gap.goes_on) == ("source: a", begun, clock.now(), False)
    assert gap.continues(gaps(found)[-1])
    assert gaps(await again.arrivals(1)) == []


async def test_an_outage_that_is_over_is_not_told_again_after_a_restart() -> None:
    clock, found, later = ManualClock(), list[Arrival](), list[Arrival]()
    asked = Asked(clock, "a", "b")
    asked.fails["a"] = REFUSED
    async with running(asked, found=found):
        await for_minutes(clock, 61)
        asked.fails, asked.quiet = {}, {"b"}
        await for_minutes(clock, 59)
        assert asked.turns[-2:] == ["a", "b"]
        asked.quiet = {"a", "b"}
        await for_minutes(clock, 60)
    assert not gaps(found)[-1].goes_on
    again = Asked(clock, "a", "b")
    async with running(again, since=resumed(found), found=later):
        await for_minutes(clock, 3)
    assert gaps(later) == []


@pytest.mark.parametrize("committed", [1, 2, 3])
async def test_an_outage_ends_after_a_restart_whatever_of_it_was_committed_and_though_nobody_says_anything_new(
    committed: int,
) -> None:
    clock, found, later = ManualClock(), list[Arrival](), list[Arrival]()
    asked = Asked(clock, "a", "b")
    since = resumed(await asked.arrivals(2))
    asked.fails["a"], asked.quiet = REFUSED, {"a", "b"}
    async with running(asked, found=found):
        await for_minutes(clock, 60)
    told = [one for one in found if not isinstance(one, Contact)][:committed]
    since = resumed([Payload("source", b"", since), *told])
    again = Asked(clock, "a", "b")
    again.quiet = {"a", "b"}
    async with running(again, since=since, found=later):
        await for_minutes(clock, 5)
    (closing,) = gaps(later)
    assert (closing.source, closing.begins, closing.goes_on) == ("source: a", gaps(found)[0].begins, False)


async def test_the_gap_of_a_part_that_is_removed_ends_then_also_over_a_restart() -> None:
    clock, found = ManualClock(), list[Arrival]()
    asked = Asked(clock, "a", "b")
    asked.fails["a"] = REFUSED
    async with running(asked, found=found):
        await for_minutes(clock, 5)
        since = resumed(found)
        asked.parts.remove("a")
        await for_minutes(clock, 5)
    assert [(gap.source, gap.goes_on) for gap in gaps(found)] == [("source: a", True), ("source: a", False)]
    assert set(places(resumed(found))) == {"b"}
    again = await Asked(clock, "b").arrivals(3, since)
    assert [(gap.source, gap.goes_on) for gap in gaps(again)] == [("source: a", False)]
