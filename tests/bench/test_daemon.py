"""The daemon as a process, asked from outside: latencies and sustained rates, each beside its target."""

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

import pytest

from monitor.clock import SystemClock
from tests.fakes.mosquitto import password
from tests.rig.feed import Login, MqttFeed, Writer
from tests.rig.live import SECRET, TOPIC, Live, live
from tests.rig.load import bodies, post_all, publish_all
from tests.rig.measure import alert_delays, delays, drained, spread, watch
from tests.rig.process import total

RATE, SECONDS = 1_000, 130
"""Two minutes end within it: whatever was claimed by then is judged there."""
IN_MESSAGE, IN_REQUEST = 20, 100
CROSSINGS = 40
SUSTAINED = 200_000
MENTIONS = (1.0, 0.1)
"""Shares of posts that are mentions: the worst case, and a feed that is filtered badly."""


def said(what: str, figure: str, target: str) -> None:
    sys.stdout.write(f"\n{what}: {figure}   target {target}\n")


@pytest.mark.bench
async def test_from_a_published_post_to_the_metrics_and_from_a_crossing_post_to_the_webhook(tmp_path: Path) -> None:
    async with live(tmp_path, events=CROSSINGS) as made:
        writer = Writer(5, mentions=0.5)
        broker = made.broker
        feed = MqttFeed(Login(broker.port, "writer", password("writer")), TOPIC, made.rig.ledger, writer)
        stop, watched = asyncio.Event(), asyncio.Event()
        await made.rig.daemon.start()
        await made.rig.daemon.ready()
        before = total(await made.rig.daemon.metrics(), "monitor_mentions_total")
        async with asyncio.TaskGroup() as tasks:
            seen = tasks.create_task(watch(made.rig.daemon, watched))
            lanes = 4
            pause = timedelta(seconds=IN_MESSAGE * lanes / RATE * 0.93)  # a message takes a moment itself
            tasks.create_task(feed.run(stop, posts=IN_MESSAGE, pause=pause, flights=lanes))
            for part in range(2):
                writer.on = range(part * CROSSINGS // 2, (part + 1) * CROSSINGS // 2)
                await SystemClock().sleep(timedelta(seconds=SECONDS / 2))
            stop.set()
            await SystemClock().sleep(timedelta(seconds=5))
            watched.set()
        late = delays(made.rig.ledger, seen.result(), before)
        await made.rig.daemon.stop()
        sink = made.rig.sink
        crossed = alert_delays(made.rig.store, made.rig.ledger, sink.taken, sink.taken_at)
    rate = made.rig.ledger.posts / SECONDS
    said(f"published on MQTT → in /metrics at {rate:,.0f} posts/s, seconds", spread(late), "p99 ≤ 1")
    said("crossing post → webhook request, seconds", spread(crossed), "p99 ≤ 2")


@pytest.mark.bench
@pytest.mark.parametrize("mentions", MENTIONS)
async def test_sustained_mqtt(tmp_path: Path, mentions: float) -> None:
    messages = bodies(7, SUSTAINED, IN_MESSAGE, mentions)
    async with ready(tmp_path) as made:
        clock = SystemClock()
        began = clock.monotonic()
        await publish_all(Login(made.broker.port, "writer", password("writer")), TOPIC, messages)
        published = clock.monotonic() - began
        await drained(made.rig, SUSTAINED, 300)
        took = clock.monotonic() - began
    figure = f"{SUSTAINED / took:,.0f} posts/s (published in {published:.1f} s, all counted after {took:.1f} s)"
    said(f"MQTT in, {IN_MESSAGE} posts a message, {mentions:.0%} mentions", figure, "≥ 10,000")


@pytest.mark.bench
@pytest.mark.parametrize("mentions", MENTIONS)
async def test_sustained_http(tmp_path: Path, mentions: float) -> None:
    requests = bodies(8, SUSTAINED, IN_REQUEST, mentions)
    async with ready(tmp_path) as made:
        clock = SystemClock()
        began = clock.monotonic()
        refused = await post_all(made.rig.daemon.base, SECRET.encode(), requests)
        took = clock.monotonic() - began
    figure = f"{SUSTAINED / took:,.0f} posts/s, all answered 202 ({refused} asked to come again)"
    said(f"HTTP in, {IN_REQUEST} posts a request, {mentions:.0%} mentions", figure, "≥ 10,000")


@asynccontextmanager
async def ready(folder: Path) -> AsyncIterator[Live]:
    """A live rig whose daemon is ready."""
    async with live(folder, events=10) as made:
        await made.rig.daemon.start()
        await made.rig.daemon.ready()
        yield made
