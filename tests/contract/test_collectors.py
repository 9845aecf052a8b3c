"""What every collector promises, whatever its source; a new collector adds itself to `FEEDS` and `PARSERS`."""

import json
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, aclosing, asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.arrivals import Contact, Payload
from monitor.collect.bluesky import BlueskyCollector
from monitor.collect.bluesky_connect import BlueskyWire, Place
from monitor.collect.bluesky_settings import BlueskySource
from monitor.collect.collector import Collector
from monitor.collect.file import FileCollector, FileSource
from monitor.collect.mastodon import MastodonCollector
from monitor.collect.mastodon_settings import MastodonSource
from monitor.collect.mqtt import MqttCollector, MqttSource
from monitor.frames import POSTS
from monitor.records import REJECTIONS
from monitor.watched import Duration
from tests.contract import polled
from tests.contract.feed import Feed
from tests.fakes import jetstream, mqtt_source
from tests.fakes import mastodon as mastodons
from tests.fakes.clock import ManualClock
from tests.fakes.mosquitto import mosquitto
from tests.fakes.platform import metrics

SEEN = datetime(2021, 9, 3, 14, tzinfo=UTC)
SEEN_LATER = datetime(2026, 11, 24, tzinfo=UTC)
LINES = [
    json.dumps({"id": str(number), "platform": "x", "text": "a", "created_at": "2021-09-03T13:30:00Z"}).encode()
    for number in range(30)
]


@asynccontextmanager
async def file(directory: Path) -> AsyncIterator[Feed]:
    path = directory / "posts.ndjson"
    path.write_bytes(b"".join(line + b"\n" for line in LINES))
    collector = FileCollector(FileSource(name="posts", path=str(path)), ManualClock())

    async def collect(since: str | None) -> list[Payload]:
        return [payload async for payload in collector.payloads(since) if isinstance(payload, Payload)]

    yield Feed(collector, collect)


@asynccontextmanager
async def mqtt(directory: Path) -> AsyncIterator[Feed]:
    async with mosquitto(directory) as broker:
        collector = mqtt_source.collector(broker)
        waiting = list(LINES)

        async def collect(since: str | None) -> list[Payload]:
            taken: list[Payload] = []
            async with aclosing(collector.payloads(since)) as arrivals:  # type: ignore[type-var]
                async for arrival in arrivals:
                    if isinstance(arrival, Contact):
                        await mqtt_source.send(broker, *waiting, b"the end")
                        waiting.clear()
                    elif isinstance(arrival, Payload):
                        mqtt_source.settle(arrival)
                        if arrival.body == b"the end":
                            break
                        taken.append(arrival)
            return taken

        yield Feed(collector, collect)


@asynccontextmanager
async def bluesky(directory: Path) -> AsyncIterator[Feed]:  # noqa: ARG001 -- a Builder
    async with jetstream.jetstream() as server:
        server.say(jetstream.post(-1), *map(jetstream.post, range(30)))
        collector = BlueskyCollector(BlueskySource(name="sky", host=server.url), ManualClock(), metrics())

        async def collect(since: str | None) -> list[Payload]:
            first = Place(server.url, BlueskyWire.V2, jetstream.BEGIN, jetstream.FIRST).text()
            if since is not None:
                server.say(jetstream.post(99, "the end"))
            return await taken(collector, since or first)

        yield Feed(collector, collect)


@asynccontextmanager
async def mastodon(directory: Path) -> AsyncIterator[Feed]:  # noqa: ARG001 -- a Builder
    clock = ManualClock(mastodons.BEGIN)
    async with mastodons.instance(clock) as server:
        for number in range(30):
            await server.say(mastodons.status(number))
        settings = MastodonSource(name="far", instance=server.url, tags=("flood",), rewind=Duration(0))
        collector = MastodonCollector(settings, mastodons.TOKEN, clock, metrics())

        async def collect(since: str | None) -> list[Payload]:
            first = json.dumps({"instance": server.url, "seen": {"hashtag/flood": "0"}})
            if since is not None:
                await server.say(mastodons.status(99, "the end"))
            return await taken(collector, since or first)

        yield Feed(collector, collect)


async def taken(collector: Collector, since: str) -> list[Payload]:
    """Thirty posts, or what comes before the end."""
    found: list[Payload] = []
    async with aclosing(collector.payloads(since)) as arrivals:  # type: ignore[type-var]
        async for arrival in arrivals:
            if isinstance(arrival, Payload):
                if collector.parse([arrival.body], SEEN_LATER).posts["text"].to_list() == ["the end"]:
                    break
                found.append(arrival)
            if sum(payload.posts for payload in found) >= 30:
                break
    return found


Builder = Callable[[Path], AbstractAsyncContextManager[Feed]]
FEEDS: list[Builder] = [file, mqtt, bluesky, mastodon, *polled.FEEDS]
feeds = pytest.mark.parametrize("build", FEEDS)

PARSERS: list[Collector] = [
    FileCollector(FileSource(name="posts", path="posts.ndjson"), ManualClock()),
    MqttCollector(MqttSource(name="posts", host="localhost"), None, ManualClock()),
    BlueskyCollector(BlueskySource(name="sky"), ManualClock(), metrics()),
    MastodonCollector(MastodonSource(name="far", instance="https://far.example"), "", ManualClock(), metrics()),
    *polled.PARSERS,
]


@feeds
async def test_payloads_parse_into_posts_of_the_declared_schema(build: Builder, tmp_path: Path) -> None:
    async with build(tmp_path) as feed:
        bodies = [payload.body for payload in await feed.collect(None)]
    posts, owner, rejected, reviews, *_ = feed.collector.parse(bodies, SEEN_LATER)
    assert reviews == ()
    assert posts.height == owner.len() == 30
    assert owner.is_sorted()
    assert posts.columns == list(POSTS)
    assert set(posts["source"]) == {feed.collector.name}
    assert set(posts["seen_at"]) == {SEEN_LATER}
    assert rejected == [{}] * len(bodies)


@feeds
async def test_nothing_comes_twice_behind_a_resume_point(build: Builder, tmp_path: Path) -> None:
    async with build(tmp_path) as feed:
        payloads = await feed.collect(None)
        assert all(payload.resume is not None for payload in payloads)
        assert await feed.collect(payloads[-1].resume) == []


@pytest.mark.parametrize("collector", PARSERS, ids=lambda collector: type(collector).__name__)
@given(junk=st.lists(st.binary(max_size=300), max_size=4))
def test_parse_survives_any_bytes_and_blames_no_other_payload(collector: Collector, junk: list[bytes]) -> None:
    together = collector.parse(junk, SEEN)
    for number, body in enumerate(junk):
        alone = collector.parse([body], SEEN)
        assert set(alone.rejected[0]) <= set(REJECTIONS)
        assert together.rejected[number] == alone.rejected[0]
        assert together.posts.filter(together.payload == number).equals(alone.posts)
