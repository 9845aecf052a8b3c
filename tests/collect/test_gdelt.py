"""GDELT: what it has is taken once; what it refuses is borne, ever more patiently."""

from collections.abc import AsyncIterator
from datetime import timedelta

import msgspec
import pytest
from aiohttp import web

from monitor.collect.gdelt import GdeltCollector, GdeltSource
from monitor.collect.supervise import SourceState
from monitor.watched import Event
from tests.fakes.clock import START, ManualClock
from tests.fakes.polled import Platform, metrics, platform, reading
from tests.fakes.searches import FakeGdelt

QUARTER = timedelta(minutes=15)
BRIDGE = Event(name="bridge", proposition="The bridge has come down", any=("bridge", "old harbour"), none=("chess",))
FIRE = Event(name="fire", proposition="The mill burns", any=("mill",))


@pytest.fixture
def gdelt() -> FakeGdelt:
    return FakeGdelt()


@pytest.fixture
async def server(gdelt: FakeGdelt) -> AsyncIterator[Platform]:
    async with platform(gdelt.answers) as server:
        yield server


def collector(server: Platform, clock: ManualClock, *others: Event, **more: object) -> GdeltCollector:
    settings = msgspec.convert({"kind": "gdelt", "name": "news", "api": server.url, **more}, GdeltSource)
    return GdeltCollector(settings, clock, metrics(), lambda: [BRIDGE, *others])


async def test_articles_come_once(gdelt: FakeGdelt, server: Platform) -> None:
    clock = ManualClock()
    gdelt.add(2, START - timedelta(minutes=10))
    async with reading(collector(server, clock, more="sourcelang:english"), clock) as source:
        gdelt.add(1, START)
        await source.passes(2 * QUARTER)
        assert source.ids() == {f"https://daily.example/{number}": 1 for number in range(3)}
        post = source.posts().to_dicts()[0]
    assert (post["author"], post["posted_at"]) == ("daily.example", START - timedelta(minutes=10))
    assert gdelt.asked_at[0]["query"] == '("bridge" OR "old harbour") -"chess" sourcelang:english'


async def test_more_articles_than_an_answer_holds_are_a_gap(gdelt: FakeGdelt, server: Platform) -> None:
    clock = ManualClock()
    async with reading(collector(server, clock), clock) as source:
        gdelt.add(300, START + timedelta(minutes=1))
        await source.passes(QUARTER)
        (gap,) = source.gaps
    assert (gap.begins, gap.why) == (START, "bridge: more than 250 articles came")


async def test_every_refusal_makes_the_pause_longer_and_an_answer_ends_it(
    gdelt: FakeGdelt, server: Platform, caplog: pytest.LogCaptureFixture
) -> None:
    clock = ManualClock()
    gdelt.says = [
        web.Response(status=429, text="Please limit requests to one every 5 seconds"),
        web.Response(text="Your query was too short"),
        web.Response(status=503),
    ]
    async with reading(collector(server, clock), clock) as source:
        assert source.state is SourceState.UNAVAILABLE
        gdelt.add(1, START)
        for pause, state in ((1, SourceState.UNAVAILABLE), (2, SourceState.UNAVAILABLE), (4, SourceState.RUNNING)):
            await source.passes(pause * QUARTER - timedelta(seconds=1))
            asked = len(gdelt.asked_at)
            await source.passes(timedelta(seconds=1))
            assert (len(gdelt.asked_at), source.state) == (asked + 1, state)
        assert source.ids() == {"https://daily.example/0": 1}
    assert "GDELT says: Your query was too short" in caplog.text


@pytest.mark.parametrize(
    "said",
    [
        web.Response(status=403, text="Forbidden"),
        web.Response(status=429, text="Please limit requests to one every 5 seconds"),
        web.Response(text="Please limit requests to one every 5 seconds"),
        web.Response(status=503),
    ],
)
async def test_what_refuses_one_event_lets_no_other_be_asked_until_the_pause_is_over(
    gdelt: FakeGdelt, server: Platform, said: web.Response
) -> None:
    clock = ManualClock()
    gdelt.says = [said]
    async with reading(collector(server, clock, FIRE), clock) as source:
        gdelt.add(1, START)
        await source.passes(QUARTER - timedelta(seconds=1))
        assert (len(gdelt.asked_at), source.state) == (1, SourceState.UNAVAILABLE)
        await source.passes(timedelta(seconds=30))
        assert len(gdelt.asked_at) == 3
        assert source.state is SourceState.RUNNING


async def test_a_question_that_gdelt_does_not_like_holds_up_no_other(gdelt: FakeGdelt, server: Platform) -> None:
    clock = ManualClock()
    gdelt.add(1, START)
    gdelt.says = [web.Response(text="Your query was too short")]
    async with reading(collector(server, clock, FIRE), clock) as source:
        await source.passes(timedelta(seconds=30))
        assert [one["query"] for one in gdelt.asked_at[1:]] == ['"mill"']
        assert source.state is SourceState.RUNNING
