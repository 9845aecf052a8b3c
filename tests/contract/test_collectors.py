"""What every collector promises, whatever its source; a new collector adds itself to `COLLECTORS`."""

import json
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.arrivals import Contact, Payload
from monitor.collect.collector import Collector
from monitor.collect.file import FileCollector, FileSource
from monitor.errors import SourceUnavailableError
from monitor.frames import POSTS
from monitor.records import REJECTIONS, GapMark
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


async def next_payload(arrivals: AsyncIterator[Payload | GapMark | Contact]) -> Payload:
    return await anext(arrival async for arrival in arrivals if isinstance(arrival, Payload))


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


async def test_a_missing_file_may_come_yet(tmp_path: Path) -> None:
    collector = FileCollector(FileSource(name="posts", path=str(tmp_path / "none.ndjson")), ManualClock())
    with pytest.raises(SourceUnavailableError, match="no such file"):
        await collect(collector)


async def test_a_followed_file_hands_on_only_whole_lines(tmp_path: Path) -> None:
    path = tmp_path / "posts.ndjson"
    path.write_bytes(b'{"id": "1"}\n{"id": ')
    collector = FileCollector(FileSource(name="posts", path=str(path), follow=True), ManualClock())
    payloads = collector.payloads(None)
    assert (await next_payload(payloads)).body == b'{"id": "1"}\n'
    with path.open("ab") as file:
        file.write(b'"2"}\n')
    following = await next_payload(payloads)
    assert following.body == b'{"id": "2"}\n'
    assert following.resume == str(path.stat().st_size)
