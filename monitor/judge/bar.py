"""What the score of one measure has to reach to be a spike: derived from its own past and the announced rate.

The largest count of every half hour is scored once that half hour is over, and `Announced` learns from it; half hours
without a count worth speaking of are only time that was watched. Time in a gap is not. All of it happens at seconds
of seen time, so a bar is the same however the stream was cut.
"""

from itertools import compress
from typing import NamedTuple, Self

import msgspec
import numpy as np
import numpy.typing as npt

from monitor.judge.announced import APART, DAY, Announced, Prior
from monitor.watched import Rules

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

STEP = 1_800
"""Seconds of a bin, of which the largest count is learned."""
WORTH = 2
"""Posts in ten minutes from which a count is scored; fewer than make a spike, else the tail could not be seen."""
UNSEASONED = 2 * DAY
"""Seconds of history from which scores are learned: before, every morning is a surprise."""
LEAST = 1.0
"""No lower score is a spike, however often alarms may be false or silent a measure was."""
OF_TAIL = Prior(daily=2.5, excess=0.4)
"""What is believed of the negative binomial tail in `Spikes` before anything is known."""


class _Peak(NamedTuple):
    score: float
    end: int
    """Of its bin,"""
    history: int
    """… and what the baseline knew then."""


class Top(NamedTuple):
    """The largest counts of bins, ascending in time."""

    ticks: Ints
    counts: Ints


class _Saved(msgspec.Struct, array_like=True):
    tick: int
    count: int
    peak: _Peak
    history: int | None
    announced: bytes


class Bar:
    """The bar of one measure."""

    def __init__(self, rules: Rules) -> None:
        self._rules = rules
        self._announced = Announced(STEP, 1, rules.false_alarms_per_day, OF_TAIL)
        self._tick = self._count = 0
        """The largest count of the bin that is not over, and the first second that had it."""
        self._peak = _Peak(0.0, 0, 0)
        self._history: int | None = 0
        """Seconds that the baseline knew at the last peak that was learned; None: some unknown number of them."""
        self._reach: float | None = None

    def follow(self, rules: Rules) -> None:
        """These rules hold from now on."""
        if rules.false_alarms_per_day != self._rules.false_alarms_per_day:
            self._announced = Announced.load(self._announced.save(), rules.false_alarms_per_day, OF_TAIL)
        self._rules, self._reach = rules, None

    @property
    def due(self) -> int | None:
        """The second at which something is to be learned, though no post arrives then."""
        return -(-self._tick // STEP) * STEP if self._count else None

    @property
    def reach(self) -> float:
        """The score that a spike has to reach now."""
        if self._reach is None:
            self._announced.derive()
            least = LEAST if self._announced.known[0] else max(LEAST, self._rules.spike_score)
            self._reach = round(max(float(self._announced.threshold[0]), least), 4)
        return self._reach

    def gather(self, ticks: Ints, counts: Ints, upto: int) -> Top:
        """Takes in what was counted at ticks up to `upto`; the tops, of `WORTH` or more, of bins that are over."""
        if self._count:
            ticks, counts = np.append([self._tick], ticks), np.append([self._count], counts)
        if not ticks.size:
            return Top(ticks, counts)
        ends = _ends(ticks)
        starts = np.flatnonzero(np.append([True], np.diff(ends) > 0))
        most = np.maximum.reduceat(counts, starts)
        bins = np.diff(np.append(starts, [ticks.size]))
        highest = np.flatnonzero(counts == np.repeat(most, bins))
        place = highest[np.searchsorted(highest, starts)]
        over = ends[starts] <= upto
        self._tick, self._count = (0, 0) if over[-1] else (int(ticks[place[-1]]), int(most[-1]))
        worth = place[over & (most >= WORTH)]
        return Top(ticks[worth], counts[worth])

    def learn(self, top: Top, scores: Floats, warm: Flags, history: Ints) -> None:
        """Takes in the scores of what `gather` gave; `history`: the seconds that the baseline knew at each."""
        rows = zip(_ends(top.ticks).tolist(), scores.tolist(), history.tolist(), strict=True)
        for found in (
            _Peak(score, end, known) for end, score, known in compress(rows, (warm & (history >= UNSEASONED)).tolist())
        ):
            if found.end - self._peak.end >= APART:
                self._keep()
                self._peak = found
            elif found.score > self._peak.score:
                self._peak = found

    def _keep(self) -> None:
        """Learns a peak: nothing within an hour has topped it."""
        score, end, known = self._peak
        if score <= 0:
            return
        before = known - STEP if self._history is None else self._history
        watched = max(known - max(before, UNSEASONED), 0)
        self._announced.learn(end, np.array([score]), np.array([True]), watched)
        self._history, self._reach = known, None

    def save(self) -> bytes:
        """The state as one row."""
        announced = self._announced.save()
        return msgspec.msgpack.encode(_Saved(self._tick, self._count, self._peak, self._history, announced))

    @classmethod
    def load(cls, row: bytes, rules: Rules) -> Self:
        """The state of `save`; an empty row is one of a version that had no bar: it learns from now on."""
        found = cls(rules)
        if not row:
            found._history = None
            return found
        saved = msgspec.msgpack.decode(row, type=_Saved)
        found._tick, found._count = saved.tick, saved.count
        found._peak, found._history = saved.peak, saved.history
        found._announced = Announced.load(saved.announced, rules.false_alarms_per_day, OF_TAIL)
        return found


def _ends(ticks: Ints) -> Ints:
    """When the bins that ticks belong to end."""
    return -(-ticks // STEP) * STEP
