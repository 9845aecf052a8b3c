"""The source behind the door for posts: up while it runs, and its bodies are post/1."""

import asyncio
from datetime import UTC, datetime

from monitor.arrivals import Contact
from monitor.collect.ingest import IngestCollector, IngestSource
from tests.fakes.senders import posts

SEEN = datetime(2021, 9, 3, 14, tzinfo=UTC)


async def test_it_says_that_it_is_up_and_then_waits_until_it_is_ended() -> None:
    collector = IngestCollector(IngestSource(name="pushed"))
    arrivals = collector.payloads(None)
    assert await anext(arrivals) == Contact()
    waiting = asyncio.ensure_future(anext(arrivals))
    done, _ = await asyncio.wait([waiting], timeout=0)
    assert not done
    waiting.cancel()
    await asyncio.wait([waiting])


def test_its_bodies_are_post_1() -> None:
    collector = IngestCollector(IngestSource(name="pushed"))
    parsed = collector.parse([posts(0, 3), b"junk"], SEEN)
    assert parsed.posts["id"].to_list() == ["0", "1", "2"]
    assert set(parsed.posts["source"]) == {"pushed"}
    assert [dict(one) for one in parsed.rejected] == [{}, {"not_json": 1}]
