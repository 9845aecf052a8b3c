"""Speed of the archive: `make bench` prints the figure beside its target."""

import random
import time
from datetime import datetime, timedelta
from pathlib import Path

import polars as pl
import pytest

from monitor.app.retention import AT_ONCE
from monitor.store import retention
from monitor.store.store import Commit, Store
from tests.fakes.mentions import clustered

ROWS, BATCHES, TARGET = 4096, 60, 30_000


def batch(number: int) -> pl.DataFrame:
    rng = random.Random(number)
    letters = "abcdefghijklmnopqrstuvwxyz      "
    rows = (
        {
            "id": str(1_433_000_000_000_000_000 + number * ROWS + row),
            "text": "".join(rng.choices(letters, k=140)),
            "author": f"{rng.getrandbits(64):016x}",
            "author_followers": rng.randrange(10_000),
            "narrative": f"{rng.getrandbits(64):016x}",
            "term": "panjshir",
            "reposts": 3,
            "likes": 4,
        }
        for row in range(ROWS)
    )
    return clustered(*rows)


@pytest.mark.bench
def test_mentions_are_committed_fast_enough(tmp_path: Path) -> None:
    frames = [batch(number) for number in range(BATCHES)]
    with Store(f"sqlite:///{tmp_path / 'store.db'}") as store:
        begun = time.perf_counter()
        for number, frame in enumerate(frames):
            store.commit(Commit(frame, resume={"s": str(number)}))
        speed = ROWS * BATCHES / (time.perf_counter() - begun)
    print(f"store: {speed:,.0f} mentions/s in batches of {ROWS:,} (target {TARGET:,})")  # noqa: T201
    assert speed > TARGET


@pytest.mark.bench
def test_the_thread_memory_is_refilled_quickly(tmp_path: Path) -> None:
    with Store(f"sqlite:///{tmp_path / 'store.db'}") as store:
        for number in range(25):
            store.commit(Commit(batch(number)))
        begun = time.perf_counter()
        assert len(store.recent_mentions(100_000)) == 100_000
        took = time.perf_counter() - begun
    print(f"store: 100,000 mentions read in {took:.1f} s (target 5 s)")  # noqa: T201
    assert took < 5


MILLION = 1_000_000
LONGEST = 0.5
"""Seconds for which a portion of retention may hold the one writer."""


@pytest.mark.bench
def test_retention_of_a_million_mentions_holds_the_writer_for_moments_only(tmp_path: Path) -> None:
    with Store(f"sqlite:///{tmp_path / 'store.db'}") as store:
        frame = batch(0)
        for number in range(-(-MILLION // ROWS)):
            store.commit(Commit(frame.with_columns(pl.col("id") + f"-{number}")))
        newest = frame["seen_at"].max()
        assert isinstance(newest, datetime)
        after = newest + timedelta(days=1)
        for name, portion in (("texts", strip), ("mentions", drop)):
            took = [0.0]
            rows = 0
            begun = time.perf_counter()
            while gone := portion(store, after):
                rows += gone
                took.append(time.perf_counter() - begun - sum(took))
            longest = max(took)
            speed = f"{rows:,} in {sum(took):.0f} s, {rows / sum(took):,.0f} rows/s"
            print(f"retention of {name}: {speed}, the writer held {longest:.2f} s at most (target {LONGEST} s)")  # noqa: T201
            assert rows >= MILLION
            assert longest < LONGEST


def strip(store: Store, before: datetime) -> int:
    found = store.change(lambda connection: retention.aged(connection, before, AT_ONCE))
    if found is None:
        return 0
    store.commit(Commit(clustered(), state={retention.MARK: found.mark}, expired=found.keys))
    return len(found.keys)


def drop(store: Store, before: datetime) -> int:
    return store.change(lambda connection: retention.remove_mentions(connection, before, AT_ONCE))
