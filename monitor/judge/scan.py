"""Is any of the last minutes' spans louder than normal? One causal score over all keys at once, half an hour at a time.

A key's expectation is its mean at this time of day (24 hours, between whose middles it runs straight) times how the
last hours stood to theirs (half-life three hours, the last half hour left out, so that a spike does not eat its own
baseline). The score is the largest, over trailing spans of one bin to half an hour, of the generalised log-likelihood
ratio (decimal logarithm) of "the rate rose by some factor" against "it did not", counts negative binomial. Each span
has a size of its own, by the method of moments over about a week: where posts bring posts, half an hour varies much
more than its minutes say. Scan statistic: Glaz, Naus & Wallenstein, Scan Statistics, 2001; windowed GLR against CUSUM:
Lai, IEEE Trans. Inf. Theory 44 (1998).

A bin is scored against what was known before it. What is learned is learned per half hour, once it is over: sums run
from its begin, so scores are the same however bins are handed over. A masked bin is unknown, not zero, also where that
becomes known within a day. About 1 KB a key at bins of a minute.
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

Counts = npt.NDArray[np.integer] | npt.NDArray[np.floating]
Flags = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float32]
Doubles = npt.NDArray[np.float64]

HOUR = 3_600
DAY = 86_400
SPANS = (60, 120, 300, 600, 900, 1_800)
"""Seconds of the trailing sums; those shorter than a bin are left out."""
TEN_MINUTES = 600
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
FIRST_SIZE = 3.0
"""A negative binomial's size before its variance is known,"""
FIRST_SIZE_OVER = DAY / 2
"""… and until so many seconds of it are."""
SIZES = (0.3, 10_000.0)
"""Between these a size is kept."""
CLIP = 4.0
"""A bin counts in the baseline up to this many times its expectation,"""
SPARE = 5.0
"""… and so many posts, once an hour is known."""
WARM_UP = DAY
"""Seconds of known bins before a key's variance is learned, and before one of any series may alarm."""
NEVER = np.int64(-(1 << 60))
_LEAST = 3.0
"""Posts per hour below which no expectation goes: half a post in ten minutes."""


class Looks(NamedTuple):
    """What some bins of every key show."""

    expected: Doubles
    """Posts each should have held; (bins, keys), as are the next three."""
    score: Floats
    """Decimal log-likelihood ratio of the span that stands out most; unbounded, 0 where masked."""
    history: npt.NDArray[np.int64]
    """Seconds that are known of the key."""
    known: Flags
    """Not masked."""
    sums: Doubles
    """Posts of the trailing spans; (spans, bins, keys), as are the means."""
    means: Doubles
    """What they should have held."""


