"""Is a key louder than normal? One causal detector over all keys at once, on bins of one length.

Each key has a level (exponentially weighted), the means of its last 168 hours, and the tail of its own surprises.
What a bin is expected to hold is the larger of the level and the mean at the same hour over the last seven days; the
surprise is the logarithm of the ratio of what came to what was expected. The score is the negative decimal logarithm
of how often the key's own past was so surprising: a running high quantile, and beyond it an exponential tail of
running mean (peaks over threshold; Siffer et al., KDD 2017), so it has no upper end and one threshold fits all keys.

A bin is scored against what was known before it, then taken in: clipped, so that a spike does not eat its own
baseline. A masked bin is unknown, not zero. Arrays only: about 0.5 KB a key.
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

Counts = npt.NDArray[np.integer] | npt.NDArray[np.floating]
Flags = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float32]

HOUR = 3_600
DAY = 86_400
HOURS = 168
"""Hours that are remembered: a week."""
HALF_LIFE = 7_200
"""Seconds after which a bin's weight in the level has halved."""
OFFSET = 2.0
"""Posts added to both sides of the ratio: what few posts more or less are worth."""
CLIP = 3.0
"""A bin counts in the baseline up to this many times its expectation."""
QUANTILE = 0.99
"""Of the surprises, beyond which the tail is modelled."""
WARM_UP = DAY
"""Seconds of known bins before a key may alarm."""
_RATE = 0.01
_FIRST_RATE = 0.1
_SETTLING = 300.0


class Tick(NamedTuple):
    """What one bin of every key is, arrays (keys,)."""

    expected: Floats
    """Posts the bin should have held."""
    score: Floats
    """−log10 of how often the key's own past was so surprising; unbounded, 0 where masked."""
    warm: Flags
    """False: warming up, or back from a long gap; no alarm."""


class Board:
    """The detector's state for `keys` keys whose bins are `step` seconds long."""

    def __init__(self, step: int, keys: int) -> None:
        self._step = step
        self._at: int | None = None
        self._level = np.zeros(keys, np.float32)
        self._daily = np.zeros(keys, np.float32)
        self._known = np.zeros(keys, np.int32)
        self._seen = np.zeros(keys, np.int32)
        self._high = np.ones(keys, np.float32)
        self._excess = np.full(keys, 0.3, np.float32)
        self._hours = np.full((HOURS, keys), np.nan, np.float16)
        self._sum = np.zeros(keys, np.float32)
        self._bins = np.zeros(keys, np.int32)

    def tick(self, at: int, counts: Counts, masked: Flags) -> Tick:
        """Scores the bin that ends at `at` (seconds) for every key, then takes it in.

        Bins that were left out since the last call are unknown. A bin that is not later than the last one is answered
        with scores of zero and changes nothing: time does not go back.
        """
        if self._at is not None and at <= self._at:
            return Tick(self._expected(), np.zeros_like(self._level), np.zeros(self._level.size, np.bool_))
        begin = at - self._step
        self._pass(begin)
        known = ~masked
        posts = np.where(known, counts, 0).astype(np.float32)
        expected = self._expected()
        surprise = np.log((posts + np.float32(OFFSET)) / (expected + np.float32(OFFSET)))
        beyond = surprise / self._high - 1
        score = np.where(beyond > 0, 2 + beyond * self._high / (self._excess * np.float32(np.log(10))), 2 + 2 * beyond)
        warm = self._known >= WARM_UP // self._step
        self._take(posts, surprise, expected, known)
        self._at = at
        return Tick(expected, np.where(known, score, 0).astype(np.float32), warm)

    def _expected(self) -> Floats:
        return np.maximum(self._level, self._daily)

    def _pass(self, begin: int) -> None:
        """Time goes on to `begin`: hours end, and bins between are missing."""
        if self._at is None:
            self._at = begin
        missing = (begin - self._at) // self._step
        if missing:
            self._known = np.maximum(self._known - missing, 0).astype(np.int32)
        last, now = (self._at - 1) // HOUR, begin // HOUR
        if now != last:
            with np.errstate(divide="ignore", invalid="ignore"):
                means = self._sum / self._bins
            told = self._bins > 0
            self._hours[last % HOURS, told] = means[told]
            self._sum[:] = 0
            self._bins[:] = 0
            rows = self._hours[(now - 24 * np.arange(1, 8)) % HOURS].astype(np.float32)
            there = ~np.isnan(rows)
            self._daily = np.where(there, rows, 0).sum(axis=0) / np.maximum(there.sum(axis=0), 1).astype(np.float32)

    def _take(self, posts: Floats, surprise: Floats, expected: Floats, known: Flags) -> None:
        """Learns from a bin."""
        clipped = np.minimum(posts, np.where(self._seen < 12, posts, CLIP * expected + 3))
        weight = np.maximum(1 - 0.5 ** (self._step / HALF_LIFE), 1 / (self._seen + 1.0)) * known
        self._level += (weight * (clipped - self._level)).astype(np.float32)
        self._sum += clipped
        self._bins += known
        rate = _RATE + _FIRST_RATE * np.exp(-self._seen / _SETTLING)
        high = surprise > self._high
        moved = np.where(high, QUANTILE, QUANTILE - 1) * rate * known
        over = known & high
        self._excess += np.where(over, 0.1 * (surprise - self._high - self._excess), 0).astype(np.float32)
        self._excess = np.maximum(self._excess, np.float32(0.05))
        self._high = np.maximum(self._high * np.exp(moved), 0.05).astype(np.float32)
        self._known = np.minimum(self._known + np.where(known, 1, -1), 7 * DAY // self._step).clip(0).astype(np.int32)
        self._seen += known
