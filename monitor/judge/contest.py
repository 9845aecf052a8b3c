"""One narrative's race over the ticks of a stretch: where the claim begins to outrun, where denials overtake."""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from monitor.judge.crowd import one_platform
from monitor.judge.dispersion import highest, over_blocks
from monitor.judge.epoch import Everywhere, Levels
from monitor.judge.race import log_e, log_e_bound
from monitor.judge.rates import EVEN
from monitor.judge.tally import CLAIM_AUTHORS, DENIALS, PLATFORMS, Peak, Tally, Told
from monitor.judge.usual import at_least
from monitor.watched import Rules

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

LULL = 1_800
"""Seconds for which the claims' greatest lead must have stood before denials end a race. A claim that goes on leading
is further ahead by then, and is counted from there; a lull, or a burst of denials, has passed."""
_CHUNK = 64


class Crossing(NamedTuple):
    """The claim begins to outrun its denials: at which tick of the stretch, and the log E that was needed."""

    at: int
    needed: float


class Course(NamedTuple):
    """What a narrative's race is judged by."""

    levels: Levels
    """At the ticks of the narrative,"""
    threads: Floats
    """… and the dispersion over threads there."""
    event: Everywhere
    rules: Rules


def crossing(tally: Tally, told: Told, course: Course, threshold: float) -> Crossing | None:
    """The first tick at which log E reaches the threshold times the dispersion, and every floor is passed.

    Claims of one platform do not win where most of the event is told elsewhere. The tally's estimate of dispersion goes
    on with these ticks; its counts are still those before them.
    """
    claims, denials = (before + np.cumsum(more) for before, more in zip(tally.tested, told.tested.T, strict=True))
    p0 = at_least(course.levels.p0, claims + denials, told.ticks - (tally.start or 0), tally.rate)
    weight = highest(over_blocks(tally.clumps, claims, claims + denials), course.threads)
    if not may_reach(int(claims[-1]), tally.tested[DENIALS], float(p0.min()), threshold):
        return None
    authors = tally.authors + np.cumsum(told.counts[:, CLAIM_AUTHORS])
    platforms = tally.platforms + np.cumsum(told.counts[:, PLATFORMS])
    rules = course.rules
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
    """Denials overtake: at which tick of the stretch, and what says so of the posts since the claims led most."""

    at: int
    claims: int
    denials: int
    q0: float
    needed: float
    dispersion: float

    @property
    def numbers(self) -> dict[str, float]:
        """What the finding rests on."""
        return {
            "log_e": round(float(log_e(self.denials, self.claims, self.q0)), 4),
            "threshold": round(self.needed, 4),
            "q0": self.q0,
            "dispersion": round(self.dispersion, 4),
            "since_peak_claims": float(self.claims),
            "since_peak_denials": float(self.denials),
        }


def overtaking(tally: Tally, told: Told, course: Course, begin: int, threshold: float) -> tuple[Overtaken | None, Peak]:
    """The first tick from `begin` at which denials outrun claims, counted since the claims led most `LULL` ago or more.

    Counted since the crossing, the claims of the first hours would have to be made up for before anything is said. The
    threshold of the crossing is asked for here, and 2·ln k more at the k-th peak of the lead: so all peaks share α.
    Both times the dispersion: that of the crossing, or that over threads by now if it is higher. Blocks are not asked
    any more, since to them a change of sides looks like clumps. Comes with the peak as it stands after the stretch.
    """
    claims, denials = (
        np.append(first, before + np.cumsum(more)[begin:])
        for first, before, more in zip(tally.peak[:2], tally.tested, told.tested.T, strict=True)
    )
    ticks, lead = np.append(tally.peak.at, told.ticks[begin:]), claims - denials
    higher = np.append(False, lead[1:] > np.maximum.accumulate(lead)[:-1])
    peak = np.maximum.accumulate(np.where(higher, np.arange(lead.size), 0))
    number = tally.peak.number + np.cumsum(higher)
    last = Peak(*(int(part[peak[-1]]) for part in (claims, denials, number, ticks)))
    ahead, behind, lasted = ((part - part[peak])[1:] for part in (denials, claims, ticks))
    old = np.flatnonzero(lasted >= LULL)
    if not old.size or not may_reach(int(ahead.max()), 0, EVEN, tally.needed):
        return None, last
    weight = highest(tally.needed / threshold, course.threads[begin:])
    needed, q0 = weight * (threshold + 2 * np.log(number[1:])), course.levels.q0[begin:]
    at = _first(ahead, behind, q0, needed, old)
    if at is None:
        return None, last
    now = (int(behind[at]), int(ahead[at]), float(q0[at]), float(needed[at]), float(weight[at]))
    return Overtaken(begin + at, *now), last


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
