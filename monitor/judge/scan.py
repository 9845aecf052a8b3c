"""Is any of the last minutes' spans louder than normal? One causal score over all keys at once, for quick alarms.

A key's expectation is its mean at this time of day (24 hours, between whose middles it runs straight) times how the
last hours stood to theirs (half-life three hours, the last half hour left out, so that a spike does not eat its own
baseline). The score is the largest, over trailing spans of one bin to half an hour, of the generalised log-likelihood
ratio (decimal logarithm) of "the rate rose by some factor" against "it did not", counts negative binomial. Each span
has a size of its own, by the method of moments over about a week: where posts bring posts, half an hour varies much
more than its minutes say. Scan statistic: Glaz, Naus & Wallenstein, Scan Statistics, 2001; windowed GLR against CUSUM:
Lai, IEEE Trans. Inf. Theory 44 (1998).

A bin is scored against what was known before it, then taken in. A masked bin is unknown, not zero. About 0.5 KB a key.
"""

from typing import NamedTuple, Self

import msgspec
import numpy as np
import numpy.typing as npt

Counts = npt.NDArray[np.integer] | npt.NDArray[np.floating]
Flags = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float32]

HOUR = 3_600
DAY = 86_400
SPANS = (60, 120, 300, 600, 900, 1_800)
"""Seconds of the trailing sums; those shorter than a bin are left out."""
PENALTY = 0.6
"""What a span's score loses for every factor of ten it is shorter than the longest: there are more of the short."""
HALF_LIFE = 3 * HOUR
"""Seconds after which a bin's weight in the level has halved."""
DAYS = 10
"""A day's weight in the profile is at least one part in so many."""
PRIOR = 3.0
"""Posts as expected that the level starts from."""
DISPERSION_OVER = 7 * DAY
"""Seconds over which a span's variance is averaged."""
SIZES = (0.3, 10_000.0)
"""Between these a negative binomial's size is kept."""
CLIP = 4.0
"""A bin counts in the baseline up to this many times its expectation,"""
SPARE = 5.0
"""… and so many posts."""
WARM_UP = DAY
"""Seconds of known bins before a key may alarm."""
_LEAST = 0.6
"""Posts per hour below which no expectation goes."""


class Look(NamedTuple):
    """What one bin of every key shows, arrays (keys,)."""

    expected: Floats
    """Posts the bin should have held."""
    score: Floats
    """Decimal log-likelihood ratio of the span that stands out most; unbounded, 0 where masked."""
    warm: Flags
    """False: warming up, or masked; no alarm."""


class _Saved(msgspec.Struct, array_like=True):
    step: int
    keys: int
    at: int | None
    arrays: list[bytes]


