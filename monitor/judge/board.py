"""Is a key louder than normal? One causal detector over all keys at once, on bins of one length.

Each key has a level (exponentially weighted), a typical level (the same over a week), the means of its last 168 hours
and a high quantile of its own surprises. What a bin is expected to hold is the larger of the level and the season: the
mean at the same hour over the last seven days, averaged with the same hour a week ago once that is known. A surprise is
the logarithm of what a trailing span held over what it should have held, an offset added to both: a few posts, and
twice the typical level, so that neither three posts in a silent series nor a small hour of the night is a surprise. The
score is the surprise over the key's own quantile, so it has no upper end and one threshold fits very different keys;
the quantile rises with every surprise beyond it, so bursty keys (overdispersed, self-exciting) are asked for more.

A bin is scored against what was known before it, then taken in: clipped, so that a spike does not eat its own
baseline. A masked bin is unknown, not zero. Arrays only: 0.4 KB a key at five minutes, 0.5 KB at most.
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
WARM_UP = DAY
"""Seconds of known bins before a key may alarm; a bin that is missed takes one back; seven times this is kept."""
FEWEST = 12
"""Known bins before a key may alarm, where bins are long."""
MOST = 1e12
"""A bin never holds more; more is taken as this."""
MOST_BINS = 30
"""Bins in the longest span."""
_FASTEST = np.float32(0.25)
"""No bin moves the quantile by more of itself."""


class Tuning(NamedTuple):
    """The detector's constants; the defaults were chosen once, see docs/spikes.md."""

    half_life: float = 21_600
    """Seconds after which a bin's weight in the level has halved."""
    typical_half_life: float = 604_800
    """The same for the typical level."""
    clip: float = 3.0
    """A bin counts in the baseline up to this many times its expectation."""
    posts: float = 2.0
    """Posts added to both sides of the ratio."""
    typical: float = 2.0
    """Typical levels added to both sides of the ratio, for each bin of the span."""
    beyond: float = 0.001
    """Share of time that the surprise of a key in balance is above its quantile."""
    climb: float = 0.02
    """How much of itself the quantile rises in five minutes above it."""
    span: int = 600
    """Seconds of the trailing span that is judged; two bins at least."""


class Tick(NamedTuple):
    """What one bin of every key is, arrays (keys,)."""

    expected: Floats
    """Posts the bin should have held."""
    score: Floats
    """Unbounded; 0 where masked."""
    warm: Flags
    """False: warming up, back from a long gap, or masked; no alarm."""


