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
from monitor.collect.collector import Collector
from monitor.collect.file import FileCollector, FileSource
from monitor.collect.mqtt import MqttCollector, MqttSource
from monitor.frames import POSTS
from monitor.records import REJECTIONS
from tests.contract import polled
from tests.contract.feed import Feed
from tests.fakes import mqtt_source
from tests.fakes.clock import ManualClock
from tests.fakes.mosquitto import mosquitto

SEEN = datetime(2021, 9, 3, 14, tzinfo=UTC)
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


Builder = Callable[[Path], AbstractAsyncContextManager[Feed]]
FEEDS: list[Builder] = [file, mqtt, *polled.FEEDS]
feeds = pytest.mark.parametrize("build", FEEDS)

PARSERS: list[Collector] = [
    FileCollector(FileSource(name="posts", path="posts.ndjson"), ManualClock()),
    MqttCollector(MqttSource(name="posts", host="localhost"), None, ManualClock()),
    *polled.PARSERS,
]


@feeds
async def test_payloads_parse_into_posts_of_the_declared_schema(build: Builder, tmp_path: Path) -> None:
    async with build(tmp_path) as feed:
        bodies = [payload.body for payload in await feed.collect(None)]
    posts, owner, rejected, reviews = feed.collector.parse(bodies, SEEN)
    assert reviews == ()
    assert posts.height == owner.len() == 30
    assert owner.is_sorted()
    assert posts.columns == list(POSTS)
    assert set(posts["source"]) == {feed.collector.name}
    assert set(posts["seen_at"]) == {SEEN}
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
