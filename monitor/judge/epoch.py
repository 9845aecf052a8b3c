"""The time from the onset of a spike until the event was quiet, and what p0 is within it."""

from datetime import timedelta
from math import ceil
from typing import NamedTuple, Self

import msgspec
import numpy as np
import numpy.typing as npt

from monitor.judge.rates import EVEN, Neither, Rates, p0_worst
from monitor.judge.spike import Turn

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

ENOUGH = 30
"""Originals of the event from which p0 never falls again within the epoch."""


class Sides(NamedTuple):
    """The originals of a whole event at its ticks: on neither side (celebration, question, other), and all."""

    ticks: Ints
    neither: Ints
    """(ticks, 3)."""
    originals: Ints

    def between(self, begin: int, end: int) -> Self:
        """The ticks after `begin` up to `end`."""
        at = slice(*np.searchsorted(self.ticks, [begin, end], side="right").tolist())
        return type(self)(self.ticks[at], self.neither[at], self.originals[at])


class Levels(NamedTuple):
    """What p0 is at the ticks of an event, and the originals on neither side since its epoch began."""

    ticks: Ints
    p0: Floats
    q0: Floats
    """The same of denials: the largest share of them that equal sides can show."""
    neither: Neither

    def at(self, ticks: Ints) -> Self:
        """As they stand at other ticks, none before the first."""
        rows = np.searchsorted(self.ticks, ticks, side="right") - 1
        neither = Neither(self.neither.given[rows], self.neither.originals[rows])
        return type(self)(ticks, self.p0[rows], self.q0[rows], neither)


class Epoch(msgspec.Struct, array_like=True):
    """Every race of the event lies within one."""

    start: int
    onset: int
    """Of the last spike."""
    calm: int | None = None
    """When the last spike ended; None while one goes on."""
    neither: tuple[int, int, int] = (0, 0, 0)
    """Celebrations, questions and others since the start; and all originals."""
    originals: int = 0
    p0: float = EVEN
    highest: float = EVEN
    platforms: list[int] = msgspec.field(default_factory=list)
    """Claims and denials, reposts and copies included, by platform."""
    q0: float = EVEN
    highest_q0: float = EVEN

    def quiet_at(self, quiet: timedelta) -> int | None:
        """The second at which the event has been quiet for so long; None while a spike goes on."""
        return None if self.calm is None else self.calm + max(ceil(quiet.total_seconds()), 1)

    @property
    def levels(self) -> Levels:
        """As they stand at the last tick."""
        neither = Neither(np.array([self.neither]), np.array([self.originals]))
        return Levels(np.zeros(1, np.int64), np.array([self.p0]), np.array([self.q0]), neither)


def turned(epoch: Epoch | None, turn: Turn) -> Epoch | None:
    """The epoch after a spike of the event began or ended."""
    if epoch is None:
        return Epoch(turn.at, turn.at) if turn.begins else None
    if turn.begins:
        epoch.onset, epoch.calm = turn.at, None
    else:
        epoch.calm = turn.at
    return epoch


class Everywhere:
    """The claims and denials of a whole event by platform, as they stand at ticks."""

    def __init__(self, before: list[int], ticks: Ints, platform: Ints) -> None:
        """`before`: those until now; `ticks` (ascending) and `platform` of each further one."""
        self._before, self._ticks, self._platform = before, ticks, platform

    def __call__(self, ticks: Ints) -> Ints:
        """(ticks, platforms)."""
        width = max(len(self._before), int(self._platform.max(initial=0)) + 1)
        place = np.searchsorted(ticks, self._ticks)
        inside = place < ticks.size
        more = np.bincount(place[inside] * width + self._platform[inside], minlength=ticks.size * width)
        before = np.zeros(width, np.int64)
        before[: len(self._before)] = self._before
        counts: Ints = before + np.cumsum(more.reshape(ticks.size, width), axis=0)
        return counts


def p0_at_ticks(epoch: Epoch | None, rates: Rates | None, sides: Sides) -> Levels:
    """p0 and q0 of each tick, from the shares of posts on neither side since the epoch began; the epoch goes on."""
    size = sides.ticks.size
    if epoch is None or not size:
        even = np.full(size, EVEN)
        none = Neither(np.zeros((size, 3), np.int64), np.zeros(size, np.int64))
        return Levels(sides.ticks, even, even, none)
    given = np.array(epoch.neither) + np.cumsum(sides.neither, axis=0)
    originals = epoch.originals + np.cumsum(sides.originals)
    neither, enough = Neither(given, originals), originals >= ENOUGH
    p0, epoch.highest = _never_falling(p0_worst(rates, neither), enough, epoch.highest)
    q0, epoch.highest_q0 = _never_falling(p0_worst(rates, neither, 1), enough, epoch.highest_q0)
    celebrations, questions, others = given[-1].tolist()
    epoch.neither, epoch.originals = (celebrations, questions, others), int(originals[-1])
    epoch.p0, epoch.q0 = float(p0[-1]), float(q0[-1])
    return Levels(sides.ticks, p0, q0, neither)


def _never_falling(level: Floats, enough: npt.NDArray[np.bool_], highest: float) -> tuple[Floats, float]:
    """A level that keeps the highest it had at ticks with enough originals, and what that is after them."""
    kept = np.maximum(np.maximum.accumulate(np.where(enough, level, EVEN)), highest)
    return np.maximum(level, kept), float(kept[-1])
