"""An event that is added is looked back for where nothing can be searched: in channels, page by page, and in feeds."""

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
from aiohttp import web

from monitor.collect.rss import RssCollector, RssSource
from monitor.collect.supervise import SourceState
from monitor.watched import Duration, Event
from tests.collect.test_telegram import collector
from tests.fakes.clock import START, ManualClock
from tests.fakes.feeds import FakeChannel, FakeFeed
from tests.fakes.polled import Platform, Reading, metrics, platform, reading

BRIDGE = Event(name="bridge", proposition="The bridge has come down", any=("bridge",))
FIRE = Event(name="fire", proposition="The mill burns", any=("mill",))
MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)


@pytest.fixture
def channel() -> FakeChannel:
    return FakeChannel()


@pytest.fixture
async def server(channel: FakeChannel) -> AsyncIterator[Platform]:
    async with platform(channel.answers) as server:
        yield server


def rss(server: Platform, clock: ManualClock, events: list[Event], *paths: str, **more: object) -> RssCollector:
    feeds = tuple(server.url + path for path in paths or ("/feed",))
    settings = RssSource(name="news", feeds=feeds, every=Duration(minutes=2), private=True, **more)  # type: ignore[arg-type]
    return RssCollector(settings, clock, metrics(), lambda: events)


def before(server: Platform) -> list[str | None]:
    """The pages that were asked for: before which message."""
    return [request.query.get("before") for request in server.asked]


def again(source: Reading, many: int = 1) -> set[int]:
    """The numbers of the posts that came more often than so many times."""
    return {int(name.rpartition("/")[2].rpartition(":")[2]) for name, count in source.ids().items() if count > many}


async def test_each_channel_is_paged_back_to_where_the_look_back_begins(channel: FakeChannel, server: Platform) -> None:
    clock, events = ManualClock(), [BRIDGE]
    channel.add(45, START - 2 * HOUR)  # 26 to 45 share a page with what is new enough, and are too old
    channel.add(50, START - 30 * MINUTE)
    async with reading(collector(server, clock, events=events), clock) as source:
        assert source.ids().keys() == {f"harbour_news/{number}" for number in range(76, 96)}
        server.asked.clear()
        events.append(FIRE)
        await source.passes(MINUTE)
        assert before(server) == [None, "76", "56", None]
        assert set(source.ids()) == {f"harbour_news/{number}" for number in range(46, 96)}
        assert again(source) == set(range(76, 96))
        await source.passes(10 * MINUTE)
        assert again(source, 2) == set()
        assert source.gaps == []


async def test_no_more_pages_than_are_set_are_read_back_and_none_where_there_is_nothing_to_look_back_to(
    channel: FakeChannel, server: Platform
) -> None:
    clock, events = ManualClock(), [BRIDGE]
    channel.add(200, START - MINUTE)
    async with reading(collector(server, clock, events=events, pages=3), clock) as source:
        server.asked.clear()
        events.append(FIRE)
        await source.passes(2 * MINUTE)
        assert [page for page in before(server) if page] == ["181", "161"]
    async with reading(collector(server, clock, events=events, look_back=Duration(0)), clock) as source:
        events.pop()
        await source.passes(MINUTE)
        events.append(FIRE)
        server.asked.clear()
        await source.passes(2 * MINUTE)
        assert before(server) == [None, None]
        assert again(source) == set()


async def test_a_look_back_goes_on_where_it_was_after_a_failure_and_after_a_restart(
    channel: FakeChannel, server: Platform
) -> None:
    clock, events = ManualClock(), [BRIDGE]
    channel.add(70, START - MINUTE)
    async with reading(collector(server, clock, events=events), clock) as source:
        events.append(FIRE)
        server.faults = [0, 503]
        await source.passes(30 * timedelta(seconds=1))
        assert server.faults == []
        assert source.states == [SourceState.STARTING, SourceState.RUNNING]
        since = source.resume
    server.asked.clear()
    async with reading(collector(server, clock, events=events), clock, since) as source:
        await source.passes(2 * MINUTE)
        assert [page for page in before(server) if page] == ["51", "31", "11"]
        assert set(source.ids()) == {f"harbour_news/{number}" for number in range(1, 51)}
        since = source.resume
    server.asked.clear()
    async with reading(collector(server, clock, events=events), clock, since) as source:
        await source.passes(2 * MINUTE)
        assert set(before(server)) == {None}


async def test_a_channel_that_is_refused_or_fails_holds_up_no_other(channel: FakeChannel, server: Platform) -> None:
    async def answers(request: web.Request) -> web.StreamResponse:
        if request.path == "/s/dock_watch" and "before" in request.query:
            return web.Response(status=503)
        channel.name = request.path.removeprefix("/s/")
        return await channel.answers(request) if channel.name != "private_one" else web.Response(status=302)

    clock, events = ManualClock(), [BRIDGE]
    server.answers = answers
    channel.add(30, START - MINUTE)
    named = ("dock_watch", "private_one", "harbour_news")
    async with reading(collector(server, clock, *named, events=events), clock) as source:
        events.append(FIRE)
        await source.passes(3 * MINUTE)
        assert "harbour_news/1" in source.ids()
        assert "dock_watch/1" not in source.ids()
        assert source.state is SourceState.RUNNING
        server.answers = channel.answers
        channel.name = "dock_watch"
        await source.passes(5 * MINUTE)
        assert "dock_watch/1" in source.ids()


