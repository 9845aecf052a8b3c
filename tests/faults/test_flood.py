"""Bluesky's stream at five thousand events a second, for minutes, on one core."""

import asyncio
import os
import sys
from contextlib import aclosing
from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import pytest

from monitor.arrivals import Payload
from monitor.clock import SystemClock
from monitor.collect.bluesky import BlueskyCollector
from monitor.collect.bluesky_settings import BlueskySource
from monitor.errors import SourceUnavailableError
from tests.fakes.flood import KINDS
from tests.fakes.platform import metrics

PER_SECOND = 5_000
SECONDS = int(os.environ.get("FLOOD_SECONDS", "300"))
GROWTH = 10.0
"""MB that the process may grow between the second third of the time and its end."""
SEEN = datetime(2026, 11, 24, tzinfo=UTC)


class Tally:
    """Counts what came, and keeps none of it."""

    def __init__(self) -> None:
        self.posts = self.reposts = self.deletes = self.counts = self.twice = 0
        self._last = -1

    def take(self, posts: pl.DataFrame) -> None:
        created = posts.filter(pl.col("op") == "create")
        numbers = created["id"].str.tail(11).cast(pl.Int64).to_list()
        for number in numbers:
            self.twice += number <= self._last
            self._last = max(self._last, number)
        reposts = created["repost_of"].count()
        self.reposts += reposts
        self.posts += created.height - reposts
        self.deletes += posts.filter(pl.col("op") == "delete").height
        self.counts += posts.filter(pl.col("op") == "counts").height


def resident() -> float:
    """MB of memory that this process holds."""
    pages = int(Path("/proc/self/statm").read_text("ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


@pytest.mark.prove
async def test_five_thousand_events_a_second_on_one_core() -> None:
    clock, tally, memory = SystemClock(), Tally(), list[tuple[float, float]]()
    command = [sys.executable, "-m", "tests.fakes.flood", str(PER_SECOND), str(SECONDS)]
    server = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)
    cores = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(cores)})
    assert server.stdout is not None
    port = int(await server.stdout.readline())
    settings = BlueskySource(name="sky", host=f"http://127.0.0.1:{port}", remembered=10_000)
    one = BlueskyCollector(settings, clock, metrics())
    begun, worked = clock.monotonic(), os.times()
    try:
        async with aclosing(one.payloads(None)) as arrivals:  # type: ignore[type-var]
            async for arrival in arrivals:
                if isinstance(arrival, Payload):
                    tally.take(one.parse([arrival.body], SEEN).posts)
                if not memory or clock.monotonic() - begun - memory[-1][0] > 1:
                    memory.append((clock.monotonic() - begun, resident()))
    except SourceUnavailableError:
        pass
    finally:
        os.sched_setaffinity(0, cores)
    lasted, now = clock.monotonic() - begun, os.times()
    sent, late = (await server.stdout.readline()).split()
    await server.wait()
    events = int(sent)
    lost = events // KINDS * 3 - tally.posts + events // KINDS * 2 - tally.reposts + events // KINDS - tally.deletes
    settled = [held for at, held in memory if at > lasted / 3]
    third = len(settled) // 2
    growth = max(settled[third:]) - max(settled[:third])
    work = now.user - worked.user + now.system - worked.system
    print(  # noqa: T201 -- the figure
        f"bluesky: {events:,} events at {events / lasted:,.0f}/s (the server was {float(late):.1f} s late at the end), "
        f"{tally.posts:,} posts, {tally.counts:,} counts: {lost} lost, {tally.twice} twice, memory {growth:+.1f} MB "
        f"(at {settled[-1]:.0f} MB); {events / work:,.0f} events per second of one core's time"
    )
    assert (lost, tally.twice) == (0, 0)
    assert growth < GROWTH
