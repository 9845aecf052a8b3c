"""Speed of the archive: `make bench` prints the figure beside its target."""

import random
import time
from pathlib import Path

import polars as pl
import pytest

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
