"""The reference for the delay: a CUSUM of negative binomial log-likelihood ratios (Watkins 2008).

It is told the factor of the burst it waits for, the size of its counts, and – known – their level to the digit, or
– estimated – the expectation that the judged detector itself has.
"""

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Counts = npt.NDArray[np.integer] | npt.NDArray[np.floating]
APART = 3_600


class Cusum:
    """The sums of `keys` series that wait for a rate times `factor`."""

    def __init__(self, keys: int, factor: float) -> None:
        self._factor = factor
        self.sum = np.zeros(keys)

    def run(self, posts: Counts, means: Floats, size: Floats) -> Floats:
        """The sums with each further bin, (bins, keys)."""
        raised = np.log((self._factor * means + size) / (means + size))
        steps = posts * np.log(self._factor) - (posts + size) * raised
        sums: Floats = np.empty_like(steps)
        for row, step in enumerate(steps):
            np.maximum(self.sum + step, 0, out=sums[row])
            self.sum = sums[row]
        return sums


class Sizes:
    """Negative binomial sizes by the method of moments, over all the series of a kind and all the bins taken in."""

    def __init__(self, kinds: int) -> None:
        self._moments = np.zeros((2, kinds))

    def add(self, posts: Counts, means: Floats) -> None:
        """Takes in bins of all series, (bins, keys), those of a kind side by side."""
        seen = np.array([means**2, (posts - means) ** 2 - means]).sum(axis=1)
        self._moments += seen.reshape(2, self._moments.shape[1], -1).sum(axis=2)

    def of(self, keys: int) -> Floats:
        """The size of each series."""
        squares, excess = self._moments
        size = np.clip(squares / np.maximum(excess, 1e-9), 0.1, 10_000)
        return np.repeat(size, keys // size.size)


class Peaks:
    """The peaks of sums, largest within an hour: those above a threshold are the alarms it would have raised."""

    def __init__(self, keys: int) -> None:
        self._peak = np.zeros(keys)
        self._peak_at = np.zeros(keys)
        self._found: list[tuple[npt.NDArray[np.int64], Floats]] = []

    def add(self, at: int, sums: Floats) -> None:
        """Takes in the sums at a second."""
        done = np.flatnonzero((self._peak > 0) & (at - self._peak_at >= APART))
        if done.size:
            self._found.append((done, self._peak[done]))
            self._peak[done] = 0
        higher = sums > self._peak
        self._peak[higher], self._peak_at[higher] = sums[higher], at

    def threshold(self, keys: range, alarms: int) -> float:
        """The threshold that so many peaks of these series stood above."""
        where = np.concatenate([key for key, _ in self._found])
        peaks = np.concatenate([peak for _, peak in self._found])
        mine = np.sort(peaks[(where >= keys.start) & (where < keys.stop)])[::-1]
        return float(mine[alarms])
