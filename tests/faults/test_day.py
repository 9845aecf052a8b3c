"""A day of event time at 1,000 posts/s through the daemon, 50 times as fast: what it holds must not grow.

`SOAK_HOURS` of event time, a day if not said; `SOAK_SPEED` times as fast. One post in a hundred is a mention. Retention
runs once an hour of event time, on lifetimes of hours.
"""

import asyncio
import json
import os
import sys
from collections import Counter
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

import numpy as np
import pytest
from sqlalchemy import text

from monitor.clock import SystemClock
from tests.fakes.postgres import server_proved
from tests.rig.audit import reading, untaken
from tests.rig.day import ASIDES, EVENTS, FEED, FILE, MENTIONS, mention
from tests.rig.process import total
from tests.rig.rig import LAST_SECOND, Rig, rig
from tests.rig.world import World

HOURS = float(os.environ.get("SOAK_HOURS", "24"))
SPEED = float(os.environ.get("SOAK_SPEED", "50"))
KEEPS = 4.0
"""Hours for which a mention is kept; its text for half as long."""
BEGIN = datetime(2026, 11, 1, tzinfo=UTC)
LARGE = "batch_posts = 16384\nqueue_posts = 65536\n"
"""What a feed of this speed is set up with: a batch costs some 50 ms whatever it holds."""
READY = 2.5
"""Seconds from the daemon's start to the feed's begin."""
RATE = ASIDES + MENTIONS
HOUR = 3600
REMOVED, STAGES = 'monitor_retention_removed_total{class="', 'monitor_stage_seconds_sum{stage="'
FLAT = 1.0
"""Percent of growth in an hour of event time that count as flat."""


class Sample(NamedTuple):
    """The daemon at one moment."""

    hour: float
    """Of event time, by the posts that it has committed."""
    real: float
    """Seconds since its start."""
    megabytes: float
    files: float
    tasks: float
    store: float
    """MB of the database."""
    behind: float
    """Seconds of event time."""
    processor: float
    """Seconds that it had."""


class Soak(NamedTuple):
    """What came of it."""

    samples: list[Sample]
    posts: float
    mentions: float
    removed: Mapping[str, int]
    """Class → rows that retention removed."""
    stages: dict[str, float]
    """Seconds that each stage took."""


@asynccontextmanager
async def soaking(
    folder: Path, feed: Path, seconds: int, speed: float, *, keeps: float = 0.0, store: str = ""
) -> AsyncIterator[Rig]:
    """A daemon that is ready, and the feed that begins with it."""
    clock = SystemClock()
    source = f'[[source]]\nkind = "file"\nname = "day"\npath = "{feed / FEED}"\nfollow = true\n'
    (feed / FEED).touch()
    begins = clock.now() + timedelta(seconds=READY)
    world = World(began=begins.timestamp(), at=BEGIN.timestamp(), speed=speed, keeps_hours=keeps)
    async with rig(folder, source, events=EVENTS, history=False, world=world, pipeline=LARGE, store=store) as made:
        await made.daemon.start()
        await made.daemon.ready()
        command = ("-m", "tests.rig.day", str(feed), str(folder / "world.json"), str(seconds))
        writing = await asyncio.create_subprocess_exec(sys.executable, *command)
        try:
            yield made
            assert await writing.wait() == 0
        finally:
            if writing.returncode is None:
                writing.kill()
                await writing.wait()


@pytest.fixture
def feed() -> Iterator[Path]:
    """A folder in memory where there is one: whoever writes 14 MB/s beside a database makes it wait for the disk."""
    memory = Path("/dev/shm")  # noqa: S108 -- a folder of our own in it
    with TemporaryDirectory(dir=memory if memory.is_dir() else None) as folder:
        yield Path(folder)


async def soaked(made: Rig, feed: Path, seconds: int, speed: float, every: timedelta) -> Soak:
    """Looks now and then until all is committed; takes away what has been read."""
    clock, samples = SystemClock(), list[Sample]()
    began = clock.monotonic()
    with (made.folder / "samples.ndjson").open("w", encoding="utf-8") as log:
        while True:
            found = await made.daemon.metrics()
            posts, real = total(found, "monitor_posts_received_total"), clock.monotonic() - began
            written = min(max(found["monitor_clock_seconds"] - BEGIN.timestamp(), 0), seconds)
            samples.append(
                Sample(
                    posts / RATE / HOUR,
                    real,
                    found["process_resident_memory_bytes"] / 1e6,
                    found["process_open_fds"],
                    found["monitor_tasks"],
                    found["monitor_store_bytes"] / 1e6,
                    written - posts / RATE,
                    found["process_cpu_seconds_total"],
                )
            )
            log.write(json.dumps(samples[-1]._asdict()) + "\n")
            log.flush()
            remove_read(feed, posts)
            if posts >= seconds * RATE:
                await clock.sleep(LAST_SECOND)
                found = await made.daemon.metrics()
                return Soak(
                    samples,
                    posts=total(found, "monitor_posts_received_total"),
                    mentions=total(found, "monitor_mentions_total"),
                    removed={name: int(count) for name, count in labelled(found, REMOVED).items()},
                    stages=labelled(found, STAGES),
                )
            assert real < 2 * seconds / speed + 60, f"{posts:,.0f} posts after {real:.0f} s: too slow for this clock"
            await clock.sleep(every)


