"""The normal level of an event: what ten minutes would hold if nothing happened.

Level = the larger of an exponentially weighted mean of the last windows and the mean at the same time of day over the
last seven days. Only windows that ended half an hour ago count, and none that a gap or a spike touches, so a spike does
not eat its own baseline; a spike older than a day is the new normal. All weights are integers and the windows are kept,
not their means: a level is a function of integers, the same however the stream was cut, and a gap that becomes known
later still masks its windows.
"""

from typing import NamedTuple, Self

import msgspec
import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float64]

LENGTH = 300
"""Seconds in a window."""
LAG = 1_800
"""Seconds after its end from which a window counts."""
PER_DAY = 86_400 // LENGTH
DAYS = 7
AROUND = 3
"""Windows before and after the same time of day."""
HALF_LIFE = 24
"""Windows after which a weight has halved: two hours."""
LONGEST_SPIKE = 86_400
"""Seconds of a spike that are kept out of the baseline."""
TRAILING = 2
"""Windows in the trailing ten minutes that are compared."""
LEAST_LEVEL = 0.5
"""Posts in ten minutes below which no level goes."""
SIZES = (1.0, 10.0)
"""The negative binomial's size is kept between these: variance between mean + mean²/10 and mean + mean²."""

_KEPT = DAYS * PER_DAY + 2 * AROUND + 2
_WEIGHTS = np.round(65_536 * 0.5 ** (np.arange(8 * HALF_LIFE) / HALF_LIFE)).astype(np.int64)
_SUM_OF_WEIGHTS = np.append([0], np.cumsum(_WEIGHTS))
_FEWEST_FOR_DAILY = 4
_FEWEST_PAIRS = 12
_MOST = 1_000_000


class Level(NamedTuple):
    """The expectation for the trailing ten minutes, per time asked."""

    mean: Floats
    size: Floats
    warm: Flags
    """False: warming up, no alarm."""
    history: Ints
    """Seconds of closed windows that are known, without those that are masked."""


class Interval(NamedTuple):
    """A spike, in seconds; `until` is far away while it goes on."""

    since: int
    until: int


class _Saved(msgspec.Struct, array_like=True):
    first: int
    begin: int
    masked_before: int
    posts: bytes
    masked: bytes
    closed_at: bytes


