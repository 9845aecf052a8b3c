"""How far event time is complete, per source.

The watermark is the newest event time a source has shown, plus the time that has passed since, minus the allowed
lateness; it never goes back.

With skew(s) = the largest (event time - seen time) among the posts of source s, at most 0, the watermark of s at t is
t + skew(s) - lateness. A post is late if it is behind the watermark its source had at the start of the post's second,
so what is late does not depend on batches nor on the order within a second. What platforms say that are asked every few
minutes is reckoned as said so much later (`SLOWER`).
"""

from collections.abc import Mapping

import msgspec
import numpy as np
import numpy.typing as npt
import polars as pl

Ints = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]

SECOND = 1_000_000
SLOWER = {"telegram": 480, "reddit": 300, "rss": 1_800, "youtube": 1_200, "gdelt": 2_700}
"""Seconds from one asking of a platform to the next, by us or by others, and what a page may be old."""
_STATE = "window/sources"


def said(platform: pl.Series, event_time: pl.Series) -> Ints:
    """Event time in microseconds, later by what passes until a platform is asked."""
    more = platform.replace_strict(SLOWER, default=0, return_dtype=pl.Int64)
    return (event_time + more * SECOND).to_numpy()


class Watermarks:
    """The watermarks of all sources."""

    def __init__(self, lateness: int) -> None:
        """`lateness` in microseconds."""
        self.lateness = lateness
        self._skews: dict[str, int] = {}

    def at(self, second: int) -> dict[str, int]:
        """Each source's watermark at `second`, in microseconds of event time."""
        return {name: second * SECOND + skew - self.lateness for name, skew in self._skews.items()}

    def snapshot(self) -> dict[str, bytes]:
        """The state as rows."""
        return {_STATE: msgspec.msgpack.encode(self._skews)}

    def restore(self, rows: Mapping[str, bytes]) -> None:
        """Takes up the rows of `snapshot`; rows of others are ignored."""
        if _STATE in rows:
            told = msgspec.msgpack.decode(rows[_STATE], type=dict[str, int | tuple[int, int]])
            self._skews = {name: one if isinstance(one, int) else one[0] for name, one in told.items()}

    def late(self, sources: list[str], source: Ints, tick: Ints, event_time: Ints, seen: Ints) -> Flags:
        """Which posts are late; takes note of the posts.

        `source` indexes `sources`; rows in order of `tick` (seconds); event and seen time in microseconds.
        """
        late = np.zeros(tick.size, np.bool_)
        for code, name in enumerate(sources):
            rows = np.flatnonzero(source == code) if len(sources) > 1 else np.arange(tick.size)
            if not rows.size:
                continue
            ticks = tick[rows]
            best = np.maximum.accumulate(np.minimum(event_time[rows] - seen[rows], 0))
            known = self._skews.get(name)
            if known is not None:
                best = np.maximum(best, known)
            first = np.searchsorted(ticks, ticks)
            prior = best[np.maximum(first - 1, 0)]
            watermark = (ticks - 1) * SECOND + np.where(first > 0, prior, known or 0) - self.lateness
            late[rows] = (event_time[rows] < watermark) & ((first > 0) | (known is not None))
            self._skews[name] = int(best[-1])
        return late