class Board:
    """The detector's state for `keys` keys whose bins are `step` seconds long; keys are rows 0 … keys − 1."""

    def __init__(self, step: int, keys: int, tuning: Tuning | None = None) -> None:
        self._step = step
        self._tuning = tuning or Tuning()
        self._at: int | None = None
        self._span = min(max(2, round(self._tuning.span / step)), MOST_BINS)
        self._enough = np.float32(max(WARM_UP / step, FEWEST))
        self._row = 0
        self._trail = np.zeros((self._span, keys), np.float32)
        self._level = np.zeros(keys, np.float32)
        self._typical = np.zeros(keys, np.float32)
        self._seen = np.zeros(keys, np.float32)
        self._known = np.zeros(keys, np.float32)
        self._quantile = np.ones(keys, np.float32)
        self._hours = np.full((HOURS, keys), np.nan, np.float16)
        self._seasons = np.zeros((3, keys), np.float32)
        self._sum = np.zeros(keys, np.float32)
        self._bins = np.zeros(keys, np.float32)

    @property
    def nbytes(self) -> int:
        """Bytes of the state."""
        return sum(value.nbytes for value in vars(self).values() if isinstance(value, np.ndarray))

    def tick(self, at: int, counts: Counts, masked: Flags) -> Tick:
        """Scores the bin that ends at `at` (seconds) for every key, then takes it in.

        `counts` are not negative. Bins that were left out since the last call are unknown for every key. A bin that is
        not later than the last one changes nothing and scores zero: time does not go back.
        """
        if self._at is not None and at <= self._at:
            nothing = np.zeros_like(self._level)
            return Tick(self._level.copy(), nothing, np.zeros(nothing.size, np.bool_))
        begin = at - self._step
        self._pass(begin)
        known = ~masked
        expected = np.maximum(self._level, self._season(begin))
        posts = np.where(known, np.minimum(counts, MOST), expected).astype(np.float32)
        self._row = (self._row + 1) % self._span
        self._trail[self._row] = posts
        surprise = self._surprise(expected)
        score = np.where(known, surprise / self._quantile, np.float32(0))
        warm = known & (self._known >= self._enough)
        self._climb(surprise, known)
        self._take(posts, expected, known)
        self._at = at
        return Tick(expected, score, warm)

    def clear(self, rows: npt.NDArray[np.integer]) -> None:
        """Forgets all about these keys: their rows are taken by new ones."""
        for zeros in (self._level, self._typical, self._seen, self._known, self._sum, self._bins):
            zeros[rows] = 0
        self._trail[:, rows] = 0
        self._seasons[:, rows] = 0
        self._quantile[rows] = 1
        self._hours[:, rows] = np.nan

    def _surprise(self, expected: Floats) -> Floats:
        """The log ratio of the trailing span."""
        span = np.float32(self._span)
        offset = self._typical * (np.float32(self._tuning.typical) * span) + np.float32(self._tuning.posts)
        surprise: Floats = np.log((self._trail.sum(axis=0) + offset) / (expected * span + offset))
        return surprise

    def _climb(self, surprise: Floats, known: Flags) -> None:
        """The quantile follows: up where it was too low, down slowly elsewhere, faster in the first days."""
        tuning = self._tuning
        young = 1 + 10 * np.exp(self._seen * np.float32(-self._step / DAY))
        rate = np.minimum(np.float32(tuning.climb * self._step / 300) * young, _FASTEST) * known
        toward = np.where(surprise > self._quantile, np.float32(1 - tuning.beyond), np.float32(-tuning.beyond))
        self._quantile = np.maximum(self._quantile * np.exp(rate * toward), np.float32(0.05))

    def _take(self, posts: Floats, expected: Floats, known: Flags) -> None:
        """Learns from a bin."""
        most = np.where(self._seen < HOUR / self._step, np.inf, self._tuning.clip * expected + 3)
        clipped = np.minimum(posts, most).astype(np.float32)
        first = 1 / (self._seen + 1)
        for level, half_life in (
            (self._level, self._tuning.half_life),
            (self._typical, self._tuning.typical_half_life),
        ):
            weight = np.maximum(first, np.float32(1 - 0.5 ** (self._step / half_life)))
            np.add(level, weight * (clipped - level), out=level, where=known)
        self._sum += np.where(known, clipped, np.float32(0))
        self._bins += known
        self._seen += known
        self._known = np.clip(self._known + np.where(known, np.float32(1), np.float32(-1)), 0, 7 * self._enough)

    def _season(self, begin: int) -> Floats:
        """The season at the middle of a bin, between those of its hour and the nearer neighbour."""
        within = min(self._step, HOUR) / 2
        share = ((begin % HOUR + within) / HOUR) % 1 - 0.5
        other = self._seasons[2 if share > 0 else 0]
        season: Floats = self._seasons[1] + (other - self._seasons[1]) * np.float32(abs(share))
        return season

    def _pass(self, begin: int) -> None:
        """Time goes on to `begin`: hours end, and bins between are missing."""
        if self._at is None:
            self._at = begin
            return
        missing = (begin - self._at) // self._step
        if missing:
            self._known = np.maximum(self._known - np.float32(missing), 0).astype(np.float32)
            blank = min(missing, self._span)
            self._trail[(self._row + 1 + np.arange(blank)) % self._span] = self._level
            self._row = (self._row + blank) % self._span
        last, now = (self._at - self._step) // HOUR, begin // HOUR
        if now == last:
            return
        told = self._bins > 0
        means = np.log1p(self._sum[told] / self._bins[told])
        self._hours[last % HOURS, told] = means
        self._sum[:] = 0
        self._bins[:] = 0
        if now == last + 1:
            self._seasons[:2] = self._seasons[1:]
            self._seasons[2] = self._hour(now + 1)
        else:
            self._seasons[:] = [self._hour(hour) for hour in (now - 1, now, now + 1)]

    def _hour(self, hour: int) -> Floats:
        """The season of an hour."""
        rows = np.expm1(self._hours[(hour - 24 * np.arange(7)) % HOURS].astype(np.float32))
        there = ~np.isnan(rows)
        daily = np.where(there, rows, 0).sum(axis=0) / np.maximum(there.sum(axis=0), 1)
        weekly = np.where(there[0], rows[0], daily)
        season: Floats = ((daily + weekly) / 2).astype(np.float32)
        return season
