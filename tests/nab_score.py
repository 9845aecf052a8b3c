"""The standard score of the Numenta Anomaly Benchmark (Lavin & Ahmad 2015), over all thresholds at once."""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]
Ints = npt.NDArray[np.int64]

PROBATION = (0.15, 750)
FALSE = 0.11
"""What an alarm far outside every window costs."""
FAR = 3.0
APART = 3_600
"""Seconds below which alarms count once."""
NEAR = 7_200
"""Seconds around a labelled instant in which an alarm finds it."""
DAY = 86_400


class Labelled(NamedTuple):
    """One series with its labels, arrays (records,)."""

    name: str
    at: Ints
    """Seconds."""
    values: Floats
    inside: Flags
    """Within a window of a label."""
    labels: Ints
    """Labelled instants, seconds."""

    @property
    def probation(self) -> int:
        """Records at the beginning that are not scored."""
        return min(int(PROBATION[0] * self.at.size), PROBATION[1])

    @property
    def days(self) -> float:
        """Days that are scored."""
        return float(self.at[-1] - self.at[self.probation]) / DAY

    @property
    def windows(self) -> list[tuple[int, int]]:
        """First and last record of each window."""
        edges = np.diff(np.concatenate([[0], self.inside.astype(np.int64), [0]]))
        return list(zip(np.flatnonzero(edges == 1).tolist(), (np.flatnonzero(edges == -1) - 1).tolist(), strict=True))


class Curve(NamedTuple):
    """What lowering the threshold to each of `thresholds` adds to the raw score, which begins at −windows."""

    thresholds: Floats
    gains: Floats
    windows: int

    def score(self, threshold: float) -> float:
        """The standard score at one threshold: 0 for silence, 100 for perfect."""
        return 100 * float(self.gains[self.thresholds >= threshold].sum()) / (2 * self.windows)


class Best(NamedTuple):
    """The threshold that scores best."""

    threshold: float
    score: float


def sigmoid(y: Floats) -> Floats:
    """What an alarm at a relative place of its window is worth; −1 is its beginning, 0 its end."""
    value: Floats = 2 / (1 + np.exp(5 * np.clip(y, -10, 10))) - 1
    return value


def costs(series: Labelled) -> Floats:
    """What an alarm outside the windows costs, per record (0 or less)."""
    size = series.at.size
    cost = np.full(size, -FALSE)
    for first, last in series.windows:
        y = (np.arange(last + 1, size) - last) / max(last - first, 1)
        cost[last + 1 :] = np.where(y > FAR, -FALSE, FALSE * sigmoid(y))
    return cost


def curve(series: Labelled, scores: Floats) -> Curve:
    """The standard score of one series as a function of the threshold."""
    begin = series.probation
    outside = ~series.inside
    outside[:begin] = False
    thresholds, gains = [scores[outside]], [costs(series)[outside]]
    for first, last in series.windows:
        usable = np.arange(first, last + 1) >= begin
        highest = np.maximum.accumulate(np.where(usable, scores[first : last + 1], -np.inf))
        earlier = np.concatenate([[-np.inf], highest[:-1]])
        rises = np.flatnonzero(highest > earlier)
        y = -(last - (first + rises) + 1) / (last - first + 1)
        worth = sigmoid(y.astype(np.float64)) / sigmoid(np.array([-1.0]))
        thresholds.append(highest[rises])
        gains.append(worth - np.append(worth[1:], -1.0))
    return Curve(np.concatenate(thresholds), np.concatenate(gains), len(series.windows))


def together(curves: list[Curve]) -> Curve:
    """Several series under one threshold."""
    return Curve(
        np.concatenate([one.thresholds for one in curves]),
        np.concatenate([one.gains for one in curves]),
        sum(one.windows for one in curves),
    )


def best(curves: list[Curve]) -> Best:
    """The one threshold that scores best over these series."""
    whole = together(curves)
    order = np.argsort(-whole.thresholds, kind="stable")
    thresholds, totals = whole.thresholds[order], np.cumsum(whole.gains[order])
    last = np.append(thresholds[1:] != thresholds[:-1], [True])
    at = int(np.argmax(np.where(last, totals, -np.inf)))
    return Best(float(thresholds[at]), 100 * float(totals[at]) / (2 * whole.windows))


def onsets(at: Ints, alarms: Flags) -> Ints:
    """The seconds of alarms; those less than APART after another count once with it."""
    times = at[alarms]
    first: Ints = times[np.append([True], np.diff(times) >= APART)[: times.size]]
    return first


class Found(NamedTuple):
    """Alarms of a series against its labels."""

    false: int
    """Alarms with no labelled instant within NEAR."""
    false_per_day: float
    events: int
    of: int
    delays: list[float]
    """Minutes from each found instant to the first alarm near it."""


def found(series: Labelled, alarms: Flags) -> Found:
    """What the alarms after the probation found."""
    heard = alarms.copy()
    heard[: series.probation] = False
    times = onsets(series.at, heard)
    away = times[:, None] - series.labels[None, :]
    near = np.abs(away) <= NEAR
    false = int((~near.any(axis=1)).sum())
    hit = np.flatnonzero(near.any(axis=0))
    delays = [float(away[np.argmax(near[:, k]), k]) / 60 for k in hit]
    return Found(false, false / series.days, hit.size, series.labels.size, delays)