class Scan:
    """The score's state for `keys` keys whose bins are `step` seconds long; `step` divides half an hour."""

    def __init__(self, step: int, keys: int) -> None:
        self._step = step
        self._at: int | None = None
        self._spans = sorted({max(span // step, 1) for span in SPANS})
        self._lag = self._spans[-1]
        shorter = np.log10(self._lag / np.array(self._spans, np.float32))
        self._penalty = (PENALTY * shorter).astype(np.float32)[:, None]
        self._profile = np.zeros((24, keys), np.float32)
        self._days = np.zeros((24, keys), np.float32)
        self._hour = np.zeros((2, keys), np.float32)
        self._posts = np.zeros((self._lag, keys), np.float32)
        self._normal = np.zeros((self._lag, keys), np.float32)
        self._level = np.zeros((2, keys), np.float32)
        self._varied = np.zeros((2, len(self._spans), keys), np.float32)
        self._known = np.zeros(keys, np.int32)

    def tick(self, at: int, counts: Counts, masked: Flags) -> Look:
        """Scores the bin that ends at `at` (seconds) for every key, then takes it in.

        Bins that were left out since the last call are unknown. A bin that is not later than the last one is answered
        with scores of zero and changes nothing: time does not go back.
        """
        keys = self._known.size
        if self._at is not None and at <= self._at:
            return Look(self._expected(at)[0], np.zeros(keys, np.float32), np.zeros(keys, np.bool_))
        self._pass(at)
        normal, ratio = self._expected(at)
        posts = np.where(masked, 0, counts).astype(np.float32)
        now = at // self._step % self._lag
        leaving = self._posts[now].copy(), self._normal[now].copy()
        self._posts[now], self._normal[now] = posts, np.where(masked, 0, normal)
        sums, means = self._sums(now, ratio)
        warm = (self._known >= WARM_UP // self._step) & ~masked
        score = np.where(masked, 0, self._score(sums, means))
        self._learn(sums, means, warm)
        self._take(np.where(warm, np.minimum(posts, CLIP * normal * ratio + SPARE), posts), leaving, ratio, ~masked)
        self._at = at
        return Look(normal * ratio, score.astype(np.float32), warm)

    def _pass(self, at: int) -> None:
        """Time goes on to the bin that ends at `at`: hours end, and bins between are missing."""
        if self._at is None:
            self._at = at - self._step
        missing = (at - self._at) // self._step - 1
        for late in range(min(missing, self._lag)):
            self._posts[((at // self._step) - 1 - late) % self._lag] = 0
            self._normal[((at // self._step) - 1 - late) % self._lag] = 0
        self._known = np.maximum(self._known - missing, 0).astype(np.int32)
        last = (self._at - 1) // HOUR
        if (at - 1) // HOUR != last:
            told = self._hour[1] > 0
            hour = last % 24
            self._days[hour] = np.minimum(self._days[hour] + told, DAYS)
            mean = self._hour[0] / np.maximum(self._hour[1], 1)
            weight = told / np.maximum(self._days[hour], 1)
            self._profile[hour] += (weight * (mean - self._profile[hour])).astype(np.float32)
            self._hour[:] = 0

    def _expected(self, at: int) -> tuple[Floats, Floats]:
        """Posts a bin holds at this time of day, and how the last hours stood to that, per key."""
        place = (at - self._step / 2) / HOUR - 0.5
        before = int(np.floor(place))
        part = np.float32(place - before)
        one, other = before % 24, (before + 1) % 24
        weights = (1 - part) * (self._days[one] > 0), part * (self._days[other] > 0)
        known = weights[0] + weights[1]
        mean = (weights[0] * self._profile[one] + weights[1] * self._profile[other]) / np.maximum(known, 1e-6)
        overall = self._profile.sum(axis=0) / np.maximum((self._days > 0).sum(axis=0), 1)
        normal = np.maximum(np.where(known > 0, mean, overall), _LEAST * self._step / HOUR).astype(np.float32)
        return normal, ((PRIOR + self._level[0]) / (PRIOR + self._level[1])).astype(np.float32)

    def _sums(self, now: int, ratio: Floats) -> tuple[Floats, Floats]:
        """Posts and expectations of the trailing spans, (spans, keys)."""
        posts, normal = np.zeros_like(ratio), np.zeros_like(ratio)
        sums, means = [], []
        for back in range(self._lag):
            posts += self._posts[(now - back) % self._lag]
            normal += self._normal[(now - back) % self._lag]
            if back + 1 in self._spans:
                sums.append(posts.copy())
                means.append(normal * ratio)
        return np.array(sums), np.array(means)

    def _score(self, sums: Floats, means: Floats) -> Floats:
        """The largest decimal log-likelihood ratio over the spans; 0 where none is above its mean."""
        excess, squares = self._varied
        size = np.clip(squares / np.maximum(excess, 1e-9), *SIZES)
        above = sums > means
        posts, mean = np.where(above, sums, 1), np.where(above, means, 1)  # equal: no evidence
        ratio = posts * np.log(posts / mean) - (posts + size) * np.log((posts + size) / (mean + size))
        best: Floats = np.maximum(ratio / np.float32(np.log(10)) - self._penalty, 0).max(axis=0)
        return best

    def _learn(self, sums: Floats, means: Floats, warm: Flags) -> None:
        """Takes in how much the spans varied."""
        seen = np.clip(self._known - WARM_UP // self._step, 0, DISPERSION_OVER // self._step - 1) + 1
        weight = warm / seen
        clipped = np.minimum(sums, CLIP * means + np.float32(SPARE))
        moments = np.array([(clipped - means) ** 2 - means, means**2])
        self._varied += (weight * (moments - self._varied)).astype(np.float32)

    def _take(self, posts: Floats, leaving: tuple[Floats, Floats], ratio: Floats, known: Flags) -> None:
        """Takes in the newest bin for the profile, and for the level the one that is half an hour old."""
        self._hour += np.array([posts, known])
        keep = np.float32(0.5 ** (self._step / HALF_LIFE))
        clipped = np.minimum(leaving[0], CLIP * leaving[1] * ratio + np.float32(3))
        self._level = keep * self._level + np.array([clipped, leaving[1]])
        most = (WARM_UP + DISPERSION_OVER) // self._step
        self._known = np.minimum(self._known + np.where(known, 1, -1), most).clip(0).astype(np.int32)

    def save(self) -> bytes:
        """The state as one row."""
        rows = [array.tobytes() for array in self._arrays()]
        return msgspec.msgpack.encode(_Saved(self._step, self._known.size, self._at, rows))

    @classmethod
    def load(cls, row: bytes) -> Self:
        """The state of `save`."""
        saved = msgspec.msgpack.decode(row, type=_Saved)
        found = cls(saved.step, saved.keys)
        found._at = saved.at
        for array, kept in zip(found._arrays(), saved.arrays, strict=True):
            array[:] = np.frombuffer(kept, array.dtype).reshape(array.shape)
        return found

    def _arrays(self) -> tuple[npt.NDArray[np.generic], ...]:
        rings = (self._posts, self._normal)
        return (self._profile, self._days, self._hour, *rings, self._level, self._varied, self._known)
