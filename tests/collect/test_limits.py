"""What platforms let us ask: ten minutes under a server that counts, with more events than anybody watches."""

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from aiohttp import web

from monitor.clock import Clock
from monitor.collect.collector import Collector
from monitor.collect.gdelt import GdeltCollector, GdeltSource
from monitor.collect.reddit import RedditCollector, RedditSource
from monitor.collect.telegram import TelegramCollector
from monitor.collect.telegram_preview import preview
from monitor.collect.telegram_settings import TelegramSource
from monitor.collect.x import XCollector
from monitor.collect.x_settings import XSource
from monitor.watched import Duration, Event
from tests.fakes.clock import START, ManualClock, settle
from tests.fakes.feeds import FakeChannel
from tests.fakes.polled import Answers, listening, metrics, platform, reading
from tests.fakes.searches import KEY, FakeGdelt, FakeReddit
from tests.fakes.x_api import TOKEN, FakeX

EVENTS = [Event(name=f"event-{number}", proposition="It fell", any=(f"word{number}",)) for number in range(60)]
MINUTE = timedelta(minutes=1)


def reddit(url: str, clock: Clock) -> Collector:
    settings = RedditSource(name="s", client_id="app", api=url, accounts=url, communities=("harbour", "bridges"))
    return RedditCollector(settings, KEY, clock, metrics(), lambda: EVENTS)


def telegram(url: str, clock: Clock) -> Collector:
    channels = tuple(f"channel_{number}" for number in range(50))
    settings = TelegramSource(name="s", channels=channels, site=url, slowest=Duration(seconds=45))
    return TelegramCollector(settings, clock, metrics(), preview(settings, clock, metrics()))


def gdelt(url: str, clock: Clock) -> Collector:
    return GdeltCollector(GdeltSource(name="s", api=url), clock, metrics(), lambda: EVENTS)


async def any_channel(request: web.Request) -> web.StreamResponse:
    fake = FakeChannel(request.path.rpartition("/")[2])
    fake.add(3, START)
    return await fake.answers(request)


def community() -> Answers:
    fake = FakeReddit()
    fake.add(30)
    return fake.answers


def most_within(times: list[datetime], span: timedelta) -> int:
    """How many requests there were in the fullest stretch of so long."""
    return max(sum(begin <= one < begin + span for one in times) for begin in times)


@pytest.mark.parametrize(
    ("made", "answers", "span", "most"),
    [
        pytest.param(reddit, community, MINUTE, 100, id="reddit", marks=pytest.mark.prove),
        pytest.param(telegram, lambda: any_channel, MINUTE, 30, id="telegram", marks=pytest.mark.prove),
        pytest.param(gdelt, lambda: FakeGdelt().answers, timedelta(seconds=5), 1, id="gdelt"),
    ],
)
async def test_ten_minutes_violate_no_limit(
    made: Callable[[str, Clock], Collector], answers: Callable[[], Answers], span: timedelta, most: int
) -> None:
    clock, times, inner = ManualClock(), list[datetime](), answers()

    async def counted(request: web.Request) -> web.StreamResponse:
        times.append(clock.now())
        return await inner(request)

    async with platform(counted) as server, reading(made(server.url, clock), clock) as source:
        await source.passes(10 * MINUTE, step=timedelta(seconds=5))
    assert len(times) >= 60
    assert most_within(times, span) <= most


async def test_a_stream_that_is_closed_again_and_again_is_not_opened_too_often() -> None:
    clock, fake = ManualClock(), FakeX()
    async with platform(fake.answers) as server:
        settings = XSource(name="x", budget=1.0, api=server.url)
        source = XCollector(settings, TOKEN, clock, metrics(), lambda: EVENTS[:2])
        async with listening(source, clock):
            for _ in range(2_000):
                fake.hang_up()
                await clock.advance(timedelta(milliseconds=400))
                await settle()
    assert 5 < fake.connects <= 50
