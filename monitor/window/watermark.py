"""How far event time is complete, per source and over all.

The watermark is the newest event time a source has shown, plus the time that has passed since, minus the allowed
lateness; it never goes back.

With skew(s) = the largest (event time - seen time) among the posts of source s, at most 0, the watermark of s at t is
t + skew(s) - lateness. A post is late if it is behind the watermark its source had at the start of the post's second,
so what is late does not depend on batches nor on the order within a second. Windows close when the least of the
watermarks of the active sources has passed their end.
"""

from collections.abc import Mapping
from typing import NamedTuple

import msgspec
import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]

SECOND = 1_000_000
ACTIVE = 600
"""Seconds of seen time after its last post for which a source holds windows open."""
FURTHEST_BEHIND = 3_600 * SECOND
"""A source further behind than this (microseconds) holds windows open no longer than one that far behind."""
_STATE = "window/sources"
_SILENT = 1
"""No skew (those are 0 or less): the source holds nothing."""


class Horizon(NamedTuple):
    """From second `begins[k]` on the overall watermark is at t + skew[k] - lateness, until `begins[k + 1]`."""

    begins: Ints
    skew: Ints


class _Source(NamedTuple):
    skew: int
    last: int


class Watermarks:
    """The watermarks of all sources."""

    def __init__(self, lateness: int) -> None:
        """`lateness` in microseconds."""
        self.lateness = lateness
        self._sources: dict[str, _Source] = {}

    def at(self, second: int) -> dict[str, int]:
        """Each source's watermark at `second`, in microseconds of event time."""
        return {name: second * SECOND + source.skew - self.lateness for name, source in self._sources.items()}

    def snapshot(self) -> dict[str, bytes]:
        """The state as rows."""
        return {_STATE: msgspec.msgpack.encode(self._sources)}

    def restore(self, rows: Mapping[str, bytes]) -> None:
        """Takes up the rows of `snapshot`; rows of others are ignored."""
        if _STATE in rows:
            self._sources = msgspec.msgpack.decode(rows[_STATE], type=dict[str, _Source])

    def late(self, sources: list[str], source: Ints, tick: Ints, event_time: Ints, seen: Ints) -> tuple[Flags, "Steps"]:
        """Which posts are late, and how the sources' skews stepped; takes note of the posts.

        `source` indexes `sources`; rows in order of `tick` (seconds); event and seen time in microseconds.
        """
        late = np.zeros(tick.size, np.bool_)
        before = dict(self._sources)
        steps: dict[str, tuple[Ints, Ints]] = {}
        for code, name in enumerate(sources):
            rows = np.flatnonzero(source == code) if len(sources) > 1 else np.arange(tick.size)
            if not rows.size:
                continue
            ticks = tick[rows]
            best = np.maximum.accumulate(np.minimum(event_time[rows] - seen[rows], 0))
            known = self._sources.get(name)
            if known:
                best = np.maximum(best, known.skew)
            first = np.searchsorted(ticks, ticks)
            prior = best[np.maximum(first - 1, 0)]
            watermark = (ticks - 1) * SECOND + np.where(first > 0, prior, known.skew if known else 0) - self.lateness
            late[rows] = (event_time[rows] < watermark) & ((first > 0) | (known is not None))
            ends = np.flatnonzero(np.append(np.diff(ticks) > 0, [True]))
            steps[name] = (ticks[ends], best[ends])
            self._sources[name] = _Source(int(best[-1]), int(ticks[-1]))
        return late, Steps(before, steps)


class Steps:
    """How the skews of sources stepped during one call; asked only when a window may close."""

    def __init__(self, before: dict[str, _Source], steps: dict[str, tuple[Ints, Ints]]) -> None:
        self._before = before
        self._steps = steps

    def horizon(self, begin: int, end: int) -> Horizon:
        """The overall watermark over the seconds `begin` to `end`."""
        names = [name for name in self._before if name in self._steps or self._before[name].last + ACTIVE >= begin]
        names += [name for name in self._steps if name not in self._before]
        parts = [part for part in (self._of(name, begin, end) for name in names) if part[0].size]
        begins = np.unique(np.concatenate([np.array([begin], np.int64), *(times for times, _ in parts)]))
        least = np.full(begins.size, _SILENT, np.int64)
        for times, values in parts:
            held = np.append([_SILENT], values)[np.searchsorted(times, begins, side="right")]
            least = np.minimum(least, held)
        least = np.maximum(np.where(least == _SILENT, 0, least), -FURTHEST_BEHIND)
        kept = np.append([True], np.diff(least) != 0)
        return Horizon(begins[kept], least[kept])

    def _of(self, name: str, begin: int, end: int) -> tuple[Ints, Ints]:
        """When the skew of one source changes, and to what; silent again after a while without posts."""
        ticks, values = self._steps.get(name, (np.zeros(0, np.int64), np.zeros(0, np.int64)))
        known = self._before.get(name)
        if known:
            ticks, values = np.append([known.last], ticks), np.append([known.skew], values)
        idle = np.append(ticks[1:], [end + ACTIVE + 2]) > ticks + ACTIVE + 1
        times = np.append(ticks, ticks[idle] + ACTIVE + 1)
        states = np.append(values, np.full(int(idle.sum()), _SILENT))
        order = np.argsort(times, kind="stable")
        times, states = times[order], states[order]
        past = int(np.searchsorted(times, begin, side="right"))
        if past:
            times = np.append([begin], times[past:])
            states = np.append([states[past - 1]], states[past:])
        kept = (times <= end) & np.append([True], np.diff(states) != 0)
        return times[kept], states[kept]


def closing_ticks(horizon: Horizon, lateness: int, end: int, ends: Ints) -> Ints:
    """The second at which the overall watermark passed each of `ends` (microseconds, ascending), up to second `end`.

    Only those that were passed: a prefix of `ends`.
    """
    last = np.append(horizon.begins[1:] - 1, [end])
    reached = np.maximum.accumulate(last * SECOND + horizon.skew - lateness)
    part = np.searchsorted(reached, ends)
    passed = part < reached.size
    part = part[passed]
    due = -((horizon.skew[part] - lateness - ends[passed]) // SECOND)
    closing: Ints = np.maximum(horizon.begins[part], due)
    return closing
