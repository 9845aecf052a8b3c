"""One narrative's race over the ticks of a stretch: where the claim begins to outrun, where denials overtake."""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from monitor.judge.crowd import one_platform
from monitor.judge.dispersion import level
from monitor.judge.epoch import Everywhere, Levels
from monitor.judge.race import log_e, log_e_bound
from monitor.judge.rates import EVEN
from monitor.judge.tally import CLAIM_AUTHORS, DENIALS, PLATFORMS, Peak, Tally, Told
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


class Overtaken(NamedTuple):
    """Denials overtake: at which tick of the stretch, and the log E that was needed; None: at none."""

    at: int | None
    needed: float
    peak: Peak
    """As it stands after the stretch."""


def overtaking(tally: Tally, told: Told, begin: int, threshold: float) -> Overtaken:
    """The first tick from `begin` at which denials outrun claims, at even odds, counted since the claims led most.

    Counted since the crossing, the claims of the first hours would have to be made up for before anything is said. What
    was needed to cross is needed here, and 2·ln k more at the k-th peak of the lead: so all peaks share α.
    """
    claims, denials = (
        np.append(first, before + np.cumsum(more)[begin:])
        for first, before, more in zip(tally.peak[:2], tally.tested, told.tested.T, strict=True)
    )
    lead = claims - denials
    higher = np.append(False, lead[1:] > np.maximum.accumulate(lead)[:-1])
    peak = np.maximum.accumulate(np.where(higher, np.arange(lead.size), 0))
    number = tally.peak.number + np.cumsum(higher)
    last = Peak(int(claims[peak[-1]]), int(denials[peak[-1]]), int(number[-1]))
    ahead, behind = denials - denials[peak], claims - claims[peak]
    if not may_reach(int(ahead.max()), 0, EVEN, tally.needed):
        return Overtaken(None, 0.0, last)
    needed = tally.needed * (1 + 2 * np.log(number) / threshold)
    found = _first(ahead, behind, np.full(lead.size, EVEN), needed, np.arange(lead.size))
    return Overtaken(None, 0.0, last) if found is None else Overtaken(found - 1 + begin, float(needed[found]), last)


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
