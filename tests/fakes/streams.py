"""Streams of clustered mentions made from a seed: quiet talk, then a burst of claims, then one of denials."""

import itertools
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta

import numpy as np
import numpy.typing as npt
import polars as pl

from monitor.frames import CLUSTERED, ORDER, TAGS

START = datetime(2021, 9, 3, tzinfo=UTC)
EVENT = "fall"
EVEN = (0.2, 0.2, 0.1, 0.1, 0.4)
CLAIMS = (0.7, 0.05, 0.1, 0.1, 0.05)
DENIALS = (0.05, 0.8, 0.05, 0.05, 0.05)

Mix = tuple[float, float, float, float, float]
Phase = tuple[int, float, Mix]
"""Posts, seconds between two on average, shares of tags."""

STORY: Sequence[Phase] = ((240, 60.0, EVEN), (300, 1.0, CLAIMS), (300, 1.0, DENIALS), (20, 300.0, EVEN))


def story(
    seed: int,
    phases: Sequence[Phase] = STORY,
    *,
    narratives: int = 3,
    sources: int = 2,
    lag: float = 15.0,
    reposts: float = 0.3,
    event: str = EVENT,
) -> pl.DataFrame:
    """CLUSTERED rows in order; event times lie exponentially behind seen times (`lag` seconds on average)."""
    rng = np.random.default_rng(seed)
    size = sum(count for count, _, _ in phases)
    between = np.concatenate([rng.exponential(gap, count) for count, gap, _ in phases])
    seen = (np.cumsum(between) * 1_000_000).astype(np.int64) + round(START.timestamp() * 1_000_000)
    tags = np.concatenate([rng.choice(len(TAGS), count, p=mix) for count, _, mix in phases])
    behind = (rng.exponential(lag, size) * 1_000_000).astype(np.int64)
    narrative = [f"n{number}" for number in rng.zipf(2.0, size) % narratives]
    untold = (tags == len(TAGS) - 1) & (rng.random(size) < 0.7)
    repost = rng.random(size) < reposts
    columns = {
        "source": [f"s{number}" for number in rng.integers(0, sources, size)],
        "platform": rng.choice(["x", "telegram"], size).tolist(),
        "id": [f"{seed}-{number}" for number in range(size)],
        "op": ["create"] * size,
        "posted_at": seen - behind,
        "seen_at": seen,
        "event_time": seen - behind,
        "author": [None if rng.random() < 0.03 else f"a{number}" for number in rng.integers(0, size, size)],
        "author_followers": rng.integers(0, 1000, size).tolist(),
        "event": [event] * size,
        "via": np.where(repost, "repost", "term").tolist(),
        "repost_of": ["r" if flag else None for flag in repost],
        "copy_of": ["r" if flag else None for flag in repost],
        "tag": [TAGS[tag].value for tag in tags],
        "narrative": [None if drop else name for drop, name in zip(untold, narrative, strict=True)],
    }
    return frame(columns).sort(ORDER)


def frame(columns: dict[str, list[object] | npt.NDArray[np.int64]]) -> pl.DataFrame:
    """CLUSTERED from some of its columns, the others null."""
    given = pl.DataFrame({name: pl.Series(name, values, strict=False) for name, values in columns.items()})
    return given.with_columns(pl.lit(None).alias(name) for name in CLUSTERED if name not in columns).select(
        pl.col(name).cast(dtype) for name, dtype in CLUSTERED.items()
    )


def cut(
    rows: pl.DataFrame, cuts: Sequence[int], last: timedelta = timedelta(days=1)
) -> Iterator[tuple[pl.DataFrame, datetime]]:
    """The rows in batches, each with the time up to which the stream is complete; then a while of nothing."""
    at = [0, *sorted({place % (rows.height + 1) for place in cuts}), rows.height]
    for begin, end in itertools.pairwise(at):
        if begin < end:
            yield rows[begin:end], rows["seen_at"][end] if end < rows.height else rows["seen_at"][-1]
    yield rows[:0], rows["seen_at"][-1] + last
