"""What is read back holds nothing up, and nothing holds it up for long: hosts that ask to wait, refusals, turns."""

from collections.abc import AsyncIterator
from contextlib import aclosing
from datetime import timedelta
from itertools import pairwise

import pytest
from aiohttp import web

from monitor.collect.look_back import Owed
from monitor.collect.polled_past import Behind, Further
from monitor.collect.polling import Part, Polling, Read
from monitor.collect.rss import RssCollector, RssSource
from monitor.watched import Event
from tests.collect.test_polled_past import BRIDGE, FIRE, HOUR, MINUTE, again, rss
from tests.fakes.clock import START, ManualClock
from tests.fakes.feeds import FakeFeed
from tests.fakes.polled import metrics, platform, reading


async def test_what_one_host_asks_to_wait_for_holds_up_no_other_hosts_past() -> None:
    feed, asked = FakeFeed(), list[str]()

    async def answers(request: web.Request) -> web.StreamResponse:
        if request.path == "/busy" and "If-None-Match" not in request.headers:
            asked.append(request.path)
            if len(asked) > 1:
                return web.Response(status=429, headers={"Retry-After": "1000000"})
        return await feed.answers(request)

    clock, events = ManualClock(), [BRIDGE]
    feed.add(1, START - MINUTE)
    async with platform(answers) as server:
        feeds = (server.url + "/busy", server.url.replace("127.0.0.1", "localhost") + "/feed")
        settings = RssSource(name="news", feeds=feeds, private=True)
        async with reading(RssCollector(settings, clock, metrics(), lambda: events), clock) as source:
            events.append(FIRE)
            await source.passes(MINUTE)
            assert len(asked) == 2
            assert again(source, 2) == {1}


async def test_what_is_refused_of_the_past_is_asked_for_once_and_no_key_of_a_feed_is_said(
    caplog: pytest.LogCaptureFixture,
) -> None:
    feed, asked = FakeFeed(), list[str]()

    async def answers(request: web.Request) -> web.StreamResponse:
        asked.append(key := request.query["key"])
        if len(asked) > 2 and key == "hunter3":
            return web.Response(status=503)
        if len(asked) > 2 and "If-None-Match" not in request.headers:
            return web.Response(status=410)
        return await feed.answers(request)

    clock, events = ManualClock(), [BRIDGE]
    feed.add(1, START - MINUTE)
    async with (
        platform(answers) as server,
        reading(rss(server, clock, events, "/feed?key=hunter2", "/feed?key=hunter3"), clock) as source,
    ):
        events += [FIRE, Event(name="flood", proposition="The dam breaks", any=("dam",))]
        await source.passes(MINUTE)
        assert sorted(asked[2:]) == ["hunter2", "hunter3"]
        await source.passes(2 * MINUTE)
    assert "does not look back" in caplog.text
    assert "cannot be read" in caplog.text
    assert "hunter" not in caplog.text


async def test_what_is_new_goes_first_and_the_past_is_not_starved_where_some_part_is_always_due() -> None:
    clock, events, done = ManualClock(), [BRIDGE], list[str]()

    async def ask(part: Part) -> AsyncIterator[Read]:
        done.append(part.name)
        yield Read(b"[]", [])

    async def look(owed: Owed) -> Further:
        done.append(f"past of {owed.question}")
        return Further(b"[]", [], "further")

    behind = Behind("source", clock, HOUR, 50, lambda: events)
    polling = Polling("source", clock, timedelta(), metrics(), behind=behind)
    async with aclosing(polling.arrivals(None, lambda: ["a", "b"], ask, look)) as arrivals:  # type: ignore[type-var]
        await anext(arrivals)
        events.append(FIRE)
        async for _ in arrivals:
            if len(done) == 60:
                break
    past = [at for at, name in enumerate(done) if name == "past of a"]
    assert 6 <= len(past) <= 12
    assert all(later - earlier > 4 for earlier, later in pairwise(past))
