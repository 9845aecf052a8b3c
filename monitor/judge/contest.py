"""One narrative's race over the ticks of a stretch: where the claim begins to outrun, where denials overtake."""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from monitor.judge.crowd import one_platform
from monitor.judge.dispersion import level
from monitor.judge.epoch import Everywhere, Levels
from monitor.judge.race import log_e, log_e_bound
from monitor.judge.rates import EVEN
from monitor.judge.tally import CLAIM_AUTHORS, CLAIMS, DENIALS, PLATFORMS, Tally, Told
from monitor.judge.usual import at_least
from monitor.watched import Rules

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

_CHUNK = 64


class Crossing(NamedTuple):
    """The claim begins to outrun its denials: at which tick of the stretch, and the log E that was needed."""

    at: int
    needed: float


class Course(NamedTuple):
    """What is the same for all narratives of an event."""

    levels: Levels
    """At the ticks of the narrative."""
    event: Everywhere


def crossing(tally: Tally, told: Told, course: Course, rules: Rules, threshold: float) -> Crossing | None:
    """The first tick at which log E reaches the threshold times the dispersion, and every floor is passed.

    Claims of one platform do not win where most of the event is told elsewhere. The tally's estimate of dispersion goes
    on with these ticks; its counts are still those before them.
    """
    claims, denials = (before + np.cumsum(more) for before, more in zip(tally.tested, told.tested.T, strict=True))
    p0 = at_least(course.levels.p0, claims + denials, told.ticks - (tally.start or 0), tally.rate)
    weight = level(tally.clumps, claims, claims + denials, told.spoken.lines)
    if not may_reach(int(claims[-1]), tally.tested[DENIALS], float(p0.min()), threshold):
        return None
    authors = tally.authors + np.cumsum(told.counts[:, CLAIM_AUTHORS])
    platforms = tally.platforms + np.cumsum(told.counts[:, PLATFORMS])
    floors = (
        (claims >= rules.minimum_originals)
        & (authors >= rules.minimum_authors)
        & (platforms >= rules.minimum_platforms)
    )
    needed = threshold * weight
    at = np.flatnonzero(floors)
    found = _first(claims, denials, p0, needed, at)
    if found is not None and told.spoken.at.size:
        alone = one_platform(_by_platform(tally, told), course.event(told.ticks))
        found = _first(claims, denials, p0, needed, at[~alone[at]])
    return None if found is None else Crossing(found, float(needed[found]))


def _by_platform(tally: Tally, told: Told) -> Ints:
    """(ticks, 2 · platforms): the narrative's claims and denials since its start, in turn by platform."""
    place = 2 * told.spoken.platform + told.spoken.denial
    width = max(int(place.max(initial=0)) + 1, len(tally.crowd.platforms))
    more = np.bincount(told.spoken.at * width + place, minlength=told.ticks.size * width)
    before = np.zeros(width, np.int64)
    before[: len(tally.crowd.platforms)] = tally.crowd.platforms
    counts: Ints = before + np.cumsum(more.reshape(told.ticks.size, width), axis=0)
    return counts


def overtaking(tally: Tally, told: Told, begin: int) -> int | None:
    """The first tick from `begin` at which denials outrun claims, counted since the crossing, at even odds.

    What was needed to cross is needed here too.
    """
    behind, ahead = (tally.tested[side] - tally.crossing[side] for side in (CLAIMS, DENIALS))
    tested = told.tested
    if not may_reach(ahead + int(tested[:, DENIALS].sum()), max(behind, 0), EVEN, tally.needed):
        return None
    claims = behind + np.cumsum(tested[:, CLAIMS])
    denials = ahead + np.cumsum(tested[:, DENIALS])
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