class Baseline:
    """The closed five-minute windows of one event, about a week of them."""

    def __init__(self) -> None:
        self._first = 0
        self._begin = 0
        self._masked_before = 0
        self._posts = np.zeros(0, np.int64)
        self._masked = np.zeros(0, np.bool_)
        self._closed_at = np.zeros(0, np.int64)
        self._last: tuple[tuple[int, int, list[Interval]], tuple[Floats, Floats, Flags]] | None = None

    def add(self, begins: Ints, posts: Ints, masked: Flags, closed_at: Ints) -> None:
        """Takes closed windows in order (seconds); those missing between are zeros."""
        index = begins // LENGTH
        if not self._posts.size:
            self._first = self._begin = int(index[0])
        known = self._begin + self._posts.size
        size = int(index[-1]) + 1 - known
        place = index - known
        filled = np.zeros(size, np.int64)
        filled[place] = np.minimum(posts, _MOST)
        hidden = np.zeros(size, np.bool_)
        hidden[place] = masked
        since = closed_at[np.searchsorted(place, np.arange(size))]
        self._posts = np.append(self._posts, filled)
        self._masked = np.append(self._masked, hidden)
        self._closed_at = np.append(self._closed_at, since)

    def forget(self, before: int) -> None:
        """Drops windows that no time after `before` (seconds) asks for."""
        spare = int(self._counting(np.array([before]))[0]) - _KEPT
        if spare > _KEPT:
            self._masked_before += int(self._masked[:spare].sum())
            self._begin += spare
            self._posts, self._masked = self._posts[spare:], self._masked[spare:]
            self._closed_at = self._closed_at[spare:]

    def mask(self, since: float, until: float) -> None:
        """Masks windows that touch a gap (seconds)."""
        first = max(int(since // LENGTH) - self._begin, 0)
        last = max(-int(-until // LENGTH) - self._begin, 0)
        self._masked[first:last] = True
        self._last = None

    def level(self, times: Ints, spikes: list[Interval], warm_up: float) -> Level:
        """The expectation at `times` (seconds, ascending); `spikes` as known then."""
        if not times.size or not self._posts.size:
            none = np.zeros(times.size, np.int64)
            return Level(np.full(times.size, LEAST_LEVEL), np.full(times.size, SIZES[0]), none > 0, none)
        count = self._counting(times)
        window = times // LENGTH
        starts = np.flatnonzero(np.append([True], (np.diff(count) != 0) | (np.diff(window) != 0)))
        mean, size, known = self._remembered(count[starts], window[starts], spikes)
        runs = np.diff(np.append(starts, [times.size]))
        seen = np.searchsorted(self._closed_at, times, side="right")
        masked = np.append([0], np.cumsum(self._masked)) + self._masked_before
        history = (self._begin - self._first + seen - masked[seen]) * LENGTH
        warm = np.repeat(known, runs) & (history >= warm_up)
        return Level(np.repeat(mean, runs), np.repeat(size, runs), warm, history)

    def _remembered(self, count: Ints, window: Ints, spikes: list[Interval]) -> tuple[Floats, Floats, Flags]:
        """`_estimate`; the last one is remembered, since a live stream asks for the same one hundreds of times."""
        key = (int(count[0]) + self._begin, int(window[0]), spikes)
        if count.size == 1 and self._last is not None and self._last[0] == key:
            return self._last[1]
        found = self._estimate(count, window - self._begin, ~(self._masked | self._spiking(spikes)))
        if count.size == 1:
            self._last = key, found
        return found

    def _counting(self, times: Ints) -> Ints:
        """How many of the kept windows count at each time."""
        ends = (self._begin + 1 + np.arange(self._posts.size)) * LENGTH + LAG
        return np.searchsorted(np.maximum(self._closed_at, ends), times, side="right").astype(np.int64)

    def _spiking(self, spikes: list[Interval]) -> Flags:
        spiking = np.zeros(self._posts.size, np.bool_)
        for since, until in spikes:
            first = max((since - TRAILING * LENGTH) // LENGTH - self._begin, 0)
            last = max(-(-min(until, since + LONGEST_SPIKE) // LENGTH) - self._begin, 0)
            spiking[first:last] = True
        return spiking

    def _estimate(self, count: Ints, window: Ints, usable: Flags) -> tuple[Floats, Floats, Flags]:
        """Mean and size for ten minutes at each (number of counting windows, current window)."""
        kept = self._posts[usable]
        rank = np.append([0], np.cumsum(usable))
        last, first = rank[count], rank[np.maximum(count - _KEPT, 0)]
        have = np.minimum(_WEIGHTS.size, last - first)
        at = last[:, None] - 1 - np.arange(_WEIGHTS.size)
        within = np.arange(_WEIGHTS.size) < have[:, None]
        padded = kept if kept.size else np.zeros(1, np.int64)
        weighted = (padded[np.maximum(at, 0)] * within * _WEIGHTS).sum(axis=1)
        recent = weighted / np.maximum(_SUM_OF_WEIGHTS[have], 1)
        daily = self._daily(count, window, usable)
        mean = np.maximum(TRAILING * np.maximum(recent, daily), LEAST_LEVEL)
        return mean, _size(kept, last, np.maximum(first, last - PER_DAY)), have > 0

    def _daily(self, count: Ints, window: Ints, usable: Flags) -> Floats:
        """The mean at the same time of day; 0 where too little is known."""
        offsets = (np.arange(1, DAYS + 1)[:, None] * -PER_DAY + np.arange(-AROUND, AROUND + 1)).ravel()
        at = window[:, None] + offsets
        there = (at >= 0) & (at < count[:, None])
        at = np.where(there, at, 0)
        there &= usable[at]
        total = (self._posts[at] * there).sum(axis=1)
        known = there.sum(axis=1)
        return np.where(known >= _FEWEST_FOR_DAILY, total / np.maximum(known, 1), 0.0)

    def save(self) -> bytes:
        """The state as one row."""
        arrays = (self._posts, self._masked, self._closed_at)
        rows = (np.ascontiguousarray(array).tobytes() for array in arrays)
        return msgspec.msgpack.encode(_Saved(self._first, self._begin, self._masked_before, *rows))

    @classmethod
    def load(cls, row: bytes) -> Self:
        """The state of `save`."""
        saved = msgspec.msgpack.decode(row, type=_Saved)
        found = cls()
        found._first, found._begin, found._masked_before = saved.first, saved.begin, saved.masked_before
        found._posts = np.frombuffer(saved.posts, np.int64).copy()
        found._masked = np.frombuffer(saved.masked, np.bool_).copy()
        found._closed_at = np.frombuffer(saved.closed_at, np.int64).copy()
        return found


def _size(kept: Ints, last: Ints, first: Ints) -> Floats:
    """The negative binomial's size by the method of moments, from sums of neighbouring windows of the last day."""
    pairs = kept[1:] + kept[:-1]
    sums, squares = np.append([0], np.cumsum(pairs)), np.append([0], np.cumsum(pairs**2))
    end = np.maximum(last - 1, 0)
    begin = np.minimum(first, end)
    n = np.maximum(end - begin, 1)
    mean = (sums[end] - sums[begin]) / n
    excess = (squares[end] - squares[begin]) / n - mean**2 - mean
    with np.errstate(divide="ignore", invalid="ignore"):
        size = np.where(excess > 0, mean**2 / excess, SIZES[1])
    return np.where(end - begin < _FEWEST_PAIRS, SIZES[0], np.clip(size, *SIZES))
