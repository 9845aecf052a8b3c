"""An event that is added is looked back for: in the timelines that are followed, and by the server's search."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from monitor.collect.mastodon import MastodonCollector
from monitor.collect.mastodon_settings import MastodonSource
from monitor.watched import Duration, Event
from tests.fakes.clock import ManualClock, settle
from tests.fakes.collected import Collected
from tests.fakes.mastodon import BEGIN, TOKEN, Instance, instance, name_of, status
from tests.fakes.platform import metrics

BRIDGE = Event(name="bridge", proposition="The bridge has come down", any=("bridge", "span"), none=("game",))
FIRE = Event(name="fire", proposition="The mill burns", any=("mill",))
HOUR = 3_600


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(BEGIN + timedelta(hours=2))


@pytest.fixture
async def server(clock: ManualClock) -> AsyncIterator[Instance]:
    async with instance(clock) as one:
        yield one


def collector(server: Instance, clock: ManualClock, events: list[Event], **more: object) -> MastodonCollector:
    settings = MastodonSource(name="far", instance=server.url, tags=("flood",), **more)  # type: ignore[arg-type]
    return MastodonCollector(settings, TOKEN, clock, metrics(), lambda: events)


def brought(count: int) -> object:
    return lambda collected: sum(payload.posts for payload in collected.payloads) >= count


def queries(server: Instance) -> list[tuple[str, str]]:
    """What was searched for, and from where on."""
    return [(one.query["q"], one.query["offset"]) for one in server.asked if one.path == "/api/v2/search"]


def numbers(collected: Collected, one: MastodonCollector) -> list[int]:
    """Which posts came, in order."""
    return [int(name.rpartition("/")[2]) for name in collected.of(one, "create", "id")]


async def test_the_last_hour_of_the_timelines_is_read_again_then_the_search(
    server: Instance, clock: ManualClock
) -> None:
    server.posts = [status(number) for number in (60, HOUR + 1, HOUR + 2)]
    server.searchable = [status(HOUR + 9, "a bridge"), status(9, "an old bridge"), status(HOUR + 8, "that span")]
    collected, one = Collected(), collector(server, clock, [BRIDGE])
    await collected.read(one, brought(4))  # type: ignore[arg-type]
    assert numbers(collected, one) == [HOUR + 1, HOUR + 2, HOUR + 9, HOUR + 8]
    assert queries(server) == [('"bridge" -"game"', "0"), ('"span" -"game"', "0")]


async def test_only_what_is_added_is_looked_back_for_and_a_deleted_post_stays_away(
    server: Instance, clock: ManualClock
) -> None:
    events = [BRIDGE]
    collected, one = Collected(), collector(server, clock, events)
    server.searchable = [status(HOUR + 900, "the mill")]

    reading = asyncio.ensure_future(
        collected.read(one, lambda told: any(b"the mill" in payload.body for payload in told.payloads))
    )
    await server.listened()
    await server.say(status(2 * HOUR))
    await server.say(status(2 * HOUR + 1))
    await server._tell({"stream": ["hashtag", "flood"], "event": "delete", "payload": name_of(2 * HOUR)})  # noqa: SLF001
    while len(queries(server)) < 2:
        await settle()
    events.append(FIRE)
    await clock.advance(timedelta(seconds=30))
    await server.say(status(2 * HOUR + 20))
    await reading
    assert queries(server)[2:] == [('"mill"', "0")]
    found = numbers(collected, one)
    assert found.count(2 * HOUR) == 1
    assert found.count(2 * HOUR + 1) >= 2


async def test_a_search_without_the_right_is_given_up_and_the_timelines_are_read(
    server: Instance, clock: ManualClock, caplog: pytest.LogCaptureFixture
) -> None:
    server.posts = [status(HOUR + number) for number in range(100, 190)]
    collected, one = Collected(), collector(server, clock, [BRIDGE, FIRE])
    once_for_both_events = brought(91)
    reading = asyncio.ensure_future(collected.read(one, once_for_both_events))  # type: ignore[arg-type]
    await server.listened()
    while not queries(server):
        await settle()
    await server.say(status(2 * HOUR))
    await reading
    assert len(queries(server)) == 1
    assert [one.getMessage() for one in caplog.records if "outside the authorized scopes" in one.getMessage()]
    assert collected.failures == []


async def test_a_term_that_the_search_does_not_understand_is_given_up_alone(
    server: Instance, clock: ManualClock
) -> None:
    server.unsearchable = "bridge"
    server.searchable = [status(HOUR + 8, "that span"), status(HOUR + 9, "the mill")]
    collected, one = Collected(), collector(server, clock, [BRIDGE, FIRE])
    await collected.read(one, brought(2))  # type: ignore[arg-type]
    assert numbers(collected, one) == [HOUR + 8, HOUR + 9]
    assert [one for one, _ in queries(server)] == ['"bridge" -"game"', '"span" -"game"', '"mill"']


async def test_it_keeps_to_the_pages_that_are_set_and_goes_on_after_a_restart(
    server: Instance, clock: ManualClock
) -> None:
    server.posts = [status(HOUR + number) for number in range(1, 201)]
    server.searchable = [status(HOUR + 500 + number, "a bridge") for number in range(120)]
    collected = Collected()
    await collected.read(one := collector(server, clock, [BRIDGE], look_back_pages=3, rewind=Duration(0)), brought(80))  # type: ignore[arg-type]
    await collected.read(one := collector(server, clock, [BRIDGE], look_back_pages=3, rewind=Duration(0)), brought(240))  # type: ignore[arg-type]
    found = collected.of(one, "create", "id")
    assert len(found) == len(set(found)) == 240
    assert queries(server) == [('"bridge" -"game"', str(offset)) for offset in (0, 40, 80)]


async def test_with_no_pages_nothing_is_looked_back_for(server: Instance, clock: ManualClock) -> None:
    server.posts = [status(HOUR + 1)]
    collected, one = Collected(), collector(server, clock, [BRIDGE], look_back_pages=0)
    reading = asyncio.ensure_future(collected.read(one, brought(1)))  # type: ignore[arg-type]
    await server.listened()
    await server.say(status(2 * HOUR))
    await reading
    assert collected.of(one, "create", "text") == [f"post {2 * HOUR}"]
    assert queries(server) == []
