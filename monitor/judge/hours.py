"""What a bin holds at each hour of the day, of all keys: a mean over days, and the last day apart.

What an hour held is learned an hour before it comes again, with a weight by how much of it is known: until then it can
be taken back, and a level that changed for good is not reckoned with twice, in the hours just gone and in the profile.
"""

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float32]
Doubles = npt.NDArray[np.float64]

DAYS = 10
"""A day's weight in the profile is at least one part in so many."""


class Hours:
    """The profile of `keys` keys, `bins` bins an hour."""

    def __init__(self, bins: int, keys: int) -> None:
        self._bins = np.float32(bins)
        self._profile, self._days = np.zeros((24, keys), np.float32), np.zeros((24, keys), np.float32)
        self._pending = np.zeros((2, 24, keys), np.float32)
        """Posts and bins of each hour of the day, the last time it came."""

    def arrays(self) -> tuple[npt.NDArray[np.generic], ...]:
        """The state of all keys; keys are the last axis."""
        return self._profile, self._days, self._pending

    def add(self, hour: int, told: npt.NDArray[np.floating]) -> None:
        """Posts and bins, (2, keys), more of an hour of the day; or fewer, as it turns out."""
        self._pending[:, hour] = np.maximum(self._pending[:, hour] + told, 0)

    def forget(self, hour: int) -> Ints:
        """An hour of the day is unknown, the last time it came; the bins that were known of it."""
        bins: Ints = self._pending[1, hour].astype(np.int64)
        self._pending[:, hour] = 0
        return bins

    def learn(self, hour: int) -> None:
        """What an hour of the day held the last time is learned for good."""
        mean, weight, part = self._told(self._pending[:, hour], self._days[hour])
        self._profile[hour] += weight * (mean - self._profile[hour])
        self._days[hour] = np.minimum(self._days[hour] + part, DAYS)
        self._pending[:, hour] = 0

    def _told(self, pending: Floats, days: Floats) -> tuple[Floats, Floats, Floats]:
        """The mean of what was told last, its weight in the profile, and which part of an hour it was."""
        part = pending[1] / self._bins
        weight = part / np.maximum(np.minimum(days, DAYS - 1) + part, np.float32(1e-9))
        return pending[0] / np.maximum(pending[1], 1), weight, part

    def pair(self, hour: int) -> tuple[Doubles, Doubles]:
        """The mean at an hour and at the next; where one is unknown the other holds, and else the mean of all."""
        pair = [hour, (hour + 1) % 24]
        one, other = self._profile[pair].astype(np.float64)
        known = self._days[pair] > 0
        if not known.all():
            either = np.where(known[0], one, np.where(known[1], other, self._overall()))
            one, other = either, np.where(known[1], other, either)
        return one, other

    def _overall(self) -> Doubles:
        """The mean of the hours that are known."""
        mean, weight, part = self._told(self._pending, self._days)
        known = (self._days > 0) | (part > 0)
        hours = np.where(known, self._profile + weight * (mean - self._profile), 0)
        overall: Doubles = hours.sum(axis=0, dtype=np.float64) / np.maximum(known.sum(axis=0), 1)
        return overall
