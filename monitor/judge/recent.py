"""What was counted of one series within the last span of whole minutes, at ticks and between them."""

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]

Minutes = list[tuple[int, int, int]]
"""(minute, claims, denials), ascending; all of them before the ticks that follow."""

MINUTE = 60


class Recent:
    """Two counts, claims and denials, of minutes that are kept and of ticks that came now.

    The span of a tick is its own minute, as far as it has come, and the whole minutes before it.
    """

    def __init__(self, kept: Minutes, ticks: Ints, claims: Ints, denials: Ints, span: int) -> None:
        """`ticks`: seconds, ascending, later than every kept minute's posts; `span` in minutes."""
        before = np.array(kept, np.int64).reshape(-1, 3)
        self._span = span
        self._kept = before.shape[0]
        self._minute = np.concatenate([before[:, 0], (ticks - 1) // MINUTE])
        self._tick = np.concatenate([before[:, 0] * MINUTE + 1, ticks])
        self._claims = np.concatenate([_ZERO, np.cumsum(np.concatenate([before[:, 1], claims]))])
        self._denials = np.concatenate([_ZERO, np.cumsum(np.concatenate([before[:, 2], denials]))])
        last = np.arange(self._kept, self._minute.size) + 1
        first = np.searchsorted(self._minute, self._minute[self._kept :] - span, side="right")
        self.claims = self._claims[last] - self._claims[first]
        """Within the span, at each tick;"""
        self.denials = self._denials[last] - self._denials[first]
        """… and those."""

    def falls(self, least: int, after: int) -> int | None:
        """The first second after `after` at which a minute left the span and fewer claims than `least` remain.

        Posts of ticks up to that second count; None where claims of the known ticks never become so few.
        """
        times = np.unique((self._minute + self._span) * MINUTE + 1)
        times = times[times > after]
        last = np.searchsorted(self._tick, times, side="right")
        first = np.searchsorted(self._minute, (times - 1) // MINUTE - self._span, side="right")
        found = np.flatnonzero(self._claims[np.maximum(last, first)] - self._claims[first] < least)
        return int(times[found[0]]) if found.size else None

    def at(self, second: int) -> tuple[int, int]:
        """Claims and denials within the span at a second."""
        last = int(np.searchsorted(self._tick, second, side="right"))
        first = int(np.searchsorted(self._minute, (second - 1) // MINUTE - self._span, side="right"))
        first = min(first, last)
        return int(self._claims[last] - self._claims[first]), int(self._denials[last] - self._denials[first])

    def minutes(self, end: int) -> Minutes:
        """What is to be kept after the second `end`."""
        first = int(np.searchsorted(self._minute, (end - 1) // MINUTE - self._span, side="right"))
        if first == self._minute.size:
            return []
        minute = self._minute[first:]
        ends = np.flatnonzero(np.concatenate([np.diff(minute) > 0, _TRUE])) + first + 1
        starts = np.concatenate([[first], ends[:-1]])
        claims, denials = (total[ends] - total[starts] for total in (self._claims, self._denials))
        rows = zip(self._minute[ends - 1].tolist(), claims.tolist(), denials.tolist(), strict=True)
        return [row for row in rows if row[1] or row[2]]


_ZERO = np.zeros(1, np.int64)
_TRUE = np.ones(1, np.bool_)
