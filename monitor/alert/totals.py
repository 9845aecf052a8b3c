"""Running counts of events and narratives between decisions: what alerts show, and when a number was reached. Pure."""

from datetime import UTC, datetime, timedelta
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import polars as pl

from monitor.alert.lifecycle import COUNTS, Live

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_CLAIMS = COUNTS.index("claims")


class Totals:
    """Running counts of events and narratives, from the increments at ticks; each is summed up when it is asked for."""

    def __init__(self, ticks: pl.DataFrame) -> None:
        """`ticks`: TICKS in order of time."""
        self._all = ticks
        self._known: dict[tuple[str, str], _Running] = {}

    def count(self, live: Live, at: datetime) -> None:
        """Brings an alert's counts up to a time; where there is nothing to count, it stays as it is."""
        if at > live.counted and self._all.height:
            running = self._running(live.event, live.narrative)
            span = [_micros(time) for time in (live.counted, at)]
            first, last = np.searchsorted(running.ticks, span, side="right")
            more = (running.totals[last] - running.totals[first]).tolist()
            if any(more):
                live.counts, live.counted = [before + new for before, new in zip(live.counts, more, strict=True)], at

    def reached(self, live: Live, claims: int) -> datetime | None:
        """When an alert's claims reach a number, by these ticks; None if they do not."""
        if live.counts[_CLAIMS] >= claims:
            return live.counted
        if not self._all.height:
            return None
        running = self._running(live.event, live.narrative)
        begin = np.searchsorted(running.ticks, _micros(live.counted), side="right")
        wanted = running.totals[begin, _CLAIMS] + claims - live.counts[_CLAIMS]
        place = int(np.searchsorted(running.totals[1:, _CLAIMS], wanted, side="left"))
        return None if place == len(running.ticks) else _EPOCH + timedelta(microseconds=int(running.ticks[place]))

    def _running(self, event: str, narrative: str) -> "_Running":
        known = self._known.get((event, narrative))
        if known is None:
            mine = self._all.filter((pl.col("event") == event) & (pl.col("narrative") == narrative))
            authors = (pl.col("claim_authors") + pl.col("denial_authors")).alias("authors")
            counts = mine.select(*COUNTS[:-1], authors).to_numpy()
            totals = np.concatenate([np.zeros((1, len(COUNTS)), np.int64), np.cumsum(counts, axis=0, dtype=np.int64)])
            known = self._known[event, narrative] = _Running(mine["tick"].to_physical().to_numpy(), totals)
        return known


class _Running(NamedTuple):
    ticks: npt.NDArray[np.int64]
    """Microseconds."""
    totals: npt.NDArray[np.int64]
    """(ticks + 1, COUNTS): before the first tick, and after each."""


def _micros(time: datetime) -> int:
    return (time - _EPOCH) // timedelta(microseconds=1)