async def test_what_a_feed_still_holds_of_the_last_day_is_told_again_and_read_in_full_for_it() -> None:
    clock, events, feed = ManualClock(), [BRIDGE], FakeFeed()
    feed.headers = {"Cache-Control": "max-age=3600"}
    feed.add(2, START - 30 * HOUR)
    feed.add(3, START - 20 * HOUR)
    async with platform(feed.answers) as server, reading(rss(server, clock, events), clock) as source:
        events.append(FIRE)
        await source.passes(MINUTE)
        assert ["If-None-Match" in request.headers for request in server.asked] == [False, False]
        assert again(source) == {3, 4, 5}
        await source.passes(2 * HOUR)
        assert ["If-None-Match" in request.headers for request in server.asked[2:]] == [True, True]
        assert again(source, 2) == set()
        assert source.gaps == []


async def test_a_feed_with_nothing_of_late_is_read_in_full_once_also_over_a_restart() -> None:
    clock, events, feed = ManualClock(), [BRIDGE], FakeFeed()
    feed.add(2, START - 30 * HOUR)
    async with platform(feed.answers) as server:
        async with reading(rss(server, clock, events), clock) as source:
            events.append(FIRE)
            await source.passes(MINUTE)
            assert again(source) == set()
            since = source.resume
        async with reading(rss(server, clock, events), clock, since) as source:
            await source.passes(MINUTE)
        assert ["If-None-Match" in request.headers for request in server.asked] == [False, False, True]


async def test_an_entry_that_does_not_say_when_it_was_published_is_not_told_again() -> None:
    clock, events = ManualClock(), [BRIDGE]
    body = "<item><title>Bridge</title><link>https://news.example/{}</link>{}</item>"
    dated = f"<pubDate>{START - MINUTE:%a, %d %b %Y %H:%M:%S} GMT</pubDate>"
    items = body.format(1, "") + body.format(2, dated)

    async def answers(request: web.Request) -> web.StreamResponse:  # noqa: ARG001 -- Answers
        return web.Response(text=f"<rss><channel>{items}</channel></rss>", content_type="text/xml")

    async with platform(answers) as server, reading(rss(server, clock, events), clock) as source:
        events.append(FIRE)
        await source.passes(MINUTE)
        assert source.ids() == {"https://news.example/1": 1, "https://news.example/2": 2}


async def test_a_feed_that_is_gone_is_given_up_alone_and_one_that_fails_is_read_when_it_answers() -> None:
    feed, away, gone = FakeFeed(), {"/away"}, list[web.Request]()

    async def answers(request: web.Request) -> web.StreamResponse:
        if request.path == "/gone" and "If-None-Match" not in request.headers:
            gone.append(request)
            if len(gone) > 1:
                return web.Response(status=410)
        return web.Response(status=503) if request.path in away else await feed.answers(request)

    clock, events = ManualClock(), [BRIDGE]
    feed.add(1, START - MINUTE)
    async with (
        platform(answers) as server,
        reading(rss(server, clock, events, "/away", "/gone", "/feed"), clock) as source,
    ):
        events.append(FIRE)
        await source.passes(MINUTE)
        assert again(source, 2) == {1}  # /gone and /feed at first, /feed again
        assert source.state is SourceState.RUNNING
        away.clear()
        await source.passes(5 * MINUTE)
        assert source.ids() == {"urn:news:1": 5}  # /away at its turn, and again for the event
        assert len(gone) == 2


async def test_events_that_are_added_together_are_looked_back_for_by_one_walk(
    channel: FakeChannel, server: Platform
) -> None:
    clock, events = ManualClock(), [BRIDGE]
    channel.add(30, START - MINUTE)
    async with reading(collector(server, clock, events=events), clock) as source:
        server.asked.clear()
        events += [FIRE, Event(name="flood", proposition="The dam breaks", any=("dam",))]
        await source.passes(2 * MINUTE)
        assert [page for page in before(server) if page] == ["11"]
        assert again(source, 2) == set()


async def test_a_past_that_does_not_come_is_asked_for_ever_more_seldom(channel: FakeChannel, server: Platform) -> None:
    async def answers(request: web.Request) -> web.StreamResponse:
        return web.Response(status=503) if "before" in request.query else await channel.answers(request)

    clock, events, asked = ManualClock(), [BRIDGE], list[int]()
    channel.add(30, START - MINUTE)
    async with reading(collector(server, clock, events=events), clock) as source:
        server.answers = answers
        await source.passes(MINUTE)
        channel.add(70, clock.now())
        await source.passes(MINUTE)
        events.append(FIRE)
        for _ in range(5):
            server.asked.clear()
            await source.passes(HOUR)
            asked.append(len([page for page in before(server) if page]))
        assert asked[0] <= 7
        assert asked[3:] == [1, 1]
