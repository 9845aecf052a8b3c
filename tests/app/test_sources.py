"""The sources at work, over a restart."""

import asyncio
from datetime import timedelta
from random import Random

import polars as pl
from aiohttp import web

from monitor.app.sources import Sources
from monitor.arrivals import Payload
from monitor.collect.bluesky_settings import BlueskySource
from monitor.marks import GapMark
from tests.fakes.clock import ManualClock, settle
from tests.fakes.platform import metrics, platform

URI = "at://did:plc:writer/app.bsky.feed.post/1"


async def test_posts_that_were_hot_before_a_restart_are_read_again() -> None:
    asked: list[str] = []
    clock = ManualClock()

    async def handle(request: web.Request) -> web.Response:
        if not request.path.endswith("getPosts"):
            return web.Response(status=503)
        asked.extend(request.query.getall("uris"))
        return web.json_response({"posts": []})

    async def put(arrival: Payload | GapMark) -> None:
        """Takes all."""

    def recent(most: int) -> pl.DataFrame:
        row = {"source": "sky", "platform": "bluesky", "id": URI, "op": "create", "text": "It fell", "parent": None}
        at = pl.lit(clock.now() - timedelta(minutes=20))
        counts = dict.fromkeys(("likes", "reposts", "replies"), pl.lit(1))
        return pl.DataFrame([row | {"repost_of": None}]).with_columns(seen_at=at, posted_at=at, **counts).head(most)

    async with platform(handle) as url, asyncio.TaskGroup() as tasks:
        sources = Sources(tasks, put, clock, Random(1), metrics(), events=tuple)
        sources.refill(recent)
        sources.start([BlueskySource(name="sky", host=url, api=url)], {}, {})
        for _ in range(30):
            await settle()
            await clock.advance(timedelta(seconds=1))
        while not asked:
            await settle()
        await sources.stop_all()
    assert asked == [URI]
