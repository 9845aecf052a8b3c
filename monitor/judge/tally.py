"""The counts of the narratives of one event: what the judge is handed at ticks, and what it keeps of each."""

from collections.abc import Iterator
from typing import NamedTuple, Self

import msgspec
import numpy as np
import numpy.typing as npt
import polars as pl

from monitor.frames import SPOKEN
from monitor.judge.crowd import Crowd, Spoken, codes
from monitor.judge.dispersion import Clumps
from monitor.judge.usual import Usual

Ints = npt.NDArray[np.int64]

COLUMNS = ("claims", "denials", "celebrations", "questions", "claim_authors", "denial_authors", "claim_platforms")
CLAIMS, DENIALS, CELEBRATIONS, QUESTIONS, CLAIM_AUTHORS, DENIAL_AUTHORS, PLATFORMS = range(7)
HORIZON = 7 * 86_400
"""Seconds after which a narrative nobody spoke of is forgotten; as long as the window stage knows authors."""


class Peak(NamedTuple):
    """A tick at which the claims led more than at any before it, since they outran their denials."""

    claims: int = 0
    """Tested claims and denials then,"""
    denials: int = 0
    number: int = 1
    """… how many such ticks there were with it,"""
    at: int = 0
    """… and which it was."""


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
    clumps: Clumps = msgspec.field(default_factory=Clumps)
    crowd: Crowd = msgspec.field(default_factory=Crowd)
    untested: list[int] = msgspec.field(default_factory=lambda: [0, 0])
    """Claims and denials among the counts that are by young accounts."""
    since: int | None = None
    """Since when the claim outruns its denials."""
    peak: Peak = Peak()
    """When, since then, the claims led most."""
    needed: float = 0.0
    """The log E that was needed to cross."""
    ended: int | None = None
    """When its last race stood down."""
    denied: bool = False
    """A denial was seen, in this race or before."""
    usual: Usual = msgspec.field(default_factory=lambda: Usual(0))
    rate: tuple[float, float] = (0.0, 0.0)
    """Its usual claims and denials a second, when its race began."""
    threshold: float = 0.0
    """The log E that would have been enough to cross if originals were independent; 0 while it does not hold."""

    def begin(self, start: int) -> None:
        """Starts a race."""
        self._clear()
        self.start, self.ended = start, None
        self.crowd.begin()
        self.rate = self.usual.rate(start)

    @property
    def tested(self) -> tuple[int, int]:
        """Claims and denials that are put to the test."""
        return self.counts[CLAIMS] - self.untested[CLAIMS], self.counts[DENIALS] - self.untested[DENIALS]

    def hold(self, peak: Peak, needed: float, threshold: float) -> None:
        """The claim outruns its denials from the tick of a first peak on; clumps are followed by threads alone."""
        self.since, self.peak, self.needed, self.threshold = peak.at, peak, needed, threshold
        self.clumps.blocks = []

    def end(self, at: int) -> None:
        """Stands down."""
        self._clear()
        self.start, self.ended = None, at

    def _clear(self) -> None:
        """Nothing is left of a race."""
        self.counts, self.untested, self.k, self.clumps = [0] * len(COLUMNS), [0, 0], 0, Clumps()
        self.since, self.peak, self.needed, self.threshold = None, Peak(), 0.0, 0.0


class Told(NamedTuple):
    """What ticks added to one narrative."""

    narrative: str
    ticks: Ints
    counts: Ints
    """(ticks, COLUMNS)."""
    total: list[int]
    """Their sum."""
    spoken: Spoken
    """Who spoke."""

    def upto(self, index: int) -> Self:
        """What the ticks up to one of them added."""
        counts = self.counts[: index + 1]
        spoken = self.spoken.part(0, index + 1)
        return type(self)(self.narrative, self.ticks[: index + 1], counts, counts.sum(axis=0).tolist(), spoken)

    def reaches(self, both: int) -> int:
        """The tick at which they have added so many claims and denials."""
        return int(self.ticks[np.searchsorted(np.cumsum(self.counts[:, CLAIMS] + self.counts[:, DENIALS]), both)])

    @property
    def tested(self) -> Ints:
        """(ticks, 2): claims and denials that are put to the test."""
        sides: Ints = self.counts[:, : DENIALS + 1] - self.spoken.untested(self.ticks.size)
        return sides


