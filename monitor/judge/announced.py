"""From a score to alarms at a rate that was announced: each key's threshold, out of its own past scores.

A peak is the largest score within an hour either way, so peaks above a threshold are the alarms it would have raised.
Of each of the last six periods (a week each; shorter where the announced rate is high) the eight largest peaks are
kept, and how long the key was watched. Beyond the level that a key passes about three times in four days its peaks
have an exponential tail (peaks over threshold: Pickands, Ann. Stat. 3 (1975); SPOT: Siffer et al., KDD 2017). The
threshold is not the quantile of the fitted tail but of its predictive distribution, so that with these few peaks the
*mean* rate over keys is the announced one: for `q` excesses of sum S over the (q+1)-th largest peak of `days` days
the expected rate beyond x more is (q+1)/days · (1 + x/S)^-q.

What a real burst left behind must not deafen a key: peaks far out of the tail of the others are left out, at most a
fifth of them; a key that is loud by nature soon has more, and they are learned. Whatever is older than six periods
is forgotten. While history is short the tail is a prior's. About 0.3 KB a key, all keys at once.
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

Flags = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float32]
Rate = float | npt.NDArray[np.float64]

HOUR = 3_600
DAY = 86_400
NEVER = np.int64(-(1 << 60))
APART = HOUR
"""Seconds: alarms less apart than this are one."""
PERIODS = 6
"""Periods that are remembered."""
KEPT = 8
"""Peaks of a period that are remembered."""
LEAST_FITTED = 0.75
"""The tail begins at the level that is passed so often a day,"""
FITTED = 1.5
"""… or so many times the announced rate, whichever is more."""
EXCESSES = (6.0, 1.0)
"""Excesses the prior is worth while nothing is known, and for good."""
ENOUGH = 12
"""Excesses of a key's own from which on its level is not the prior's any more."""
OUT = 0.01
"""A peak is left out that is so far that fewer than this were expected in all that is remembered."""
MOST_OUT = 0.2
"""Share of the tail's peaks that may be left out."""


class Prior(NamedTuple):
    """What is believed of a score before anything is known: the defaults are those of `Scan`."""

    daily: float = 1.9
    """The level that peaks pass once a day,"""
    excess: float = 0.65
    """… and by how much they do, on average."""
    worth: tuple[float, float] = EXCESSES
    """Excesses it is worth while nothing is known, and for good."""
    out: float = OUT
    """Peaks as far out as fewer than this were expected are left out."""


OF_SCAN = Prior()


