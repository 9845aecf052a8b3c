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

from monitor.judge.hours import Hours

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
PRIOR = 3.0
"""Posts as expected that the level starts from."""
DISPERSION_OVER = 7 * DAY
"""Seconds over which a span's variance is averaged."""
FIRST_SIZE = 8.0
"""A negative binomial's size before its variance is known,"""
FIRST_SIZE_OVER = DAY
"""… which is worth so many seconds of its own, less and less until three times as many are known."""
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


POSTS, NORMAL, KEPT, SEEN, LEARNED = range(5)


class Looks(NamedTuple):
    """What some bins of every key show."""

    expected: Doubles
    """Posts each should have held; (bins, keys), as are the next three."""
    score: Doubles
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
        self._penalty = (PENALTY * np.log10(self._lag / self._spans))[:, None, None]
        self._keep = 0.5 ** (step * np.arange(self._lag + 1) / HALF_LIFE)[:, None]
        self._middles = ((np.arange(self._lag) + 0.5) * step / HOUR - 0.5)[:, None]
        self._least = _LEAST * step / HOUR
        self.chunk = np.full(1, NEVER)
        """The half hour that goes on, counted since 1970."""
        self._hours = Hours(max(HOUR // step, 1), keys)
        self._ring = np.zeros((5, 2, self._lag, keys), np.float32)
        """Of the half hour before, and of this one: POSTS and NORMAL of what is known, KEPT, SEEN, LEARNED."""
        self._level = np.zeros((2, keys))
        self._varied, self._over = np.zeros((2, self._spans.size, keys)), np.zeros(keys)
        self._history = np.zeros(keys, np.int64)
        self._part: _Derived | None = None
        self._spanned: tuple[Doubles, Doubles] | None = None
        """Derived from the above for this half hour; None: they are to be derived anew."""

    @property
    def lag(self) -> int:
        """Bins in half an hour."""
        return self._lag

    def arrays(self) -> tuple[npt.NDArray[np.generic], ...]:
        """The state of all keys; keys are the last axis."""
        known = (self._level, self._varied, self._over, self._history)
        return (*self._hours.arrays(), self._ring, *known)

    def changed(self) -> None:
        """To be said when `arrays` or `chunk` were written to."""
        self._part = self._spanned = None

    def take(self, first: int, posts: Counts, known: Flags) -> Looks:
        """Scores bins `first` … of one half hour, none before the last one; (bins, keys), as is `known`.

        They are learned once the half hour is over, but for those that `hold` says are none of the normal.
        """
        chunk, place = divmod(first - 1, self._lag)
        if chunk != self.chunk[0]:
            self._turn(chunk)
        rows = slice(place, place + posts.shape[0])
        if self._part is None:
            self._part = self._derived()
        normal, ratio = self._part.normal[rows], self._part.ratio[rows]
        means = np.maximum(normal * ratio, self._least)
        history = (self._history + np.cumsum(known, axis=0)) * self._step
        self._history = history[-1] // self._step
        most = np.where(history > HOUR, CLIP * means + SPARE, np.inf)
        posts = posts * known
        self._ring[:, 1, rows] = (posts, normal * known, np.minimum(posts, most), known, known)
        sums, expected = self._sums(rows)
        self._spanned = (sums, expected) if posts.shape[0] == self._lag else None
        return Looks(means, self._score(sums, expected) * known, history, known, sums, expected)

    def tick(self, at: int, counts: Counts, masked: Flags) -> tuple[Floats, Flags]:
        """Score and warmth of the one bin that ends at `at` (seconds), (keys,) each."""
        looks = self.take(at // self._step, counts[None], ~masked[None])
        return looks.score[0], (looks.history[0] > WARM_UP) & looks.known[0]

    def hold(self, first: int, held: Flags) -> None:
        """Of the bins from `first` on, (bins, keys), those that are `held` are not to be learned."""
        place = (first - 1) % self._lag
        self._ring[LEARNED, 1, place : place + held.shape[0]] *= ~held

    def mask(self, since: float, until: float) -> None:
        """What lies between two times (seconds) and was taken in is unknown."""
        if self.chunk[0] == NEVER:
            return
        begin = (int(self.chunk[0]) - 1) * self._lag
        self.changed()
        first, last = int(since // self._step) - begin, -int(-until // self._step) - begin
        for ring, places in ((0, slice(max(first, 0), max(last, 0))), (1, self._within(first, last))):
            self._unlearn(ring, places)
        if first < 0:
            self._forget_hours(since, min(until, begin * self._step))

    def _within(self, first: int, last: int) -> slice:
        return slice(max(first - self._lag, 0), max(last - self._lag, 0))

    def _unlearn(self, ring: int, places: slice) -> None:
        """Bins of the half hour before, or of this one, are unknown."""
        bins = self._ring[:, ring, places]
        self._history -= bins[SEEN].sum(axis=0).astype(np.int64)
        if ring == 0:
            hour = self._hour(int(self.chunk[0]) - 1) % 24
            self._hours.add(hour, -(bins[[KEPT, SEEN]] * bins[LEARNED]).sum(axis=1))
        bins[:] = 0

    def _forget_hours(self, since: float, until: float) -> None:
        """A gap that was long before it became known: its hours of the last day are unknown, and so is the level."""
        last = -int(-until // HOUR)
        for hour in range(max(int(since // HOUR), last - 23), last):
            self._history = np.maximum(self._history - self._hours.forget(hour % 24), 0)
        self._level[:] = 0

    def _hour(self, chunk: int) -> int:
        """The hour, counted since 1970, in which the middle of a half hour lies."""
        return int((chunk + 0.5) * self._lag * self._step // HOUR)

    def _turn(self, chunk: int) -> None:
        """Time goes on to a later half hour: the last one is learned; those between are unknown."""
        last = int(self.chunk[0])
        self.chunk[0] = chunk
        if last == NEVER:
            self.changed()
            return
        self._close(self._hour(last) % 24)
        self.changed()
        if chunk - last > 1:
            self._close(None)
            self.changed()
            self._level *= self._keep[-1] ** min(chunk - last - 2, 100_000)
        for hour in range(self._hour(last), self._hour(chunk))[-24:]:
            self._hours.learn((hour + 2) % 24)

    def _close(self, hour: int | None) -> None:
        """Learns the half hour that is over, as one of an hour of the day; and the one before for the level."""
        fading = (self._part or self._derived()).fading
        if hour is not None:
            self._vary()
            self._hours.add(hour, (self._ring[[KEPT, SEEN], 1] * self._ring[LEARNED, 1]).sum(axis=1))
        self._level = fading.copy()
        self._ring[:, 0] = self._ring[:, 1]
        self._ring[:, 1] = 0

    def _vary(self) -> None:
        """Takes in how much the spans varied."""
        used = self._ring[LEARNED, 1] * (self._history * self._step > WARM_UP)
        many = used.sum(axis=0, dtype=np.float64)
        if not many.any():
            return
        sums, means = self._spanned or self._sums(slice(0, self._lag))
        clipped = np.minimum(sums, CLIP * means + SPARE)
        squares = means * means
        moments = np.array([(((clipped - means) ** 2 - means) * used).sum(axis=1), (squares * used).sum(axis=1)])
        self._over = np.minimum(self._over + many, DISPERSION_OVER / self._step)
        share = np.minimum(many / np.maximum(self._over, 1), 1)
        self._varied += share * (moments / np.maximum(many, 1) - self._varied)

    def _derived(self) -> "_Derived":
        """What this half hour is judged against."""
        chunk = int(self.chunk[0])
        before = int(np.floor((chunk + 0.5) * self._lag * self._step / HOUR - 0.5))
        part = np.clip(chunk * self._lag * self._step / HOUR + self._middles - before, 0, 1)
        one, other = self._hours.pair(before % 24)
        normal = np.maximum(one + part * (other - one), self._least)
        told = self._ring[[KEPT, NORMAL], 0] * self._ring[LEARNED, 0] / self._keep[1:]
        run = np.cumsum(told, axis=1, dtype=np.float64)
        run += self._level[:, None]
        levels = PRIOR + np.concatenate([self._level[:, None], run[:, :-1]], axis=1) * self._keep[:-1]
        return _Derived(normal, levels[0] / levels[1], run[:, -1] * self._keep[-1])

    def _sums(self, rows: slice) -> tuple[Doubles, Doubles]:
        """Posts and expectations of the trailing spans, (spans, bins, keys)."""
        last = self._lag + np.arange(rows.start, rows.stop) + 1
        first = last - self._spans[:, None]
        run = np.zeros((2, 2 * self._lag + 1, self._over.size))
        told = self._ring[: NORMAL + 1].reshape(2, 2 * self._lag, -1)
        np.cumsum(told, axis=1, dtype=np.float64, out=run[:, 1:])
        sums, normal = run[:, last][:, None] - run[:, first]
        ratio = (self._part or self._derived()).ratio[rows]
        return sums, np.maximum(normal * ratio, self._least * self._spans[:, None, None])

    def _sizes(self) -> Doubles:
        """The size of each span, (spans, 1, keys)."""
        excess, squares = self._varied
        first = np.maximum(FIRST_SIZE_OVER / self._step - self._over / 3, 0)
        spread = self._over * np.maximum(excess, 0) + first * squares / FIRST_SIZE
        size = np.where(squares > 0, squares * (self._over + first) / np.maximum(spread, 1e-9), FIRST_SIZE)
        return np.clip(size, *SIZES)[:, None]

    def _score(self, sums: Doubles, means: Doubles) -> Doubles:
        """The largest decimal log-likelihood ratio over the spans; 0 where none is above its mean."""
        posts, size = np.maximum(sums, means), self._sizes()
        more = posts + size
        ratio = posts * np.log(posts / means) - more * np.log(more / (means + size))
        best = (ratio / np.log(10) - self._penalty).max(axis=0)
        score: Doubles = np.round(np.maximum(best, 0), 4)
        return score


class _Derived(NamedTuple):
    normal: Doubles
    """Posts of each bin of a half hour at this time of day, (bins, keys);"""
    ratio: Doubles
    """how the last hours stood to their normal before each;"""
    fading: Doubles
    """and the level at its end."""
