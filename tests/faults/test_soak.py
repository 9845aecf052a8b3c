"""An hour at 1,000 posts/s: memory, open files and tasks must not grow."""

import asyncio
import sys
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest

from monitor.clock import SystemClock
from tests.fakes.mosquitto import password
from tests.rig.feed import Login, MqttFeed, Writer
from tests.rig.live import TOPIC, Live, live
from tests.rig.process import total

MINUTES = 60
SETTLING = 25
"""Minutes after which the bounded memories are full at this rate."""
RATE, IN_MESSAGE, LANES = 1_000, 20, 4
MENTIONS = 0.2
EVENTS = 20
FLAT = 10.0
"""Percent an hour that count as flat."""


class Sample(NamedTuple):
    """The daemon at one moment."""

    minute: float
    megabytes: float
    files: float
    tasks: float
    posts: float


@pytest.mark.prove
async def test_an_hour_at_a_thousand_posts_a_second(tmp_path: Path) -> None:
    async with live(tmp_path, events=EVENTS) as made:
        samples = await soaked(made)
        await made.rig.settled()
        assert await made.rig.daemon.stop() == 0
        books = made.rig.audit()
    late = [sample for sample in samples if sample.minute >= SETTLING]
    rate = (samples[-1].posts - samples[0].posts) / (samples[-1].minute - samples[0].minute) / 60
    grown = {name: growth(late, name) for name in ("megabytes", "files", "tasks")}
    figures = ", ".join(f"{name} {getattr(late[-1], name):.0f} ({value:+.1f} %/h)" for name, value in grown.items())
    sys.stdout.write(
        f"\n{MINUTES} min at {rate:,.0f} posts/s, {MENTIONS:.0%} mentions: {figures}   target flat\n{books}\n"
    )
    assert (books.lost, books.doubled, books.alerts_lost) == (0, 0, 0)
    assert all(value < FLAT for value in grown.values())


async def soaked(made: Live) -> list[Sample]:
    """Feeds for an hour and looks every ten seconds."""
    clock, stop, samples = SystemClock(), asyncio.Event(), list[Sample]()
    writer = Writer(9, mentions=MENTIONS)
    feed = MqttFeed(Login(made.broker.port, "writer", password("writer")), TOPIC, made.rig.ledger, writer)
    await made.rig.daemon.start()
    await made.rig.daemon.ready()
    began = clock.monotonic()
    async with asyncio.TaskGroup() as tasks:
        pause = timedelta(seconds=IN_MESSAGE * LANES / RATE * 0.95)  # a message takes a moment itself
        tasks.create_task(feed.run(stop, posts=IN_MESSAGE, pause=pause, flights=LANES))
        while (minute := (clock.monotonic() - began) / 60) < MINUTES:
            writer.on = (int(minute) % EVENTS,)
            found = await made.rig.daemon.metrics()
            samples.append(
                Sample(
                    minute,
                    found["process_resident_memory_bytes"] / 1e6,
                    found["process_open_fds"],
                    found["monitor_tasks"],
                    total(found, "monitor_posts_received_total"),
                )
            )
            await clock.sleep(timedelta(seconds=10))
        stop.set()
    return samples


def growth(samples: Sequence[Sample], name: str) -> float:
    """Percent an hour: the slope of a straight line through the samples, against their mean."""
    minutes = np.array([sample.minute for sample in samples])
    values = np.array([getattr(sample, name) for sample in samples])
    slope = float(np.polyfit(minutes, values, 1)[0])
    return slope * 60 / float(values.mean()) * 100
