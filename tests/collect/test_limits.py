"""What platforms let us ask: ten minutes under a server that counts, with more events than anybody watches."""

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from aiohttp import web

from monitor.clock import Clock, SystemClock
from monitor.collect.bluesky import BlueskyCollector
from monitor.collect.bluesky_settings import BlueskySource
from monitor.collect.collector import Collector
from monitor.collect.factcheck import FactcheckCollector, FactcheckSource
from monitor.collect.gdelt import GdeltCollector, GdeltSource
from monitor.collect.mastodon import MastodonCollector
from monitor.collect.mastodon_settings import MastodonSource
from monitor.collect.reddit import RedditCollector, RedditSource
from monitor.collect.rss import RssCollector, RssSource
from monitor.collect.telegram import TelegramCollector
from monitor.collect.telegram_preview import preview
from monitor.collect.telegram_settings import TelegramSource
from monitor.collect.x import XCollector
from monitor.collect.x_settings import XSource
from monitor.collect.youtube import YoutubeCollector, YoutubeSource
from monitor.watched import Duration, Event
from tests.fakes import jetstream as jetstreams
from tests.fakes import mastodon as mastodons
from tests.fakes.bluesky_account import LOGIN, PASSWORD, Account, view
from tests.fakes.clock import START, ManualClock, settle
from tests.fakes.feeds import FakeChannel, FakeFeed
from tests.fakes.platform import platform as passive
from tests.fakes.polled import Answers, listening, metrics, platform, reading
from tests.fakes.searches import KEY, FakeFactChecks, FakeGdelt, FakeReddit, FakeYoutube
from tests.fakes.x_api import TOKEN, FakeX

EVENTS = [Event(name=f"event-{number}", proposition="It fell", any=(f"word{number}",)) for number in range(60)]
MINUTE = timedelta(minutes=1)
HALF_AN_HOUR, DAY = 30 * MINUTE, timedelta(days=1)


def reddit(url: str, clock: Clock) -> Collector:
    settings = RedditSource(name="s", client_id="app", api=url, accounts=url, communities=("harbour", "bridges"))
    return RedditCollector(settings, KEY, clock, metrics(), lambda: EVENTS)


def telegram(url: str, clock: Clock) -> Collector:
    channels = tuple(f"channel_{number}" for number in range(50))
    settings = TelegramSource(name="s", channels=channels, site=url, slowest=Duration(seconds=45))
    return TelegramCollector(settings, clock, metrics(), preview(settings, clock, metrics()), tuple)


def gdelt(url: str, clock: Clock) -> Collector:
    return GdeltCollector(GdeltSource(name="s", api=url), clock, metrics(), lambda: EVENTS)


def youtube(url: str, clock: Clock) -> Collector:
    settings = YoutubeSource(name="s", api=url, units=2_000)
    return YoutubeCollector(settings, KEY, clock, metrics(), lambda: EVENTS)


def factcheck(url: str, clock: Clock) -> Collector:
    return FactcheckCollector(FactcheckSource(name="s", api=url, private=True), KEY, clock, metrics(), lambda: EVENTS)


def rss(url: str, clock: Clock) -> Collector:
    feeds = tuple(f"{url}/feed-{number}" for number in range(50))
    return RssCollector(RssSource(name="s", feeds=feeds, private=True), clock, metrics(), tuple)


def videos() -> Answers:
    fake = FakeYoutube()
    fake.videos = [f"video-{number}" for number in range(30)]
    return fake.answers


def claims() -> Answers:
    fake = FakeFactChecks()
    fake.add(100)
    return fake.answers


async def any_feed(request: web.Request) -> web.StreamResponse:
    fake = FakeFeed()
    fake.add(3, START)
    return await fake.answers(request)


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
        pytest.param(youtube, videos, DAY, 2_096, id="youtube", marks=pytest.mark.prove),
        pytest.param(factcheck, claims, HALF_AN_HOUR, 180, id="factcheck", marks=pytest.mark.prove),
        pytest.param(rss, lambda: any_feed, 2 * MINUTE, 50, id="rss", marks=pytest.mark.prove),
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


async def answered() -> None:
    """Lets what was asked be answered: over a socket, which the manual clock does not wait for."""
    for _ in range(10):
        await SystemClock().sleep(timedelta(milliseconds=2))
        await settle()


@pytest.mark.prove
async def test_ten_minutes_of_looking_back_violate_no_limit_of_mastodon() -> None:
    clock = ManualClock(mastodons.BEGIN + timedelta(hours=2))
    async with mastodons.instance(clock) as server:
        server.posts = [mastodons.status(number) for number in range(3_600, 7_200, 2)]
        server.searchable = [mastodons.status(number, "a word0") for number in range(3_700, 7_100, 20)]
        settings = MastodonSource(name="s", instance=server.url, tags=("flood",))
        one = MastodonCollector(settings, mastodons.TOKEN, clock, metrics(), lambda: EVENTS)
        async with listening(one, clock):
            await server.listened()
            for _ in range(600):
                await clock.advance(timedelta(seconds=1))
                await answered()
        asked = [request for request in server.asked if request.path != "/api/v1/streaming"]
        paged = sum("min_id" in request.query for request in asked)
    assert server.violations == 0
    assert paged >= 200
    assert len(asked) <= 600


@pytest.mark.prove
async def test_ten_minutes_of_looking_back_violate_no_limit_of_bluesky() -> None:
    clock, account = ManualClock(jetstreams.BEGIN + timedelta(hours=1)), Account()
    times: list[datetime] = []

    async def counted(request: web.Request) -> web.StreamResponse:
        times.append(clock.now())
        return await account.handle(request)

    account.page = 1
    account.posts = [
        view(jetstreams.post(number).uri, "word0 of it", f"2026-11-23T12:{number % 60:02}:00.000Z")
        for number in range(99)
    ]
    async with jetstreams.jetstream() as stream, passive(counted) as url:
        longer = Duration(minutes=2)  # than the pause between two posts, lest the stream be taken for dead
        settings = BlueskySource(name="s", host=stream.url, login=LOGIN, service=url, searches=10, stale=longer)
        one = BlueskyCollector(settings, clock, metrics(), password=PASSWORD, events=lambda: EVENTS)
        async with listening(one, clock):
            await stream.at_rest.wait()
            for minute in range(10):
                stream.say(jetstreams.post(1_000 + minute))
                await answered()
                await clock.advance(MINUTE)
    assert len(times) >= 10
    assert most_within(times, 5 * MINUTE) <= 10 + 1  # a session is made too
