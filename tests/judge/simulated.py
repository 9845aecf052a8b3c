"""Detectors on streams whose truth is known: false alarms against the announced rate, and always beside it the delay.

Streams of several kinds run side by side, hour by hour. Every nineteen hours all of them are three times as loud for
half an hour, in a copy of the detector that is thrown away after an hour. A CUSUM that is told the level, the factor
and the size, and whose threshold gives as many false alarms, is the reference for the delay.
"""

import copy
import sys
from collections.abc import Iterator
from itertools import islice
from typing import NamedTuple, Protocol

import numpy as np
import numpy.typing as npt

from tests.judge.cusum import Cusum, Peaks, Sizes
from tests.judge.streams import HOUR, Kind, Streams, burst

Flags = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

FACTOR = 3
BURST = 1_800
EVERY = 19
"""Hours between bursts: they come at every hour of the day."""
WAIT = HOUR
"""Seconds after a burst's start within which an alarm is its alarm; what is missed counts as so late."""


class Detector(Protocol):
    """What is tried."""

    def run(self, at: int, posts: Ints) -> Flags:
        """Which alarms begin in the bins after `at` (seconds), (bins, keys)."""
        ...


class Cell(NamedTuple):
    """What came of the topics of one kind."""

    kind: Kind
    alarms: Ints
    """Per topic, on judged days: onsets an hour apart."""
    days: int
    seconds: Floats
    """From the start of each burst to its alarm, (bursts, topics); NaN where missed."""
    reference: Floats
    """The same of the CUSUM."""

    def ratio(self, per_day: float) -> tuple[float, float, float]:
        """Realised ÷ announced with its 95 % interval (between topics)."""
        mine = self.alarms / self.days / per_day
        half = 1.96 * float(mine.std(ddof=1)) / np.sqrt(mine.size)
        return float(mine.mean()), float(mine.mean()) - half, float(mine.mean()) + half

    @property
    def slower(self) -> float:
        """How many times as long as the CUSUM it waits, missed bursts reckoned with."""
        return waited(self.seconds) / waited(self.reference)


def waited(seconds: Floats) -> float:
    """Minutes on average, a missed burst as if found after an hour."""
    return float(np.nan_to_num(seconds, nan=WAIT).mean() / 60)


def played(
    detector: Detector, kinds: list[Kind], topics: int, step: int, *, warm: int, days: int, seed: int
) -> list[Cell]:
    """A cell of topics per kind: `days` judged after `warm`."""
    reference = _Reference(len(kinds), topics)
    alarms = np.zeros(len(kinds) * topics, np.int64)
    last = np.full(alarms.size, -HOUR)
    seconds: list[Floats] = []
    for number, (posts, means) in enumerate(_hours(Streams(kinds, topics, step, seed), (warm + days) * 24)):
        at, judged = number * HOUR, number >= warm * 24
        if judged and (number - warm * 24) % EVERY == 0:
            louder = posts.copy()
            for row in range(BURST // step):
                louder[row] = burst(posts[row], topics, FACTOR)
            seconds.append(_first(copy.deepcopy(detector).run(at, louder), step))
            reference.strike(louder, means)
        begins = detector.run(at, posts)
        reference.add(at, posts, means, judged=judged)
        for row in np.flatnonzero(begins.any(axis=1)).tolist() if judged else []:
            now = at + (row + 1) * step
            alarms += begins[row] & (now - last >= HOUR)
            last[begins[row]] = now
    cells = []
    for place, kind in enumerate(kinds):
        mine = slice(place * topics, (place + 1) * topics)
        struck = reference.seconds(range(mine.start, mine.stop), int(alarms[mine].sum()), step)
        cells.append(Cell(kind, alarms[mine], days, np.array(seconds)[:, mine], struck))
    return cells


def _hours(streams: Streams, hours: int) -> Iterator[tuple[Ints, Floats]]:
    """Posts and their means, an hour at a time, (bins, keys)."""
    bins = iter(streams)
    for _ in range(hours):
        hour = list(islice(bins, HOUR // streams.step))
        yield np.array([one.posts for one in hour]), np.array([one.mean for one in hour])


def _first(high: Flags, step: int) -> Floats:
    """Seconds to the first flag, per key; NaN where there is none."""
    found: Floats = np.where(high.any(axis=0), (high.argmax(axis=0) + 1.0) * step, np.nan)
    return found


class _Reference:
    """The CUSUM beside the detector."""

    def __init__(self, kinds: int, topics: int) -> None:
        self._cusum, self._sizes, self._peaks = Cusum(kinds * topics, FACTOR), Sizes(kinds), Peaks(kinds * topics)
        self._struck: list[Floats] = []

    def strike(self, posts: Ints, means: Floats) -> None:
        """What its sums would be in an hour that is louder."""
        other = copy.deepcopy(self._cusum)
        self._struck.append(other.run(posts, means, self._sizes.of(posts.shape[1])).astype(np.float32))

    def add(self, at: int, posts: Ints, means: Floats, *, judged: bool) -> None:
        """An hour passes; its counts' sizes are learned before days are judged."""
        if not judged:
            self._sizes.add(posts, means)
        sums = self._cusum.run(posts, means, self._sizes.of(posts.shape[1]))
        half = len(sums) // 2
        for row in (half, len(sums)) if judged else ():
            self._peaks.add(at + row * HOUR // len(sums), sums[row - half : row].max(axis=0))

    def seconds(self, keys: range, alarms: int, step: int) -> Floats:
        """From each burst's start to the alarm, at a threshold that gave so many alarms on the judged days."""
        limit = self._peaks.threshold(keys, alarms)
        return np.array([_first(sums[:, keys.start : keys.stop] > limit, step) for sums in self._struck])


def table(cells: list[Cell], per_day: float) -> float:
    """Prints a line per cell; the worst realised ÷ announced."""
    topics = cells[0].alarms.size
    sys.stdout.write(
        f"\n{topics * cells[0].days:,} topic-days per cell, {per_day} a day announced; x{FACTOR} for 30 min: share"
        " found, minutes where found, minutes with a missed one as 60; CUSUM at equal false alarms\n"
        "posts/h branching  realised ÷ announced   found  minutes        CUSUM          ÷\n"
    )
    for cell in cells:
        ratio, low, high = cell.ratio(per_day)
        times = [_times(one) for one in (cell.seconds, cell.reference)]
        said = f"{cell.kind.per_hour:>7} {cell.kind.branching:>9}  {ratio:.2f} ({low:.2f} to {high:.2f})"
        sys.stdout.write(f"{said}   {times[0]}   {times[1]}   {cell.slower:.2f}\n")
    sys.stdout.flush()
    return max(cell.ratio(per_day)[0] for cell in cells)


def _times(seconds: Floats) -> str:
    found = ~np.isnan(seconds)
    late = seconds[found].mean() / 60 if found.any() else np.nan
    return f"{found.mean():5.2f} {late:6.1f} {waited(seconds):6.1f}"