class Announced:
    """The alarms of `keys` keys whose scores come every `step` seconds, at most `per_day` false ones a day and key."""

    def __init__(self, step: int, keys: int, per_day: Rate, prior: Prior = OF_SCAN) -> None:
        """`per_day`: one rate for all, or one per key, (keys,)."""
        self._step = step
        self._prior = prior
        self.at = np.full(1, NEVER)
        """When the last bin ended."""
        self._top = np.zeros((PERIODS, KEPT, keys), np.float32)
        self._watched = np.zeros((PERIODS, keys), np.float32)
        self._peak = np.zeros(keys, np.float32)
        self._peak_at = np.zeros(keys, np.int64)
        self._high_at = np.full(keys, -APART, np.int64)
        self._threshold = np.zeros(keys, np.float32)
        self.announce(per_day)
        self.derive()

    def announce(self, per_day: Rate) -> None:
        """Another rate holds from the next threshold on."""
        self._per_day = np.broadcast_to(np.asarray(per_day, np.float64), self._peak.shape)
        self._fitted = np.maximum(LEAST_FITTED, FITTED * self._per_day)
        self._period = np.maximum(np.round(LEAST_FITTED * 7 / self._fitted * DAY), APART).astype(np.int64)

    @property
    def threshold(self) -> Floats:
        """The score above which each key alarms now, (keys,)."""
        return self._threshold.copy()

    def tick(self, at: int, score: npt.NDArray[np.floating], usable: Flags) -> Flags:
        """Whether an alarm begins with the score of the bin that ends at `at` (seconds), per key; then learns from it.

        `score` and `usable` are (keys,); what is not usable (masked, warming up) neither alarms nor is learned. While
        a key's score stays above its threshold, or comes back within an hour, that is one alarm. A bin that is not
        later than the last one is no bin.
        """
        if at <= self.at[0]:
            return np.zeros(self._peak.size, np.bool_)
        score = np.where(usable & np.isfinite(score), score, 0).astype(np.float32)
        high = score > self._threshold
        begins: Flags = high & (at - self._high_at >= APART)
        self._high_at[high] = at
        self.learn(at, score, usable, self._step)
        self._refresh(at)
        return begins

    def learn(
        self, at: int, score: npt.NDArray[np.floating], usable: Flags, watched: float | npt.NDArray[np.floating]
    ) -> None:
        """Takes in the scores of a bin that ends at `at`, later than the last one, for `watched` seconds; no alarm.

        For those who ask for the threshold themselves, with `derive`.
        """
        score = np.where(usable & np.isfinite(score), score, 0).astype(np.float32)
        slot = self._turn(at)
        self._watched[slot, self._keys] += (usable * np.asarray(watched) / DAY).astype(np.float32)
        self._gather(slot, at)
        higher = score > self._peak
        self._peak[higher] = score[higher]
        self._peak_at[higher] = at
        self.at[0] = at

    def derive(self) -> None:
        """Derives the thresholds of all keys from what is known now."""
        peaks = self._top.reshape(PERIODS * KEPT, -1)
        self._threshold[:] = thresholds(peaks, self._watched.sum(axis=0), self._per_day, self._fitted, self._prior)

    @property
    def known(self) -> Flags:
        """Whether a key's own past rules, (keys,); else, for about two weeks, what was believed does."""
        known: Flags = np.round(self._fitted * self._watched.sum(axis=0)) >= ENOUGH
        return known

    @property
    def _keys(self) -> npt.NDArray[np.int64]:
        return np.arange(self._peak.size)

    def _turn(self, at: int) -> npt.NDArray[np.int64]:
        """The place of each key's present period; empties those that begin."""
        now, before = at // self._period, self.at[0] // self._period
        if (now > before).any():
            place = np.arange(PERIODS)[:, None]
            begun = now - (now - place) % PERIODS > before
            self._watched[begun] = 0
            self._top *= ~begun[:, None]
        return now % PERIODS

    def _gather(self, slot: npt.NDArray[np.int64], at: int) -> None:
        """Keeps peaks that nothing within an hour has topped."""
        done = np.flatnonzero((self._peak > 0) & (at - self._peak_at >= APART))
        if not done.size:
            return
        lowest = self._top[slot[done], :, done].argmin(axis=1)
        place = slot[done], lowest, done
        self._top[place] = np.maximum(self._top[place], self._peak[done])
        self._peak[done] = 0

    def _refresh(self, at: int) -> None:
        """Derives the thresholds anew for those keys whose turn it is: each once an hour."""
        turns = max(HOUR // self._step, 1)
        mine = slice(at // self._step % turns, None, turns)
        peaks = self._top[:, :, mine].reshape(PERIODS * KEPT, -1)
        if peaks.size:
            days, rate, fitted = self._watched[:, mine].sum(axis=0), self._per_day[mine], self._fitted[mine]
            self._threshold[mine] = thresholds(peaks, days, rate, fitted, self._prior)

    def arrays(self) -> tuple[npt.NDArray[np.generic], ...]:
        """The state of all keys; keys are the last axis."""
        return (self._top, self._watched, self._peak, self._peak_at, self._high_at, self._threshold)


def thresholds(
    peaks: npt.NDArray[np.floating], days: npt.NDArray[np.floating], per_day: Rate, fitted: Rate, prior: Prior
) -> Floats:
    """The score that is passed `per_day` times a day, on average over what is not known; per key.

    `peaks` are (peaks, keys), zero where there was none, the largest of `days` (keys,); the tail begins at the level
    that is passed `fitted` times a day.
    """
    falling = -np.sort(-peaks.astype(np.float64), axis=0)
    last = falling.shape[0] - 1
    fit = np.minimum(np.round(fitted * days), last).astype(np.int64)
    out = _outlying(falling, fit, prior)
    count = np.minimum(out + fit, last) - out
    base = np.take_along_axis(falling, (out + count)[None], axis=0)[0]
    rank = np.arange(last + 1)[:, None]
    excess = np.where((rank >= out) & (rank < out + count), falling - base, 0).sum(axis=0)
    trust = np.minimum(count / ENOUGH, 1)
    worth = prior.worth[0] + trust * (prior.worth[1] - prior.worth[0])
    often = np.maximum((count + 1) / np.maximum(days, 1e-9) / per_day, 1e-9)
    own = base + _beyond(excess + worth * prior.excess, count + worth, often)
    believed = prior.daily + _beyond(prior.worth[0] * prior.excess, prior.worth[0], 1 / per_day)
    found: Floats = (trust * own + (1 - trust) * believed).astype(np.float32)
    return found


def _beyond(
    total: npt.NDArray[np.float64] | float,
    worth: npt.NDArray[np.float64] | float,
    often: npt.NDArray[np.float64] | float,
) -> npt.NDArray[np.float64] | float:
    """How much higher one peak in `often` goes, by the predictive tail of excesses of sum `total`."""
    return total * (often ** (1 / worth) - 1)


def _outlying(falling: npt.NDArray[np.float64], fit: npt.NDArray[np.int64], prior: Prior) -> npt.NDArray[np.int64]:
    """How many of the largest peaks are too far out of the tail of the others to belong to it, per key."""
    quarter = fit // 4
    base, upper = (np.take_along_axis(falling, place[None], axis=0)[0] for place in (fit, quarter))
    spread = (quarter + 1.0, fit + 1.0)
    steps = np.maximum(np.log(spread[1] / spread[0]), 1e-9)
    own = np.where(fit > quarter, (upper - base) / steps, prior.excess)
    mean = (fit * own + prior.worth[0] * prior.excess) / (fit + prior.worth[0])
    limit = base + mean * np.log((fit + 1) / prior.out)
    found: npt.NDArray[np.int64] = np.minimum((falling > limit).sum(axis=0), (MOST_OUT * fit).astype(np.int64))
    return found
