"""Event-time windows of whole events, handed on once time is complete behind them; nothing said is a row of zeros.

An event's windows begin with the second of its first post. A fresh post whose window has closed already counts in the
oldest open one. An event without a post for eight days rests: it has no windows until its next post.
"""

import itertools
from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

import msgspec
import numpy as np
import numpy.typing as npt
import polars as pl

from monitor.frames import CLOSED
from monitor.marks import GapMark
from monitor.window.watermark import SECOND, Steps, closing_ticks

Ints = npt.NDArray[np.int64]

MEASURES = ("posts", "originals", "authors", "reposts", "celebrations", "questions")
"""What is counted in a window."""
_NONE = [0] * len(MEASURES)
"""A row that an older version left has fewer counts."""
_SHARED = "window/closed"
_EVENT = "window/open/"
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
REST = 8 * 86_400
"""Seconds without a post after which an event rests."""


class Fresh(NamedTuple):
    """The fresh posts of one event: tick (seconds, ascending), event time (microseconds)."""

    event: str
    tick: Ints
    event_time: Ints
    counts: Ints
    """(posts, MEASURES): what each adds."""


class _Closing(NamedTuple):
    """Windows `first`, `first` + 1, … close at `ticks`; nothing closed before is open."""

    length: int
    first: int
    ticks: Ints


class _Shared(msgspec.Struct, array_like=True):
    oldest: dict[int, int]
    gaps: list[GapMark]


class _Own(msgspec.Struct, array_like=True):
    awake: list[tuple[int, int]]
    open: dict[int, dict[int, list[int]]]


