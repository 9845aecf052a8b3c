"""One narrative's race over the ticks of a stretch: where the claim begins to outrun, where denials overtake."""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from monitor.judge.race import EVEN, dispersion, log_e, log_e_bound
from monitor.judge.tally import CLAIM_AUTHORS, CLAIMS, DENIALS, PLATFORMS, Tally, Told
from monitor.records import Rules

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

_CHUNK = 64


class Contest(NamedTuple):
    """Running totals since the race's start, per tick."""

    ticks: Ints
    totals: Ints
    """(ticks, COLUMNS)."""
    p0: Floats
    needed: Floats
    """The log E that is enough: log(1/α of this start), times the dispersion of the originals."""
    floors: Flags
    """Originals, authors and platforms are enough."""

    def crossing(self, begin: int) -> int | None:
        """The first tick from `begin` at which the claim outruns its denials."""
        claims, denials = self.totals[:, CLAIMS], self.totals[:, DENIALS]
        return _first(claims, denials, self.p0, self.needed, begin + np.flatnonzero(self.floors[begin:]))

    def overtaken(self, begin: int, crossing: tuple[int, int]) -> int | None:
        """The first tick from `begin` at which denials outrun claims, counted since the crossing."""
        claims, denials = self.totals[:, CLAIMS] - crossing[0], self.totals[:, DENIALS] - crossing[1]
        even = np.full(self.ticks.size, EVEN)
        return _first(denials, claims, even, self.needed, np.arange(begin, self.ticks.size))


def contest(tally: Tally, told: Told, p0: Floats, rules: Rules, threshold: float) -> Contest:
    """The race of a narrative over what ticks added to it; the tally's blocks go on, its counts do not."""
    totals = np.cumsum(told.counts, axis=0) + np.array(tally.counts)
    claims = totals[:, CLAIMS]
    level, tally.blocks = dispersion(tally.blocks, claims, claims + totals[:, DENIALS])
    authors = tally.authors + np.cumsum(told.counts[:, CLAIM_AUTHORS])
    platforms = tally.platforms + np.cumsum(told.counts[:, PLATFORMS])
    floors = (
        (claims >= rules.minimum_originals)
        & (authors >= rules.minimum_authors)
        & (platforms >= rules.minimum_platforms)
    )
    return Contest(told.ticks, totals, p0, threshold * level, floors)


def _first(ahead: Ints, behind: Ints, p0: Floats, needed: Floats, at: Ints) -> int | None:
    """The first index of `at` where log E reaches what is needed; computed only where its bound does."""
    at = at[log_e_bound(ahead[at], behind[at], p0[at]) >= needed[at]]
    for k in range(0, at.size, _CHUNK):
        part = at[k : k + _CHUNK]
        found = np.flatnonzero(log_e(ahead[part], behind[part], p0[part]) >= needed[part])
        if found.size:
            return int(part[found[0]])
    return None
