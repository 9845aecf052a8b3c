"""Counts of a long time, made by numpy: posts with a daily cycle, some narratives, and a handful of stories."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import numpy.typing as npt
import polars as pl

from monitor.app.backtest.counts import Counts, CountsWriter, Totals
from monitor.frames import LATE, SPOKEN, TICKS, Counted

BEGIN = datetime(2021, 1, 1, tzinfo=UTC)
DAY = 86_400
EVENT = "fall"
NARRATIVES = 40
QUIET_DAYS = 8
_SIDES = {"claims": 0.05, "denials": 0.025, "celebrations": 0.01, "questions": 0.025}

Ints = npt.NDArray[np.int64]


def write(folder: Path, days: int, *, matching: float, stories: int = 6, seed: int = 7) -> int:
    """Writes the counts of `days` days at one post a second, of which a share is `matching`; says how many match."""
    chance = np.random.default_rng(seed)
    writer, total = CountsWriter(folder), 0
    told = set(chance.integers(min(QUIET_DAYS, days - 1), days, stories).tolist())
    for day in range(days):
        counts = _day(chance, matching, story=day in told)
        total += int(counts["posts"].sum())
        ticks = pl.concat([_whole(day, counts), _narratives(chance, day, counts)]).sort("tick", "event", "narrative")
        counted = Counted(ticks, pl.DataFrame(schema=LATE), spoken=_spoken(chance, ticks))
        writer.add(Counts(counted, BEGIN + timedelta(days=day + 1)))
    writer.close(Totals(total, total, BEGIN, BEGIN + timedelta(days=days)))
    return total


def _day(chance: np.random.Generator, matching: float, *, story: bool) -> dict[str, Ints]:
    """What each second of a day adds; a story takes three hours."""
    rate = matching * (1 + 0.6 * np.sin(2 * np.pi * np.arange(DAY) / DAY))
    burst = np.zeros(DAY)
    if story:
        burst[DAY // 2 : DAY // 2 + 3 * 3600] = 4 * matching * np.exp(-np.arange(3 * 3600) / 3600)
    posts, more = chance.poisson(rate), chance.poisson(burst)
    found = {name: chance.binomial(posts, share) for name, share in _SIDES.items()}
    found["claims"] += chance.binomial(more, 0.35)
    found["posts"] = posts + more
    found["originals"] = np.maximum(chance.binomial(posts + more, 0.5), sum(found[name] for name in _SIDES))
    found["reposts"] = found["posts"] - np.minimum(found["originals"], found["posts"])
    found["others"] = found["originals"] - sum(found[name] for name in _SIDES)
    found["authors"] = chance.binomial(found["posts"], 0.3)
    found |= {"claim_authors": found["claims"], "denial_authors": found["denials"], "reach": 100 * found["posts"]}
    return {name: values.astype(np.int64) for name, values in found.items()} | {"burst": (burst > 0).astype(np.int64)}


def _whole(day: int, counts: dict[str, Ints]) -> pl.DataFrame:
    at = np.flatnonzero(counts["posts"])
    return _ticks(day, at, pl.repeat("", at.size, dtype=pl.String, eager=True), counts)


def _narratives(chance: np.random.Generator, day: int, counts: dict[str, Ints]) -> pl.DataFrame:
    """Each second's sides belong to one narrative; while a story lasts, to the first one."""
    at = np.flatnonzero(np.sum([counts[name] for name in _SIDES], axis=0))
    which = np.where(counts["burst"][at] > 0, 0, chance.integers(0, NARRATIVES, at.size))
    names = np.array([f"{number:016x}" for number in range(NARRATIVES)])
    said = np.sum([counts[name] for name in _SIDES], axis=0)
    own = counts | {"posts": said, "claim_platforms": np.zeros(DAY, np.int64)}
    own["claim_platforms"][at[::100]] = 1
    return _ticks(day, at, pl.Series(names[which]), own)


def _ticks(day: int, at: Ints, narrative: pl.Series, counts: dict[str, Ints]) -> pl.DataFrame:
    begin = round(BEGIN.timestamp()) + day * DAY
    columns = {name: counts[name][at] if name in counts else np.zeros(at.size, np.int64) for name in list(TICKS)[3:]}
    keys = {"tick": (begin + at + 1) * 1_000_000, "event": [EVENT] * at.size, "narrative": narrative}
    return pl.DataFrame(keys | columns).cast(TICKS)  # type: ignore[arg-type]


def _spoken(chance: np.random.Generator, ticks: pl.DataFrame) -> pl.DataFrame:
    """One row per second at which a narrative was claimed or denied, each thread a dozen of them."""
    sided = ticks.filter((pl.col("narrative") != "") & (pl.col("claims") + pl.col("denials") > 0))
    threads = chance.integers(0, max(sided.height // 12, 1), sided.height).astype(np.uint64)
    rows = sided.select(
        "tick",
        "event",
        "narrative",
        (pl.col("claims") == 0).alias("denial"),
        counts=pl.lit(value=True),
        copy=pl.lit(value=False),
        young=pl.lit(value=False),
        platform=pl.lit("x"),
        language=pl.lit("en"),
        thread=pl.Series(threads),
    )
    return rows.select(SPOKEN.keys()).cast(SPOKEN)  # type: ignore[arg-type]
