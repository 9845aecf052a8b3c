"""Counts per minute of the last hours: what the chart of an alert shows. Pure.

An alert takes the counts as they stood at its step, so that retries, restarts and replays show the same picture however
the stream was cut. Bounded: a minute holds the narratives that were spoken of in it, and is forgotten after `KEPT`.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

import msgspec
import polars as pl

from monitor.frames import TICKS
from monitor.records import Alert, AlertState, Finding, Series

KEPT = 180
"""Minutes that a chart goes back, at most."""
LEAST = 30
"""Minutes that it shows at least, where there are so many: a lone minute is no curve."""
BEFORE = 5
"""Minutes shown before somebody spoke first."""
MOST_SPIKES = 20
SIDES = ("claims", "denials", "celebrations")

_PREFIX = "alert/minutes/"
_MINUTE = 60_000_000
"""Microseconds."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_Key = tuple[str, str]
"""Event, and narrative or "" for the event as a whole."""
_Counts = tuple[int, int, int]
"""In the order of SIDES."""


class _Saved(msgspec.Struct, array_like=True):
    """One minute, for the next run."""

    counts: list[tuple[str, str, int, int, int]]
    spikes: list[tuple[str, int]]


class _Minute(NamedTuple):
    counts: dict[_Key, _Counts]
    spikes: list[tuple[str, int]]
    """Event, and when a spike of it began (microseconds)."""


class Minutes:
    """Remembers the last `KEPT` minutes of every event and narrative."""

    def __init__(self) -> None:
        self._minutes: dict[int, _Minute] = {}
        """By their number since 1970, as they were before the last batch."""
        self._ticks = _ticks_of(pl.DataFrame())
        """What the last batch adds, in order of time."""
        self._begun: list[tuple[str, int]] = []
        """Spikes that began in it."""
        self._changed: set[int] = set()

    def add(self, ticks: pl.DataFrame, findings: Sequence[Finding]) -> None:
        """Takes a batch's TICKS and findings, in order of time."""
        self._fold()
        self._ticks = _ticks_of(ticks)
        self._begun = [(one.event, _micros(one.at)) for one in findings if one.rule == "spike" and one.holds]

    def shown(self, alert: Alert) -> Alert:
        """The alert with its counts per minute, as they stood at its step."""
        if alert.state is AlertState.PENDING:
            return alert
        series = self.of(alert.event, alert.narrative, alert.at)
        return msgspec.structs.replace(alert, series=series) if series is not None else alert

    def of(self, event: str, narrative: str, at: datetime) -> Series | None:
        """The counts up to a time of the last batch; None where nobody spoke."""
        key, end = (event, narrative), _micros(at)
        last = _minute(end)
        found: dict[int, _Counts] = {}
        for minute in range(last - KEPT + 1, last + 1):
            known = self._minutes.get(minute)
            if known is not None and key in known.counts:
                found[minute] = known.counts[key]
        mine = (pl.col("event") == event) & (pl.col("narrative") == narrative)
        for minute, _, _, counts in _per_minute(self._ticks.filter(mine, pl.col("tick") <= end)):
            if minute > last - KEPT:
                found[minute] = _sum(found.get(minute, (0, 0, 0)), counts)
        if not found:
            return None
        first = min(min(found) - BEFORE, last - LEAST + 1)
        first = max(first, last - KEPT + 1)
        rows = [found.get(minute, (0, 0, 0)) for minute in range(first, last + 1)]
        claims, denials, celebrations = (tuple(side) for side in zip(*rows, strict=True))
        spikes = sorted({begun for begun in self._spikes(event) if first <= _minute(begun) and begun <= end})
        return Series(
            begins=_time(first * _MINUTE),
            claims=claims,
            denials=denials,
            celebrations=celebrations,
            spikes=tuple(_time(begun) for begun in spikes[-MOST_SPIKES:]),
        )

    def _spikes(self, event: str) -> Iterator[int]:
        for minute in self._minutes.values():
            yield from (at for of, at in minute.spikes if of == event)
        yield from (at for of, at in self._begun if of == event)

    def _fold(self) -> None:
        """Between batches only the minutes are kept, and of those the last ones."""
        for minute, event, narrative, more in _per_minute(self._ticks):
            counts = self._minute(minute).counts
            counts[event, narrative] = _sum(counts.get((event, narrative), (0, 0, 0)), more)
        for event, at in self._begun:
            self._minute(_minute(at)).spikes.append((event, at))
        self._ticks, self._begun = self._ticks.clear(), []
        last = max(self._minutes, default=0)
        for old in [minute for minute in self._minutes if minute <= last - KEPT]:
            del self._minutes[old]
            self._changed.add(old)

    def _minute(self, number: int) -> _Minute:
        self._changed.add(number)
        return self._minutes.setdefault(number, _Minute({}, []))

    def forget(self, events: Collection[str]) -> None:
        """Drops what is known of these events."""
        self._fold()
        for number, minute in list(self._minutes.items()):
            counts = {key: counts for key, counts in minute.counts.items() if key[0] not in events}
            spikes = [one for one in minute.spikes if one[0] not in events]
            if len(counts) < len(minute.counts) or len(spikes) < len(minute.spikes):
                self._minutes[number] = _Minute(counts, spikes)
                self._changed.add(number)

    def snapshot(self) -> dict[str, bytes]:
        """The state's rows that changed since the last call; an empty row is one to delete."""
        self._fold()
        rows: dict[str, bytes] = {}
        for number in sorted(self._changed):
            minute = self._minutes.get(number)
            there = minute is not None and (minute.counts or minute.spikes)
            rows[f"{_PREFIX}{number}"] = _saved(minute) if minute is not None and there else b""
        self._changed.clear()
        return rows

    def restore(self, rows: Mapping[str, bytes]) -> None:
        """Goes on where the memory that gave all these rows left off; rows of others are ignored."""
        for name in sorted(name for name in rows if name.startswith(_PREFIX) and rows[name]):
            saved = msgspec.msgpack.decode(rows[name], type=_Saved)
            counts: dict[_Key, _Counts] = {(one[0], one[1]): one[2:] for one in saved.counts}
            self._minutes[int(name.removeprefix(_PREFIX))] = _Minute(counts, saved.spikes)


