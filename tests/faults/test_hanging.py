"""From a crossing post to the request that tells of it, with and without another receiver that hangs."""

import asyncio
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest

from monitor.clock import SystemClock
from tests.rig.feed import HttpFeed, Writer
from tests.rig.live import SECRET, live
from tests.rig.measure import Floats, alert_delays, spread

CROSSINGS = 20
FLOOD = timedelta(seconds=64)
"""Some minute ends within it, and with it all that was claimed is judged."""
LIMIT = 2.0


@asynccontextmanager
async def silent() -> AsyncIterator[tuple[str, list[int]]]:
    """A server that takes every request and never answers; how many it has taken."""
    asked: list[int] = []

    async def take(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        asked.append(1)
        await reader.read(1 << 20)
        await reader.read()
        writer.close()

    server = await asyncio.start_server(take, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/services/T0/B0/x", asked


async def crossed(folder: Path, store: str, more: str, words: dict[str, str]) -> Floats:
    """Seconds from each crossing post to the webhook's request."""
    async with live(folder, store=store, events=CROSSINGS, more=more, words=words) as made:
        writer = Writer(5)
        feed = HttpFeed(lambda: made.rig.daemon.base, SECRET.encode(), made.rig.ledger, writer)
        stop = asyncio.Event()
        await made.rig.daemon.start()
        await made.rig.daemon.ready()
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(feed.run(stop, posts=5, pause=timedelta(milliseconds=50)))
            writer.on = tuple(range(CROSSINGS))
            await SystemClock().sleep(FLOOD)
            stop.set()
        await SystemClock().sleep(timedelta(seconds=4))
        await made.rig.daemon.stop()
        return alert_delays(made.rig.store, made.rig.ledger, made.rig.sink.taken, made.rig.sink.taken_at)


@pytest.mark.prove
async def test_a_hanging_receiver_delays_no_other(tmp_path: Path, places: Callable[[], str]) -> None:
    stores = [places(), places()]
    (tmp_path / "alone").mkdir()
    (tmp_path / "beside").mkdir()
    alone = await crossed(tmp_path / "alone", stores[0], "", {})
    async with silent() as (address, asked):
        hanging = '[[receiver]]\nkind = "slack-webhook"\nname = "hangs"\nurl_env = "HANGS"\n'
        beside = await crossed(tmp_path / "beside", stores[1], hanging, {"HANGS": address})
    assert asked
    out = sys.stdout
    out.write(f"\n{stores[0].partition(':')[0]}: seconds from the crossing post to the webhook's request\n")
    out.write(f"alone: {spread(alone)}   target p99 ≤ {LIMIT:g}\n")
    out.write(f"the same beside a receiver that hangs: {spread(beside)}   target no effect\n")
    assert beside.size >= CROSSINGS // 2
    assert float(np.quantile(beside, 0.99)) <= LIMIT
