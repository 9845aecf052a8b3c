"""One series of counts through the board: a score that rises once per burst, and alarms at an announced rate."""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from monitor.judge.board import DAY, Board, Flags, Floats, Tuning

QUIET = DAY
"""Seconds in which a score counts only if it is higher than those before: one burst, one onset."""


class Onsets:
    """Damps what follows: within QUIET of a score, only a higher one keeps its own; arrays (keys,)."""

    def __init__(self, keys: int, quiet: int = QUIET) -> None:
        self._quiet = quiet
        self._highest = np.zeros(keys, np.float32)
        self._since = np.full(keys, np.iinfo(np.int64).min // 2, np.int64)

    def tick(self, at: int, score: Floats) -> Floats:
        """The scores of a bin that ends at `at`, damped: at most 0 where a higher one was seen lately."""
        damped = (at - self._since <= self._quiet) & (score <= self._highest)
        new = ~damped & (score > 0)
        self._highest = np.where(new, score, self._highest)
        self._since = np.where(new, at, self._since)
        return np.where(damped, np.minimum(score, 0), score).astype(np.float32)


class Scored(NamedTuple):
    """What a bin of a series is."""

    score: float
    """For ranking: unbounded, damped by `Onsets`."""
    alarm: bool
    """At most as often as announced; never while warming up."""


class Series:
    """One series of bins of `step` seconds, at most `per_day` false alarms a day."""

    def __init__(self, step: int, per_day: float, tuning: Tuning | None = None) -> None:
        self._board = Board(step, 1, tuning)
        self._onsets = Onsets(1)
        self._alarms = _Alarms(per_day)

    def add(self, at: int, value: float | None) -> Scored:
        """The bin that ends at `at` (seconds, later than the last one); None is unknown."""
        masked: Flags = np.array([value is None])
        tick = self._board.tick(at, np.array([value or 0.0]), masked)
        score = self._onsets.tick(at, tick.sudden)
        alarm = self._alarms.tick(at, tick.score, tick.warm)
        return Scored(float(score[0]), bool(alarm[0]))


class _Alarms:
    def __init__(self, per_day: float) -> None:
        self._least = 1.05 + 0.1 * float(np.log(0.1 / per_day))
        self._until = 0

    def tick(self, at: int, score: Floats, usable: Flags) -> npt.NDArray[np.bool_]:
        alarm = usable & (score >= self._least) & (at >= self._until)
        if (usable & (score >= self._least)).any():
            self._until = at + 3600
        return alarm