class Names(msgspec.Struct, array_like=True):
    """Platforms and languages of an event."""

    platforms: list[str] = msgspec.field(default_factory=list)
    languages: list[str] = msgspec.field(default_factory=list)


class Rows:
    """The rows of TICKS of one event's narratives, and of SPOKEN."""

    def __init__(self, ticks: pl.DataFrame, spoken: pl.DataFrame | None = None, names: Names | None = None) -> None:
        """`ticks` and `spoken` with the tick as an integer of seconds, in the stage's order."""
        ordered = ticks.sort("narrative", "tick")
        self._narrative = ordered["narrative"]
        self._ticks = ordered["tick"].to_numpy()
        self._counts = ordered.select(COLUMNS).to_numpy() if ordered.height else np.zeros((0, len(COLUMNS)), np.int64)
        changes = (self._narrative != self._narrative.shift()).fill_null(value=True).to_numpy()
        self._group = np.cumsum(changes)
        self._spoken, self._event = _spoken(self._narrative, self._ticks, spoken, names or Names())

    @property
    def narratives(self) -> int:
        """How many there are."""
        return int(self._group[-1]) if self._group.size else 0

    def event(self, begin: int, end: int) -> tuple[Ints, Ints]:
        """The claims and denials of the whole event after `begin` up to `end`: ticks, and platforms by `codes`."""
        ticks, platform = self._event
        rows = slice(*np.searchsorted(ticks, [begin, end], side="right").tolist())
        return ticks[rows], platform[rows]

    def between(self, begin: int, end: int, *, sided: bool = False) -> Iterator[Told]:
        """What the ticks after `begin` up to `end` added, by narrative; apart where a horizon lies between.

        `sided`: only those at which it was claimed or denied, and without who spoke.
        """
        within = (self._ticks > begin) & (self._ticks <= end)
        if sided:
            within &= (self._counts[:, CLAIMS] > 0) | (self._counts[:, DENIALS] > 0)
        at = np.flatnonzero(within)
        if not at.size:
            return
        ticks, counts, group = self._ticks[at], self._counts[at], self._group[at]
        starts = np.flatnonzero(np.append([True], (np.diff(group) != 0) | (np.diff(ticks) > HORIZON)))
        totals = np.add.reduceat(counts, starts, axis=0).tolist()
        ends = [*starts[1:].tolist(), at.size]
        names = self._narrative.gather(at[starts]).to_list()
        for name, first, last, total in zip(names, starts.tolist(), ends, totals, strict=True):
            spoken = self._spoken.part(0, 0) if sided else self._spoken.part(int(at[first]), int(at[last - 1]) + 1)
            yield Told(name, ticks[first:last], counts[first:last], total, spoken)


_MANY = 1 << 40
"""More than any tick."""


def _spoken(
    narrative: pl.Series, ticks: Ints, spoken: pl.DataFrame | None, names: Names
) -> tuple[Spoken, tuple[Ints, Ints]]:
    """SPOKEN at the indices of the ordered ticks; and ticks and platforms in order of time."""
    told = pl.DataFrame(schema=SPOKEN | {"tick": pl.Int64}) if spoken is None else spoken
    at = _places(narrative.to_list(), ticks, told)
    order = np.argsort(at, kind="stable")
    platform, language = codes(names.platforms, told["platform"]), codes(names.languages, told["language"])
    kept = Spoken(
        at=at[order],
        denial=told["denial"].to_numpy()[order],
        counts=told["counts"].to_numpy()[order],
        copy=told["copy"].to_numpy()[order],
        young=told["young"].to_numpy()[order],
        thread=told["thread"].to_numpy()[order],
        platform=platform[order],
        language=language[order],
    )
    return kept, (told["tick"].to_numpy(), platform)


def _places(narrative: list[str], ticks: Ints, told: pl.DataFrame) -> Ints:
    """Where the tick of each row of SPOKEN stands among ticks ordered by narrative and tick."""
    group = {name: number for number, name in enumerate(dict.fromkeys(narrative))}
    keys = np.array([group[name] for name in narrative], np.int64) * _MANY + ticks
    own = np.array([group[name] for name in told["narrative"].to_list()], np.int64) * _MANY + told["tick"].to_numpy()
    places: Ints = np.searchsorted(keys, own)
    return places