def remove_read(feed: Path, posts: float) -> None:
    """Takes away the files of which all is committed, and of the one after each."""
    for file in feed.glob(f"{FEED}.*"):
        if (int(file.suffix[1:]) + 2) * FILE <= posts / RATE:
            file.unlink()


def labelled(found: Mapping[str, float], begin: str) -> dict[str, float]:
    """Label → value, of the samples of /metrics that begin so."""
    return {sample.removeprefix(begin)[:-2]: value for sample, value in found.items() if sample.startswith(begin)}


def kept(made: Rig, seconds: int, removed: int) -> Counter[str]:
    """What must be 0: mentions that neither are there nor were removed, ones that are there twice, lost alerts."""
    with reading(made.store) as connection:
        archived = Counter(connection.execute(text("SELECT id FROM mentions")).scalars())
        alerts_lost = untaken(connection, made.sink.taken)
    wanted = {mention(number) for number in range(removed, seconds * MENTIONS)}
    return Counter(lost=len(wanted - set(archived)), twice=archived.total() - len(archived), alerts_lost=alerts_lost)


@server_proved
async def test_a_feed_that_runs_fifty_times_as_fast_is_committed_whole_and_once(
    tmp_path: Path, feed: Path, place: str
) -> None:
    seconds = 60
    async with soaking(tmp_path, feed, seconds, SPEED, store=place) as made:
        soak = await soaked(made, feed, seconds, SPEED, timedelta(milliseconds=50))
        assert await made.daemon.stop() == 0
        assert (soak.posts, soak.mentions) == (seconds * RATE, seconds * MENTIONS)
        assert not kept(made, seconds, 0).total()


@pytest.mark.prove
async def test_a_day_at_a_thousand_posts_a_second(tmp_path: Path, feed: Path) -> None:
    seconds = int(HOURS * HOUR)
    async with soaking(tmp_path, feed, seconds, SPEED, keeps=KEEPS) as made:
        soak = await soaked(made, feed, seconds, SPEED, timedelta(seconds=5))
        assert await made.daemon.stop() == 0
        books, alerts = kept(made, seconds, soak.removed["mentions"]), len(made.sink.taken)
        tables = sizes(made)
    told(soak, books, alerts, tables)
    assert (soak.posts, soak.mentions, books.total()) == (seconds * RATE, seconds * MENTIONS, 0)
    late = soak.samples[len(soak.samples) // 2 :]
    assert all(growth(late, name)[0] < FLAT for name in ("megabytes", "files", "tasks"))


def told(soak: Soak, books: Counter[str], alerts: int, tables: Sequence[str]) -> None:
    """Prints the figures."""
    samples, out = soak.samples, sys.stdout
    last = samples[-1]
    out.write(
        f"\n{last.hour:.1f} h of event time in {last.real / 60:.1f} min: {soak.posts:,.0f} posts, {soak.mentions:,.0f}"
        f" mentions, {alerts:,} notifications; at most {max(one.behind for one in samples):,.0f} s of event time behind"
        f"; {soak.posts / (last.processor - samples[0].processor):,.0f} posts per second of processor time\n"
        f"{dict(books)}; retention removed {dict(soak.removed)}   target 0 / 0 / 0\n"
        f"µs a post: {', '.join(f'{name} {took / SPEED / soak.posts * 1e6:.1f}' for name, took in soak.stages.items())}"
        "\n"
    )
    for name in ("megabytes", "files", "tasks", "store"):
        parts = [samples[len(samples) * part // 4 :][: len(samples) // 4] for part in range(4)]
        means = " → ".join(f"{np.mean([getattr(one, name) for one in part]):,.1f}" for part in parts)
        share, slope = growth(samples[len(samples) // 2 :], name)
        out.write(f"  {name:<10} by quarters {means}; last half {share:+.2f} %/h, {slope:+.3f} per event hour\n")
    out.write("".join(f"  {line}\n" for line in tables))


def sizes(made: Rig) -> list[str]:
    """How much the state of each stage holds, and the rows of each table."""
    with reading(made.store) as connection:
        rows = connection.execute(text("SELECT key, length(value) FROM state")).all()
        tables = ("mentions", "alerts", "outbox", "evidence", "gaps", "fired")
        counts = {name: connection.execute(text(f"SELECT count(*) FROM {name}")).scalar_one() for name in tables}  # noqa: S608 -- our own names
    stages = Counter[str]()
    for key, length in rows:
        stages["/".join(key.split("/")[:2])] += length
    largest = ", ".join(f"{name} {size / 1e6:.2f} MB" for name, size in stages.most_common(12))
    return [f"state rows: {largest}", "tables: " + ", ".join(f"{name} {count:,}" for name, count in counts.items())]


def growth(samples: Sequence[Sample], name: str) -> tuple[float, float]:
    """Slope of a straight line through the samples: percent of their mean, and units, per hour of event time."""
    hours = np.array([one.hour for one in samples])
    values = np.array([getattr(one, name) for one in samples])
    slope = float(np.polyfit(hours, values, 1)[0])
    return slope / float(values.mean()) * 100, slope
