"""Series of counts through both detectors: a score that rises once per burst, and alarms at an announced rate.

Two kinds of series ask for two kinds of alarm. Where bursts are rare, the scan sees a slow or small one soonest. Where
the past is full of bursts (a brand's mentions), what is improbable happens every day, and only the board's surprise,
which such bursts have raised the bar for, tells a great one from a usual one. So the board's onsets alarm everywhere,
and the scan where the series is calm: where its daily peaks were seldom twice as high as usual.
"""

from typing import NamedTuple

import numpy as np

from monitor.judge.announced import APART, Announced, Prior
from monitor.judge.board import DAY, MOST, Board, Counts, Flags, Floats, Tuning
from monitor.judge.scan import Scan

QUIET = DAY
"""Seconds in which a score counts only if it is higher than those before: one burst, one onset."""
OF_BOARD = Prior(daily=0.55, excess=0.15, worth=(10.0, 10.0), out=0.03)
"""What is believed of the board's score; it is worth more than the scan's, since one scale fits all series."""
SHARE = (0.35, 0.6)
"""Of the announced rate, for board and scan of a calm series; elsewhere the board has all."""
TWICE = 2.0
"""A daily peak so many times the usual one is a burst."""
SELDOM = 0.05
"""Bursts a day up to which a series is calm."""
MEMORY = 10
"""Days after which a burst counts half."""


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


class Calm:
    """Which keys have few bursts, by the daily peaks of their score; a new key has yet to show it."""

    def __init__(self, keys: int) -> None:
        self._day: int | None = None
        self._peak = np.zeros(keys, np.float32)
        self._usual = np.zeros(keys, np.float32)
        self._bursts = np.full(keys, 4 * SELDOM, np.float32)

    def tick(self, at: int, score: Floats) -> Flags:
        """Whether each key was calm up to yesterday."""
        day = (at - 1) // DAY
        if self._day is not None and day != self._day:
            told = self._peak > 0
            first = told & (self._usual == 0)
            burst = self._peak > TWICE * self._usual
            share = np.float32(1 - 0.5 ** (1 / MEMORY))
            self._bursts += np.where(told & ~first, share * (burst - self._bursts), np.float32(0))
            moved = self._usual * np.where(self._peak > self._usual, np.float32(1.1), np.float32(1 / 1.1))
            self._usual = np.where(first, self._peak, np.where(told, moved, self._usual))
            self._peak = np.zeros_like(self._peak)
        self._day = day
        self._peak = np.maximum(self._peak, score)
        calm: Flags = self._bursts <= SELDOM
        return calm


class Scored(NamedTuple):
    """What a bin of every series is, arrays (keys,)."""

    score: Floats
    """For ranking: the board's, unbounded, damped by `Onsets`; 0 while warming up."""
    alarm: Flags
    """At most as often as announced; never while warming up, nor within an hour of another."""


class Watched:
    """`keys` series of bins of `step` seconds, at most `per_day` false alarms a day each."""

    def __init__(self, step: int, keys: int, per_day: float, tuning: Tuning | None = None) -> None:
        self._board, self._scan = Board(step, keys, tuning), Scan(step, keys)
        self._onsets, self._calm = Onsets(keys), Calm(keys)
        self._alone = Announced(step, keys, per_day, OF_BOARD)
        self._beside = Announced(step, keys, SHARE[0] * per_day, OF_BOARD)
        self._of_scan = Announced(step, keys, SHARE[1] * per_day)
        self._alarmed = np.full(keys, np.iinfo(np.int64).min // 2, np.int64)

    def tick(self, at: int, counts: Counts, masked: Flags) -> Scored:
        """The bin that ends at `at` (seconds), later than the last one."""
        counts = np.minimum(counts, MOST)
        board, (score, warm) = self._board.tick(at, counts, masked), self._scan.tick(at, counts, masked)
        calm = self._calm.tick(at, score)
        onset = self._onsets.tick(at, np.where(board.warm, board.score, np.float32(0)))
        alone, beside = (each.tick(at, onset, board.warm) for each in (self._alone, self._beside))
        begins = np.where(calm, beside | self._of_scan.tick(at, score, warm & board.warm), alone)
        alarm = begins & (at - self._alarmed >= APART)
        self._alarmed = np.where(begins, at, self._alarmed)
        return Scored(onset, alarm)
