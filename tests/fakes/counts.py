"""What the window stage would hand to the judge, written down directly."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import polars as pl

from monitor.frames import LATE, TICKS, Counted
from monitor.marks import GapMark

EVENT = "fall"
START = datetime(2021, 9, 3, tzinfo=UTC)
LENGTH = timedelta(minutes=5)
QUIET = timedelta(hours=12)
"""How long nothing but a post a window was seen before a story begins."""

Tick = tuple[float, str, int, int]
"""Seconds since START, narrative, new claims, new denials; each by an author of its own."""


def at(second: float) -> datetime:
    return START + timedelta(seconds=second)


def ticks(rows: Sequence[Tick]) -> pl.DataFrame:
    """TICKS of narratives and, added up, of the event."""
    told = pl.DataFrame([_row(*row) for row in rows], schema={name: TICKS[name] for name in TICKS}, orient="row")
    whole = told.group_by("tick").agg(pl.exclude("tick", "event", "narrative").sum())
    whole = whole.with_columns(pl.lit(EVENT).alias("event"), pl.lit("").alias("narrative")).select(list(TICKS))
    return pl.concat([told, whole]).sort("tick", "event", "narrative")


def quiet() -> Counted:
    """The quiet time before START: posts that assert nothing."""
    counts = {"posts": 1, "originals": 1, "authors": 1, "others": 1}
    often = range(-round(QUIET / LENGTH), 0)
    rows = [
        (START + (number + 0.5) * LENGTH, EVENT, "", *(counts.get(name, 0) for name in list(TICKS)[3:]))
        for number in often
    ]
    return Counted(pl.DataFrame(rows, schema=TICKS, orient="row"), pl.DataFrame(schema=LATE))


def counted(rows: Sequence[Tick], gaps: tuple[GapMark, ...] = ()) -> Counted:
    """All of a call."""
    return Counted(ticks(rows), pl.DataFrame(schema=LATE), gaps)


def _row(second: float, narrative: str, claims: int, denials: int) -> tuple[object, ...]:
    both = claims + denials
    counts = {
        "posts": both,
        "originals": both,
        "claims": claims,
        "denials": denials,
        "claim_authors": claims,
        "denial_authors": denials,
        "claim_platforms": claims,
    }
    return (at(second), EVENT, narrative, *(counts.get(name, 0) for name in list(TICKS)[3:]))