def _ticks_of(ticks: pl.DataFrame) -> pl.DataFrame:
    """Those of TICKS at which somebody spoke, with the tick in microseconds and the minute it belongs to."""
    if ticks.is_empty():
        ticks = pl.DataFrame(schema=TICKS)
    micros = pl.col("tick").to_physical()
    spoken = ticks.filter(pl.sum_horizontal(SIDES) > 0)
    return spoken.select(micros, ((micros - 1) // _MINUTE).alias("minute"), "event", "narrative", *SIDES)


def _per_minute(ticks: pl.DataFrame) -> Iterator[tuple[int, str, str, _Counts]]:
    summed = ticks.group_by("minute", "event", "narrative", maintain_order=True).agg(pl.col(SIDES).sum())
    for minute, event, narrative, claims, denials, celebrations in summed.iter_rows():
        yield minute, event, narrative, (claims, denials, celebrations)


def _saved(minute: _Minute) -> bytes:
    return msgspec.msgpack.encode(_Saved([(*key, *counts) for key, counts in minute.counts.items()], minute.spikes))


def _sum(one: _Counts, other: _Counts) -> _Counts:
    return one[0] + other[0], one[1] + other[1], one[2] + other[2]


def _minute(at: int) -> int:
    """The minute of a tick, which covers the second before it."""
    return (at - 1) // _MINUTE


def _micros(at: datetime) -> int:
    return (at - _EPOCH) // timedelta(microseconds=1)


def _time(at: int) -> datetime:
    return _EPOCH + timedelta(microseconds=at)
