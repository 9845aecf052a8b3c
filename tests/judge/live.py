"""The judge's own measures on simulated streams: six topics are the six measures of one event."""

import copy
from collections.abc import Iterator
from itertools import pairwise
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import polars as pl

from monitor.judge.baseline import LENGTH
from monitor.judge.measures import Measures, Turned
from monitor.watched import Measure, Rules
from tests.judge.cusum import Cusum, Peaks, Sizes
from tests.judge.streams import DAY, HOUR, Kind, Streams, burst

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

STEP = 60
"""Seconds between the ticks at which posts arrive."""
LATENESS = 120
CALL = DAY
"""Seconds of a call, where nothing is put in."""
APART = HOUR
WAIT = HOUR
BURST = 1_800
EVERY = 19 * HOUR
MEASURES = list(Measure)


class Cell(NamedTuple):
    """What came of the topics of one kind."""

    alarms: Ints
    """Per topic, on judged days: onsets an hour apart."""
    days: int
    seconds: Floats
    """From the start of each burst to its alarm; NaN where missed."""
    reference: Floats
    """The same of a CUSUM that is told the level, at as many false alarms."""

    def ratio(self, per_day: float) -> tuple[float, float, float]:
        """Realised ÷ announced with its 95 % interval (between topics)."""
        mine = self.alarms / self.days / per_day
        half = 1.96 * float(mine.std(ddof=1)) / np.sqrt(mine.size)
        return float(mine.mean()), float(mine.mean()) - half, float(mine.mean()) + half


class Series(NamedTuple):
    """The posts of all topics of a kind, (bins, topics)."""

    posts: Ints
    means: Floats


def series(kind: Kind, topics: int, days: int, seed: int) -> Series:
    bins = []
    for one in Streams([kind], topics, STEP, seed):
        bins.append((one.posts, one.mean))
        if one.at >= days * DAY:
            break
    return Series(np.array([posts for posts, _ in bins]), np.array([mean for _, mean in bins]))


class Event:
    """Six topics as measures of one event, fed as the window stage feeds them."""

    def __init__(self, rules: Rules) -> None:
        self._measures = Measures(rules)
        self._open = np.zeros((0, len(MEASURES)), np.int64)
        """Posts of windows that did not close yet, per bin."""
        self._at = 0

    def run(self, posts: Ints) -> list[Turned]:
        """The turns of the next bins, (bins, 6)."""
        begin, self._at = self._at, self._at + posts.shape[0] * STEP
        self._open = np.concatenate([self._open, posts])
        first = self._at - self._open.shape[0] * STEP
        done = max((self._at - LATENESS - first) // LENGTH, 0)
        each = LENGTH // STEP
        counts = self._open[: done * each].reshape(done, each, -1).sum(axis=1)
        self._open = self._open[done * each :]
        begins = first + LENGTH * np.arange(done)
        columns = {measure.value: counts[:, number] for number, measure in enumerate(MEASURES)}
        times = {"begins": begins, "masked": np.zeros(done, np.bool_), "closed_at": begins + LENGTH + LATENESS}
        self._measures.close(pl.DataFrame(times | columns))
        ticks = begin + STEP * (1 + np.arange(posts.shape[0]))
        whole = {measure.value: posts[:, number] for number, measure in enumerate(MEASURES)}
        found = self._measures.run((begin, self._at), pl.DataFrame({"tick": ticks} | whole), [])
        self._measures.forget(self._at)
        return found


def played(kind: Kind, topics: int, rules: Rules, *, warm: int, days: int, seed: int, factor: int = 3) -> Cell:
    """A cell of topics, a multiple of six: `days` judged after `warm`; bursts live in copies of everything."""
    data = series(kind, topics, warm + days, seed)
    starts = list(range(warm * DAY // STEP, (warm + days) * DAY // STEP - WAIT // STEP, EVERY // STEP))
    raised = {start: _raised(data.posts[start : start + WAIT // STEP], factor) for start in starts}
    alarms, seconds = np.zeros(topics, np.int64), np.full((len(starts), topics), np.nan)
    for first in range(0, topics, len(MEASURES)):
        mine = slice(first, first + len(MEASURES))
        event = Event(rules)
        onsets: list[Turned] = []
        for begin, end in _calls(starts, data.posts.shape[0]):
            if begin in raised:
                told = copy.deepcopy(event).run(raised[begin][:, mine])
                for one in reversed([each for each in told if each.turn.begins]):
                    seconds[starts.index(begin), first + MEASURES.index(one.measure)] = one.turn.at - begin * STEP
            onsets += event.run(data.posts[begin:end, mine])
        for number, measure in enumerate(MEASURES):
            times = [one.turn.at for one in onsets if one.measure is measure and one.turn.begins]
            judged = np.array([at for at in times if at > warm * DAY])
            alarms[first + number] = (np.diff(np.append([-APART], judged)) >= APART).sum()
    return Cell(alarms, days, seconds, _reference(data, raised, warm, int(alarms.sum()), factor))


def _raised(posts: Ints, factor: int) -> Ints:
    """An hour in whose first half the rate is so many times higher."""
    return np.array(
        [burst(row, row.size, factor) if number < BURST // STEP else row for number, row in enumerate(posts)]
    )


def _calls(starts: list[int], end: int) -> Iterator[tuple[int, int]]:
    """Begin and end of each call, in bins: one begins with each burst."""
    edges = sorted({*starts, *range(0, end, CALL // STEP), end})
    return pairwise(edges)


def _reference(data: Series, raised: dict[int, Ints], warm: int, alarms: int, factor: int) -> Floats:
    """Seconds to the alarm of a CUSUM that knows the level, with as many false alarms on the judged days."""
    topics = data.posts.shape[1]
    cusum, sizes, peaks = Cusum(topics, factor), Sizes(1), Peaks(topics)
    begun: list[Floats] = []
    for number, (posts, mean) in enumerate(zip(data.posts, data.means, strict=True)):
        judged = number >= warm * DAY // STEP
        if number in raised:
            other = copy.deepcopy(cusum)
            hour = zip(raised[number], data.means[number : number + WAIT // STEP], strict=True)
            begun.append(np.array([other.tick(more, level, sizes.of(topics)).copy() for more, level in hour]))
        if not judged:
            sizes.add(posts, mean)
        sums = cusum.tick(posts, mean, sizes.of(topics))
        if judged:
            peaks.add((number + 1) * STEP, sums)
    high = np.array(begun) > peaks.threshold(range(topics), alarms)
    found: Floats = np.where(high.any(axis=1), (high.argmax(axis=1) + 1.0) * STEP, np.nan)
    return found
