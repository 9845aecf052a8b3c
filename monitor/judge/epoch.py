"""The time from the onset of a spike until the event was quiet, and what p0 is within it."""

from typing import NamedTuple, Self

import msgspec
import numpy as np
import numpy.typing as npt

from monitor.judge.race import EVEN, p0_worst

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

SHARES = 20
"""Steps in which the share of posts on neither side is estimated, rounded up."""
PRIOR = (5, 10)
"""Posts on neither side, and all, that the estimate starts from."""
ENOUGH = 30
"""Originals of the event from which p0 never falls again within the epoch."""


class Sides(NamedTuple):
    """The originals of a whole event at its ticks: on neither side, and all."""

    ticks: Ints
    neither: Ints
    originals: Ints

    def between(self, begin: int, end: int) -> Self:
        """The ticks after `begin` up to `end`."""
        at = slice(*np.searchsorted(self.ticks, [begin, end], side="right").tolist())
        return type(self)(self.ticks[at], self.neither[at], self.originals[at])


class Epoch(msgspec.Struct, array_like=True):
    """Every race of the event lies within one."""

    start: int
    onset: int
    """Of the last spike."""
    calm: int | None = None
    """When the last spike ended; None while one goes on."""
    neither: int = 0
    originals: int = 0
    p0: float = EVEN
    highest: float = EVEN


def worst_by_share(confusion: npt.NDArray[np.int64] | None) -> Floats:
    """`p0_worst` for every step of the share of posts on neither side."""
    shares = np.minimum(np.arange(SHARES + 1), SHARES - 1) / SHARES
    return np.array([p0_worst(confusion, share) for share in shares.tolist()])


def p0_at_ticks(epoch: Epoch | None, worst: Floats, sides: Sides) -> tuple[Ints, Floats]:
    """Ticks and the p0 of each, from the share of posts on neither side since the epoch began; the epoch goes on."""
    if epoch is None or not sides.ticks.size:
        return sides.ticks, np.full(sides.ticks.size, EVEN)
    neither = epoch.neither + np.cumsum(sides.neither)
    originals = epoch.originals + np.cumsum(sides.originals)
    p0 = worst[-(-SHARES * (neither + PRIOR[0]) // (originals + PRIOR[1]))]
    highest = np.maximum(np.maximum.accumulate(np.where(originals >= ENOUGH, p0, EVEN)), epoch.highest)
    p0 = np.maximum(p0, highest)
    epoch.neither, epoch.originals = int(neither[-1]), int(originals[-1])
    epoch.p0, epoch.highest = float(p0[-1]), float(highest[-1])
    return sides.ticks, p0
