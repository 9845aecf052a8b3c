"""Feeds: asked politely, every entry once, whatever the feed's dialect; what a feed dropped meanwhile is a gap."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest
from aiohttp import web

from monitor.collect.rss import RssCollector, RssSource, stays_for
from monitor.collect.supervise import SourceState
from monitor.watched import Duration
from tests.fakes.clock import START, ManualClock
from tests.fakes.feeds import FakeFeed, atom, rss
from tests.fakes.polled import Platform, metrics, platform, reading

MINUTE = timedelta(minutes=1)


@pytest.fixture
def feed() -> FakeFeed:
    return FakeFeed()


@pytest.fixture
async def server(feed: FakeFeed) -> AsyncIterator[Platform]:
    async with platform(feed.answers) as server:
        yield server


def collector(server: Platform, clock: ManualClock, *paths: str) -> RssCollector:
    feeds = tuple(server.url + path for path in paths or ("/feed",))
    return RssCollector(
        RssSource(name="news", feeds=feeds, every=Duration(minutes=2), private=True), clock, metrics(), tuple
    )


async def test_new_entries_come_once_and_nothing_is_fetched_again_that_has_not_changed(
    feed: FakeFeed, server: Platform
) -> None:
    clock = ManualClock()
    feed.add(3, START - MINUTE)
    async with reading(collector(server, clock), clock) as source:
        assert source.ids() == {f"urn:news:{number}": 1 for number in (1, 2, 3)}
        await source.passes(4 * MINUTE)
        assert [request.headers.get("If-None-Match") is not None for request in server.asked] == [False, True, True]
        feed.add(1, clock.now())
        await source.passes(2 * MINUTE)
        assert source.ids() == {f"urn:news:{number}": 1 for number in (1, 2, 3, 4)}
        assert source.gaps == []


@pytest.mark.parametrize("dialect", [atom, rss])
async def test_an_entry_is_a_post_of_its_site(dialect: object, feed: FakeFeed, server: Platform) -> None:
    feed.atom = dialect is atom
    feed.add(1, START - MINUTE)
    clock = ManualClock()
    async with reading(collector(server, clock), clock) as source:
        (post,) = source.posts().to_dicts()
    assert post["text"].startswith("The bridge is closed, entry 1")
    assert (post["platform"], post["author"], post["posted_at"]) == ("rss", "news.example", START - MINUTE)
    assert post["id"] == ("urn:news:1" if feed.atom else "news.example:1")


async def test_an_entry_that_was_rewritten_is_an_update(feed: FakeFeed, server: Platform) -> None:
    clock = ManualClock()
    feed.add(2, START)
    async with reading(collector(server, clock), clock) as source:
        feed.entries[0] = feed.entries[0]._replace(text="The bridge is open again")
        await source.passes(2 * MINUTE)
        (update,) = source.posts("update").to_dicts()
    assert (update["id"], update["text"]) == ("urn:news:1", "The bridge is open again\nMore on 1")


async def test_behind_a_resume_point_only_what_is_new_comes(feed: FakeFeed, server: Platform) -> None:
    clock = ManualClock()
    feed.add(5, START)
    async with reading(collector(server, clock), clock) as source:
        since = source.resume
    feed.add(2, START)
    async with reading(collector(server, clock), clock, since) as source:
        assert source.ids() == {"urn:news:6": 1, "urn:news:7": 1}
        assert source.gaps == []


async def test_a_feed_that_holds_nothing_known_any_more_is_a_gap(feed: FakeFeed, server: Platform) -> None:
    clock = ManualClock()
    feed.add(5, START)
    async with reading(collector(server, clock), clock) as source:
        feed.add(25, START + MINUTE)
        await source.passes(2 * MINUTE)
        (gap,) = source.gaps
    assert (gap.begins, gap.ends) == (START, START + 2 * MINUTE)
    assert "nothing any more that was known" in gap.why


async def test_a_feed_is_left_alone_for_as_long_as_it_says_that_it_stays(feed: FakeFeed, server: Platform) -> None:
    clock = ManualClock()
    feed.headers = {"Cache-Control": "public, max-age=600"}
    feed.add(1, START)
    async with reading(collector(server, clock), clock) as source:
        await source.passes(9 * MINUTE)
        assert len(server.asked) == 1
        await source.passes(2 * MINUTE)
        assert len(server.asked) == 2


async def test_a_feed_that_is_gone_does_not_hold_up_the_others(feed: FakeFeed, server: Platform) -> None:
    clock = ManualClock()
    feed.add(1, START)
    server.faults = [404]
    source_of = collector(server, clock, "/gone", "/feed")
    async with reading(source_of, clock) as source:
        await source.passes(2 * MINUTE)
        assert source.ids() == {"urn:news:1": 1}
        assert source.state is SourceState.RUNNING


async def test_a_feed_that_asks_for_an_hour_holds_up_no_feed_of_another_host(feed: FakeFeed) -> None:
    async def answers(request: web.Request) -> web.StreamResponse:
        busy = web.Response(status=429, headers={"Retry-After": "3600"})
        return busy if request.path == "/busy" else await feed.answers(request)

    clock = ManualClock()
    feed.add(1, START)
    async with platform(answers) as server:
        elsewhere = server.url.replace("127.0.0.1", "localhost")
        feeds = (f"{server.url}/busy", f"{elsewhere}/feed", f"{server.url}/also")
        settings = RssSource(name="news", feeds=feeds, every=Duration(minutes=2), private=True)
        async with reading(RssCollector(settings, clock, metrics(), tuple), clock) as source:
            assert source.state is SourceState.RUNNING
            assert source.ids() == {"urn:news:1": 1}
            await source.passes(2 * MINUTE)
    assert [one.path for one in server.asked] == ["/busy", "/feed", "/feed"]


async def test_when_every_feed_refuses_the_source_is_refused(server: Platform) -> None:
    clock = ManualClock()
    server.faults = [403, 401]
    async with reading(collector(server, clock, "/a", "/b"), clock) as source:
        await source.passes(MINUTE)
        assert source.state is SourceState.REFUSED


async def test_what_is_no_feed_is_said(server: Platform, feed: FakeFeed) -> None:
    clock = ManualClock()
    server.faults = [200]
    feed.add(1, START)
    async with reading(collector(server, clock), clock) as source:
        assert source.states == [SourceState.STARTING, SourceState.UNAVAILABLE]
        await source.passes(MINUTE)
        assert source.states[2:] == [SourceState.RUNNING]
        assert source.ids() == {"urn:news:1": 1}


def test_entries_without_a_time_were_published_when_they_were_seen() -> None:
    body = b"<rss><channel><item><title>Bridge</title><link>https://news.example/a</link></item></channel></rss>"
    at = datetime(2021, 9, 3, tzinfo=UTC)
    source = RssCollector(RssSource(name="news", feeds=("https://news.example/feed",)), ManualClock(), metrics(), tuple)
    (post,) = source.parse([body], at).posts.to_dicts()
    assert (post["id"], post["posted_at"]) == ("https://news.example/a", at)


def test_a_feed_is_never_taken_for_the_name_of_a_file() -> None:
    source = RssCollector(RssSource(name="news", feeds=("https://news.example/feed",)), ManualClock(), metrics(), tuple)
    found = source.parse([b"/etc/hostname"], START)
    assert found.posts.is_empty()
    assert found.rejected == [{"wrong_type": 1}]


@pytest.mark.parametrize(
    ("said", "wait"),
    [
        ("max-age=60", MINUTE),
        ("no-cache, max-age=0", timedelta()),
        ("max-age=999999", timedelta(hours=1)),
        ("x", timedelta()),
    ],
)
def test_how_long_an_answer_stays(said: str, wait: timedelta) -> None:
    assert stays_for({"Cache-Control": said}) == wait