class Scan:
    """The score's state for `keys` keys whose bins are `step` seconds long; a bin has the number at which it ends."""

    def __init__(self, step: int, keys: int) -> None:
        self._step = step
        self._lag = max(SPANS[-1] // step, 1)
        self._spans = np.array(sorted({max(span // step, 1) for span in SPANS}))
        self.ten = int(np.searchsorted(self._spans, min(max(TEN_MINUTES // step, 1), self._spans[-1])))
        """Which of the spans is that of ten minutes."""
        self._penalty = (PENALTY * np.log10(self._lag / self._spans)).astype(np.float32)[:, None, None]
        self._keep = 0.5 ** (step * np.arange(self._lag + 1) / HALF_LIFE)[:, None]
        self.chunk = np.full(1, NEVER)
        """The half hour that goes on, counted since 1970."""
        self._profile, self._days = np.zeros((24, keys), np.float32), np.zeros((24, keys), np.float32)
        self._pending = np.zeros((2, 24, keys), np.float32)
        """Posts and bins of each hour of the day, the last time it came: they can still be masked."""
        shape = (2, self._lag, keys)
        self._posts, self._normal, self._kept = (np.zeros(shape, np.float32) for _ in range(3))
        """Of the half hour before, and of this one."""
        self._seen, self._learned = np.zeros(shape, np.bool_), np.zeros(shape, np.bool_)
        self._level = np.zeros((2, keys))
        self._varied, self._over = np.zeros((2, self._spans.size, keys)), np.zeros(keys)
        self._history = np.zeros(keys, np.int64)
        self._hours: tuple[Doubles, Doubles] | None = None

    @property
    def lag(self) -> int:
        """Bins in half an hour."""
        return self._lag

    def arrays(self) -> tuple[npt.NDArray[np.generic], ...]:
        """The state of all keys; keys are the last axis."""
        rings = (self._posts, self._normal, self._kept, self._seen, self._learned)
        known = (self._level, self._varied, self._over, self._history)
        return (self._profile, self._days, self._pending, *rings, *known)

    def changed(self) -> None:
        """To be said when `arrays` or `chunk` were written to."""
        self._hours = None

    def take(self, first: int, posts: Counts, known: Flags) -> Looks:
        """Scores bins `first` … of one half hour, none before the last one; (bins, keys), as is `known`.

        They are learned once the half hour is over, but for those that `hold` says are none of the normal.
        """
        chunk, place = divmod(first - 1, self._lag)
        if chunk != self.chunk[0]:
            self._turn(chunk)
        rows = slice(place, place + posts.shape[0])
        seen = np.broadcast_to(known, posts.shape)
        self._posts[1, rows], self._seen[1, rows] = np.where(seen, posts, 0), seen
        self._normal[1, rows] = self._normals(rows)
        means = np.maximum(self._normal[1, rows] * self._ratio()[rows], _LEAST * self._step / HOUR)
        history = (self._history + np.cumsum(seen, axis=0)) * self._step
        self._history += seen.sum(axis=0)
        most = np.where(history > HOUR, CLIP * means + SPARE, np.inf)
        self._kept[1, rows], self._learned[1, rows] = np.minimum(self._posts[1, rows], most), seen
        sums, expected = self._sums(rows)
        score = np.where(seen, self._score(sums, expected), 0)
        return Looks(means, score.astype(np.float32), history, seen, sums, expected)

    def tick(self, at: int, counts: Counts, masked: Flags) -> tuple[Floats, Flags]:
        """Score and warmth of the one bin that ends at `at` (seconds), (keys,) each."""
        looks = self.take(at // self._step, counts[None], ~masked[None])
        return looks.score[0], (looks.history[0] >= WARM_UP) & looks.known[0]

    def hold(self, first: int, held: Flags) -> None:
        """Of the bins from `first` on, (bins, keys), those that are `held` are not to be learned."""
        place = (first - 1) % self._lag
        self._learned[1, place : place + held.shape[0]] &= ~held

    def mask(self, since: float, until: float) -> None:
        """What lies between two times (seconds) and was taken in is unknown."""
        if self.chunk[0] == NEVER:
            return
        begin = (int(self.chunk[0]) - 1) * self._lag
        first, last = int(since // self._step) - begin, -int(-until // self._step) - begin
        for ring, places in ((0, slice(max(first, 0), max(last, 0))), (1, self._within(first, last))):
            self._unlearn(ring, places)
        if first < 0:
            self._forget_hours(since, min(until, begin * self._step))

    def _within(self, first: int, last: int) -> slice:
        return slice(max(first - self._lag, 0), max(last - self._lag, 0))

    def _unlearn(self, ring: int, places: slice) -> None:
        """Bins of the half hour before, or of this one, are unknown."""
        self._history -= self._seen[ring, places].sum(axis=0)
        if ring == 0:
            learned, hour = self._learned[0, places], self._hour(int(self.chunk[0]) - 1) % 24
            told = np.array([(self._kept[0, places] * learned).sum(axis=0), learned.sum(axis=0)])
            self._pending[:, hour] = np.maximum(self._pending[:, hour] - told, 0)
            self._hours = None
        for array in (self._posts, self._seen, self._learned):
            array[ring, places] = 0

    def _forget_hours(self, since: float, until: float) -> None:
        """A gap that was long before it became known: its hours of the last day are unknown, and so is the level."""
        last = -int(-until // HOUR)
        for hour in range(max(int(since // HOUR), last - 23), last):
            self._history = np.maximum(self._history - self._pending[1, hour % 24].astype(np.int64), 0)
            self._pending[:, hour % 24] = 0
        self._level[:] = 0
        self._hours = None

    def _hour(self, chunk: int) -> int:
        """The hour, counted since 1970, in which the middle of a half hour lies."""
        return int((chunk + 0.5) * self._lag * self._step // HOUR)

    def _turn(self, chunk: int) -> None:
        """Time goes on to a later half hour: the last one is learned; those between are unknown."""
        last = int(self.chunk[0])
        self.chunk[0] = chunk
        self._hours = None
        if last == NEVER:
            return
        self._close(self._hour(last) % 24)
        if chunk - last > 1:
            self._close(None)
            self._level *= self._keep[-1] ** min(chunk - last - 2, 100_000)
        for hour in range(self._hour(last), self._hour(chunk))[-24:]:
            self._fold((hour + 1) % 24)

    def _close(self, hour: int | None) -> None:
        """Learns the half hour that is over, as one of an hour of the day; and the one before for the level."""
        learned = self._learned[1]
        if hour is not None:
            self._vary(learned)
            self._pending[:, hour] += np.array([(self._kept[1] * learned).sum(axis=0), learned.sum(axis=0)])
        self._level = self._levels()[-1]
        for array in (self._posts, self._normal, self._kept, self._seen, self._learned):
            array[0], array[1] = array[1], 0

    def _vary(self, learned: Flags) -> None:
        """Takes in how much the spans varied."""
        used = learned & (self._history * self._step > WARM_UP)
        many = used.sum(axis=0)
        if not many.any():
            return
        sums, means = self._sums(slice(0, self._lag))
        clipped = np.minimum(sums, CLIP * means + SPARE)
        moments = np.array([((clipped - means) ** 2 - means) * used, means**2 * used]).sum(axis=2)
        self._over = np.minimum(self._over + many, DISPERSION_OVER / self._step)
        share = np.minimum(many / np.maximum(self._over, 1), 1)
        self._varied += share * (moments / np.maximum(many, 1) - self._varied)

    def _fold(self, hour: int) -> None:
        """An hour of the day begins anew: what it held the last time is learned for good."""
        mean, weight, part = self._told(self._pending[:, hour], self._days[hour])
        self._profile[hour] += weight * (mean - self._profile[hour])
        self._days[hour] = np.minimum(self._days[hour] + part, DAYS)
        self._pending[:, hour] = 0

    def _told(self, pending: Floats, days: Floats) -> tuple[Floats, Floats, Floats]:
        """The mean of what was told last, its weight in the profile, and which part of an hour it was."""
        part = pending[1] / np.float32(max(HOUR // self._step, 1))
        weight = part / np.maximum(np.minimum(days, DAYS - 1) + part, np.float32(1e-9))
        return pending[0] / np.maximum(pending[1], 1), weight, part

    def _normals(self, rows: slice) -> Doubles:
        """Posts that bins hold at their time of day."""
        ends = (int(self.chunk[0]) * self._lag + np.arange(self._lag)[rows] + 1) * self._step
        place = (ends - self._step / 2) / HOUR - 0.5
        before = int(np.floor((int(self.chunk[0]) * self._lag + 0.5) * self._step / HOUR - 0.5))
        if self._hours is None:
            self._hours = self._two_hours(before % 24)
        part = np.clip(place - before, 0, 1)[:, None]
        one, other = self._hours
        normal: Doubles = np.maximum(one + part * (other - one), _LEAST * self._step / HOUR)
        return normal

    def _two_hours(self, hour: int) -> tuple[Doubles, Doubles]:
        """The profile at an hour and at the next; where one is unknown the other holds, and else the mean of all."""
        mean, weight, part = self._told(self._pending, self._days)
        profile = (self._profile + weight * (mean - self._profile)).astype(np.float64)
        known = (self._days > 0) | (part > 0)
        overall = np.where(known, profile, 0).sum(axis=0) / np.maximum(known.sum(axis=0), 1)
        one, other = (np.where(known[at], profile[at], np.nan) for at in (hour, (hour + 1) % 24))
        either = np.where(np.isnan(one), np.where(np.isnan(other), overall, other), one)
        return either, np.where(np.isnan(other), either, other)

    def _levels(self) -> Doubles:
        """Posts and what they should have been, fading, before each bin of this half hour and after its last one."""
        told = np.array([self._kept[0], self._normal[0]]) * self._learned[0] / self._keep[1:]
        run = np.concatenate([np.zeros_like(self._level)[:, None], np.cumsum(told, axis=1, dtype=np.float64)], axis=1)
        levels: Doubles = ((self._level[:, None] + run) * self._keep).swapaxes(0, 1)
        return levels

    def _ratio(self) -> Doubles:
        """How the last hours stood to their normal, before each bin of this half hour."""
        levels = PRIOR + self._levels()
        ratio: Doubles = levels[:-1, 0] / levels[:-1, 1]
        return ratio

    def _sums(self, rows: slice) -> tuple[Doubles, Doubles]:
        """Posts and expectations of the trailing spans, (spans, bins, keys)."""
        last = self._lag + np.arange(self._lag)[rows] + 1
        first = last - self._spans[:, None]
        found = []
        for ring in (self._posts, self._normal * self._seen):
            run = np.zeros((2 * self._lag + 1, ring.shape[2]))
            np.cumsum(ring.reshape(2 * self._lag, -1), axis=0, dtype=np.float64, out=run[1:])
            found.append(run[last] - run[first])
        least = _LEAST * self._step / HOUR * self._spans[:, None, None]
        return found[0], np.maximum(found[1] * self._ratio()[rows], least)

    def _score(self, sums: Doubles, means: Doubles) -> Doubles:
        """The largest decimal log-likelihood ratio over the spans; 0 where none is above its mean."""
        excess, squares = self._varied
        first = np.maximum(FIRST_SIZE_OVER / self._step - self._over, 0)
        spread = self._over * np.maximum(excess, 0) + first * squares / FIRST_SIZE
        size = np.where(squares > 0, squares * (self._over + first) / np.maximum(spread, 1e-9), FIRST_SIZE)
        size = np.clip(size, *SIZES).astype(np.float32)[:, None]
        above = sums > means + 1e-6
        posts, mean = np.where(above, sums, 1).astype(np.float32), np.where(above, means, 1).astype(np.float32)
        ratio = posts * np.log(posts / mean) - (posts + size) * np.log((posts + size) / (mean + size))
        best = np.where(above, ratio / np.float32(np.log(10)) - self._penalty, 0).max(axis=0)
        score: Doubles = np.round(np.maximum(best, 0), 4)
        return score
