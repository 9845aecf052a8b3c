"""One narrative's race over the ticks of a stretch: where the claim begins to outrun, where denials overtake."""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from monitor.judge.race import EVEN, dispersion, log_e, log_e_bound
from monitor.judge.tally import CLAIM_AUTHORS, CLAIMS, DENIALS, PLATFORMS, Tally, Told
from monitor.watched import Rules

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

_CHUNK = 64


class Crossing(NamedTuple):
    """The claim begins to outrun its denials: at which tick of the stretch, and the log E that was needed."""

    at: int
    needed: float


def crossing(tally: Tally, told: Told, p0: Floats, rules: Rules, threshold: float) -> Crossing | None:
    """The first tick at which log E reaches the threshold times the dispersion, and every floor is passed.

    The tally's estimate of dispersion goes on with these ticks; its counts are still those before them.
    """
    claims = tally.counts[CLAIMS] + np.cumsum(told.counts[:, CLAIMS])
    denials = tally.counts[DENIALS] + np.cumsum(told.counts[:, DENIALS])
    level, tally.blocks = dispersion(tally.blocks, claims, claims + denials)
    if not may_reach(int(claims[-1]), tally.counts[DENIALS], float(p0.min()), threshold):
        return None
    authors = tally.authors + np.cumsum(told.counts[:, CLAIM_AUTHORS])
    platforms = tally.platforms + np.cumsum(told.counts[:, PLATFORMS])
    floors = (
        (claims >= rules.minimum_originals)
        & (authors >= rules.minimum_authors)
        & (platforms >= rules.minimum_platforms)
    )
    needed = threshold * level
    found = _first(claims, denials, p0, needed, np.flatnonzero(floors))
    return None if found is None else Crossing(found, float(needed[found]))


def overtaking(tally: Tally, told: Told, begin: int) -> int | None:
    """The first tick from `begin` at which denials outrun claims, counted since the crossing, at even odds.

    What was needed to cross is needed here too.
    """
    behind, ahead = (tally.counts[side] - tally.crossing[side] for side in (CLAIMS, DENIALS))
    if not may_reach(ahead + told.total[DENIALS], max(behind, 0), EVEN, tally.needed):
        return None
    claims = behind + np.cumsum(told.counts[:, CLAIMS])
    denials = ahead + np.cumsum(told.counts[:, DENIALS])
    even, needed = np.full(claims.size, EVEN), np.full(claims.size, tally.needed)
    return _first(denials, claims, even, needed, np.arange(begin, claims.size))


def may_reach(ahead: int, behind: int, p0: float, threshold: float) -> bool:
    """Whether log E can reach a threshold anywhere below `ahead` and above `behind`."""
    return bool(log_e_bound(np.array([ahead]), np.array([behind]), np.array([p0]))[0] >= threshold)


def _first(ahead: Ints, behind: Ints, p0: Floats, needed: Floats, at: Ints) -> int | None:
    """The first index of `at` where log E reaches what is needed; computed only where its bound does."""
    at = at[log_e_bound(ahead[at], behind[at], p0[at]) >= needed[at]]
    for k in range(0, at.size, _CHUNK):
        part = at[k : k + _CHUNK]
        found = np.flatnonzero(log_e(ahead[part], behind[part], p0[part]) >= needed[part])
        if found.size:
            return int(part[found[0]])
    return None
