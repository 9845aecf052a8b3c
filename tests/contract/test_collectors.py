"""What every collector promises, whatever its source; a new collector adds itself to `COLLECTORS`."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.arrivals import Payload
from monitor.collect.collector import Collector
from monitor.collect.file import FileCollector, FileSource
from monitor.frames import POSTS
from monitor.records import REJECTIONS
from tests.fakes.clock import ManualClock

SEEN = datetime(2021, 9, 3, 14, tzinfo=UTC)


def file_collector(directory: Path) -> Collector:
    path = directory / "posts.ndjson"
    posts = [
        {"id": str(number), "platform": "x", "text": "a", "created_at": "2021-09-03T13:30:00Z"} for number in range(30)
    ]
    path.write_text("".join(json.dumps(post) + "\n" for post in posts), "utf-8")
    return FileCollector(FileSource(name="posts", path=str(path)), ManualClock())


COLLECTORS: list[Callable[[Path], Collector]] = [file_collector]
collectors = pytest.mark.parametrize("build", COLLECTORS)


async def collect(collector: Collector, since: str | None = None) -> list[Payload]:
    return [payload async for payload in collector.payloads(since) if isinstance(payload, Payload)]


@collectors
async def test_payloads_parse_into_posts_of_the_declared_schema(
    build: Callable[[Path], Collector], tmp_path: Path
) -> None:
    collector = build(tmp_path)
    bodies = [payload.body for payload in await collect(collector)]
    posts, owner, rejected = collector.parse(bodies, SEEN)
    assert posts.height == owner.len() == 30
    assert owner.is_sorted()
    assert posts.columns == list(POSTS)
    assert set(posts["source"]) == {collector.name}
    assert set(posts["seen_at"]) == {SEEN}
    assert rejected == [{}] * len(bodies)


@collectors
async def test_nothing_comes_twice_behind_a_resume_point(build: Callable[[Path], Collector], tmp_path: Path) -> None:
    collector = build(tmp_path)
    payloads = await collect(collector)
    assert all(payload.resume is not None for payload in payloads)
    assert await collect(collector, payloads[-1].resume) == []


@collectors
@given(junk=st.lists(st.binary(max_size=300), max_size=4))
def test_parse_survives_any_bytes_and_blames_no_other_payload(
    build: Callable[[Path], Collector], junk: list[bytes], tmp_path_factory: pytest.TempPathFactory
) -> None:
    collector = build(tmp_path_factory.mktemp("collector"))
    together = collector.parse(junk, SEEN)
    for number, body in enumerate(junk):
        alone = collector.parse([body], SEEN)
        assert set(alone.rejected[0]) <= set(REJECTIONS)
        assert together.rejected[number] == alone.rejected[0]
        assert together.posts.filter(together.payload == number).equals(alone.posts)