class ClosedWindows:
    """Open windows of every length and event; the window stage adds fresh posts and takes what has closed."""

    def __init__(self, lengths: Sequence[timedelta], lateness: int) -> None:
        self._lengths = [round(length.total_seconds()) for length in lengths]
        self._lateness = lateness
        self._oldest: dict[int, int] = {}
        self._open: dict[tuple[int, str], dict[int, list[int]]] = {}
        self._awake: dict[str, list[tuple[int, int]]] = {}
        self._gaps: list[GapMark] = []
        self._changed: set[str] = set()
        """Events whose windows changed."""
        self._gone: set[str] = set()

    def add(self, fresh: Sequence[Fresh], steps: Steps, begin: int, end: int, gaps: Sequence[GapMark]) -> pl.DataFrame:
        """CLOSED: what closes in the seconds `begin` to `end`, the fresh posts of these seconds taken in."""
        self._gaps.extend(gaps)
        for rows in fresh:
            self._wake(rows)
            self._changed.add(rows.event)
        if fresh and not self._oldest:
            first = min(int(rows.tick[0]) for rows in fresh) - 1
            self._oldest = {length: first // length for length in self._lengths}
        closings = [self._closing(length, steps, begin, end) for length in self._oldest]
        frames = []
        for closing in closings:
            for rows in fresh:
                self._take_in(rows, closing)
            if closing.ticks.size:
                frames += [self._closed(event, closing) for event in self._awake]
                self._oldest[closing.length] += closing.ticks.size
        if not frames:
            return pl.DataFrame(schema=CLOSED)
        self._forget()
        return pl.concat(frames).sort("closed_at", "length", "event", "begins")

    def _wake(self, rows: Fresh) -> None:
        """Notes in which stretches of time the event has windows."""
        spans = self._awake.setdefault(rows.event, [])
        cuts = [0, *(np.flatnonzero(np.diff(rows.tick) > REST) + 1).tolist(), rows.tick.size]
        for first, last in itertools.pairwise(cuts):
            begins, ends = int(rows.tick[first]) - 1, int(rows.tick[last - 1]) + REST
            if spans and begins < spans[-1][1]:
                spans[-1] = (spans[-1][0], ends)
            else:
                spans.append((begins, ends))

    def _closing(self, length: int, steps: Steps, begin: int, end: int) -> _Closing:
        oldest = self._oldest[length]
        count = (end * SECOND - self._lateness) // (length * SECOND) - oldest
        if count <= 0:
            return _Closing(length, oldest, np.zeros(0, np.int64))
        ends = np.arange(oldest + 1, oldest + count + 1, dtype=np.int64) * (length * SECOND)
        return _Closing(length, oldest, closing_ticks(steps.horizon(begin, end), self._lateness, end, ends))

    def _take_in(self, rows: Fresh, closing: _Closing) -> None:
        """Counts posts into the window of their event time, or the oldest that was open at their tick."""
        oldest = closing.first + np.searchsorted(closing.ticks, rows.tick)
        window = np.maximum(rows.event_time // (closing.length * SECOND), oldest)
        for begins, _ in self._awake[rows.event]:
            window = np.where(rows.tick > begins, np.maximum(window, begins // closing.length), window)
        order = np.argsort(window, kind="stable")
        window = window[order]
        starts = np.flatnonzero(np.append([True], np.diff(window) > 0))
        counts = np.add.reduceat(rows.counts[order], starts, axis=0)
        held = self._open.setdefault((closing.length, rows.event), {})
        for index, more in zip(window[starts].tolist(), counts.tolist(), strict=True):
            before = held.get(index)
            held[index] = more if before is None else [old + new for old, new in zip(before, more, strict=True)]

    def _closed(self, event: str, closing: _Closing) -> pl.DataFrame:
        """CLOSED of one event and length; stretches in which it rests are left out."""
        length, first, count = closing.length, closing.first, closing.ticks.size
        awake = np.zeros(count, np.bool_)
        for begins, ends in self._awake[event]:
            awake[max(begins // length - first, 0) : max(ends // length - first + 1, 0)] = True
        counts = np.zeros((count, len(MEASURES)), np.int64)
        held = self._open.get((length, event), {})
        for index in [index for index in held if index < first + count]:
            counts[index - first] = held.pop(index)
            self._changed.add(event)
        at = np.flatnonzero(awake)
        begins_at = (at + first) * (length * SECOND)
        return pl.DataFrame(
            {
                "event": pl.repeat(event, at.size, dtype=pl.String, eager=True),
                "begins": begins_at,
                "length": pl.repeat(length * SECOND, at.size, dtype=pl.Int64, eager=True),
                **{name: counts[at, column] for column, name in enumerate(MEASURES)},
                "masked": self._masked(begins_at, length, closing.ticks[at]),
                "closed_at": closing.ticks[at] * SECOND,
            }
        ).cast(CLOSED)  # type: ignore[arg-type]

    def _masked(self, begins: Ints, length: int, closed_at: Ints) -> npt.NDArray[np.bool_]:
        """Where a gap that was over by then touches the window."""
        masked = np.zeros(begins.size, np.bool_)
        for gap in self._gaps:
            since, until = microseconds(gap.begins), microseconds(gap.ends)
            masked |= (begins < until) & (begins + length * SECOND > since) & (closed_at * SECOND >= until)
        return masked

    def _forget(self) -> None:
        """Drops gaps and stretches that no open window can touch."""
        complete = min(oldest * length for length, oldest in self._oldest.items())
        self._gaps = [gap for gap in self._gaps if microseconds(gap.ends) > complete * SECOND]
        for event, spans in self._awake.items():
            if len(spans) > 1:
                self._awake[event] = [span for span in spans[:-1] if span[1] >= complete] + spans[-1:]
                self._changed.add(event)

    def forget(self, events: Collection[str]) -> None:
        """Drops what is known of these events."""
        for event in events:
            if self._awake.pop(event, None):
                self._gone.add(event)
        self._changed -= set(events)
        self._open = {key: held for key, held in self._open.items() if key[1] not in events}

    def snapshot(self) -> dict[str, bytes]:
        """The state's rows that changed since the last call; an empty row is one to delete."""
        rows = {_EVENT + event: b"" for event in self._gone}
        rows[_SHARED] = msgspec.msgpack.encode(_Shared(self._oldest, self._gaps))
        for event in self._changed:
            held = {length: self._open.get((length, event), {}) for length in self._lengths}
            rows[_EVENT + event] = msgspec.msgpack.encode(_Own(self._awake[event], held))
        self._changed, self._gone = set(), set()
        return rows

    def restore(self, rows: Mapping[str, bytes]) -> None:
        """Takes up all rows of `snapshot`; rows of others are ignored."""
        if _SHARED in rows:
            shared = msgspec.msgpack.decode(rows[_SHARED], type=_Shared)
            self._oldest, self._gaps = shared.oldest, shared.gaps
        for key in sorted(key for key in rows if key.startswith(_EVENT) and rows[key]):
            event, own = key.removeprefix(_EVENT), msgspec.msgpack.decode(rows[key], type=_Own)
            self._awake[event] = own.awake
            self._open |= {
                (length, event): {index: counts + _NONE[len(counts) :] for index, counts in held.items()}
                for length, held in own.open.items()
                if held
            }


def by_event(fresh: pl.DataFrame, added: Ints) -> list[Fresh]:
    """Rows in order of tick → those of each event; `added`: (MEASURES, rows)."""
    tick, event_time, events = fresh["tick"].to_numpy(), fresh["event_time"].to_numpy(), fresh["event"]
    parts = []
    for event in events.unique(maintain_order=True):
        rows = np.flatnonzero((events == event).to_numpy())
        parts.append(Fresh(event, tick[rows], event_time[rows], added[:, rows].T))
    return parts


def microseconds(at: datetime) -> int:
    """Microseconds since 1970, exactly."""
    return (at - EPOCH) // timedelta(microseconds=1)
