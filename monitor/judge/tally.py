"""The counts of the narratives of one event: what the judge is handed at ticks, and what it keeps of each."""

from collections.abc import Iterator
from typing import NamedTuple

import msgspec
import numpy as np
import numpy.typing as npt
import polars as pl

from monitor.judge.race import Dispersion

Ints = npt.NDArray[np.int64]

COLUMNS = ("claims", "denials", "celebrations", "questions", "claim_authors", "denial_authors", "claim_platforms")
CLAIMS, DENIALS, CELEBRATIONS, QUESTIONS, CLAIM_AUTHORS, DENIAL_AUTHORS, PLATFORMS = range(7)
HORIZON = 7 * 86_400
"""Seconds after which a narrative nobody spoke of is forgotten; as long as the window stage knows authors."""


class Tally(msgspec.Struct, array_like=True):
    """One narrative: what is known of it, and its race."""

    seen: int
    """The last tick at which it was spoken of."""
    authors: int = 0
    """Distinct authors who claim it, as far as it is remembered."""
    platforms: int = 0
    """Platforms on which it is claimed."""
    start: int | None = None
    """Its race counts posts of ticks after this one."""
    counts: list[int] = msgspec.field(default_factory=lambda: [0] * len(COLUMNS))
    """Since the start, in the order of COLUMNS."""
    k: int = 0
    """Which start of the event within 30 days it is; 0 until it has reached the floor of originals."""
    blocks: Dispersion = Dispersion()
    since: int | None = None
    """Since when the claim outruns its denials."""
    crossing: tuple[int, int] = (0, 0)
    """Claims and denials at that tick,"""
    needed: float = 0.0
    """… and the log E that was needed."""
    ended: int | None = None
    """When its last race stood down."""

    def begin(self, start: int) -> None:
        """Starts a race."""
        self.start, self.counts, self.k = start, [0] * len(COLUMNS), 0
        self.blocks, self.since, self.ended = Dispersion(), None, None

    def end(self, at: int) -> None:
        """Stands down."""
        self.start, self.since, self.ended = None, None, at


class Told(NamedTuple):
    """What ticks added to one narrative."""

    narrative: str
    ticks: Ints
    counts: Ints
    """(ticks, COLUMNS)."""
    total: list[int]
    """Their sum."""


class Rows:
    """The rows of TICKS of one event's narratives."""

    def __init__(self, ticks: pl.DataFrame) -> None:
        """`ticks`: TICKS with the tick as an integer of seconds, in the stage's order."""
        ordered = ticks.sort("narrative", "tick")
        self._narrative = ordered["narrative"]
        self._ticks = ordered["tick"].to_numpy()
        self._counts = ordered.select(COLUMNS).to_numpy() if ordered.height else np.zeros((0, len(COLUMNS)), np.int64)
        changes = (self._narrative != self._narrative.shift()).fill_null(value=True).to_numpy()
        self._group = np.cumsum(changes)

    def keep_sided(self) -> None:
        """Drops the rows at which a narrative was neither claimed nor denied."""
        kept = (self._counts[:, CLAIMS] > 0) | (self._counts[:, DENIALS] > 0)
        self._narrative = self._narrative.filter(pl.Series(kept))
        self._ticks, self._counts, self._group = self._ticks[kept], self._counts[kept], self._group[kept]

    def between(self, begin: int, end: int) -> Iterator[Told]:
        """What the ticks after `begin` up to `end` added, by narrative; apart where a horizon lies between."""
        at = np.flatnonzero((self._ticks > begin) & (self._ticks <= end))
        if not at.size:
            return
        ticks, counts, group = self._ticks[at], self._counts[at], self._group[at]
        starts = np.flatnonzero(np.append([True], (np.diff(group) != 0) | (np.diff(ticks) > HORIZON)))
        totals = np.add.reduceat(counts, starts, axis=0).tolist()
        ends = [*starts[1:].tolist(), at.size]
        names = self._narrative.gather(at[starts]).to_list()
        for name, first, last, total in zip(names, starts.tolist(), ends, totals, strict=True):
            yield Told(name, ticks[first:last], counts[first:last], total)
