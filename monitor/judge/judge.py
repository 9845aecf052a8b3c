"""Counts → findings: the judge of all events. Decides at every tick up to a time, in one call, transitions one by one.

What it knows of an event is small rows (baseline, spikes, races, one per narrative), so that a restart goes on exactly.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from math import ceil
from typing import NamedTuple

import msgspec
import polars as pl

from monitor.frames import CLOSED, TICKS, Counted
from monitor.judge.baseline import LENGTH
from monitor.judge.rates import Rates
from monitor.judge.readings import RaceReading
from monitor.judge.spike import Reading
from monitor.judge.status import Statuses
from monitor.judge.watch import Gap, Marks, Watch, spent
from monitor.marks import GapMark, Status, StatusMark
from monitor.records import Finding
from monitor.watched import Event

_SECOND = 1_000_000


class EventReading(NamedTuple):
    """Where an event stands at the end of a call; `reading.warm` is False while its baseline is warming up."""

    event: str
    at: datetime
    reading: Reading


class Judged(NamedTuple):
    """What one call decided."""

    findings: list[Finding]
    """Transitions, in order of time."""
    readings: tuple[EventReading, ...]
    """Of the events that had posts."""


class _Pending(msgspec.Struct, array_like=True):
    """How far it was decided, and the marks that take effect later."""

    decided: int
    gaps: list[Gap]
    marks: Marks


class Judge:
    """The judge and its state.

    `rates`: how often the tagger gives each tag, with intervals; None if it never errs.
    """

    def __init__(self, events: Mapping[str, Event], rates: Rates | None = None) -> None:
        self._statuses = Statuses()
        self._rates = rates
        self._watches = {name: Watch(event, self._statuses, rates) for name, event in sorted(events.items())}
        self._spent: dict[str, list[int]] = {}
        """Events that are not watched any more → when their races started: α is spent once."""
        self._gone: dict[str, bytes] = {}
        self._decided: int | None = None
        self._gaps: list[Gap] = []
        self._marks: Marks = []

    def decide(self, counted: Counted, upto: datetime, marks: Sequence[StatusMark] = ()) -> Judged:
        """What begins and ceases to hold at the ticks up to `upto`, in order of time."""
        ticks, closed = _by_event(_ticks(counted.ticks)), _by_event(_closed(counted.closed))
        spoken = _by_event(_ticks(counted.spoken)) if counted.spoken is not None else {}
        end = max(int(upto.timestamp()), self._decided or 0)
        begin = end if self._decided is None else self._decided
        if self._decided is None and counted.ticks.height:
            begin = min(end, int(counted.ticks["tick"][0].timestamp())) - 1
        gaps, marks_due = self._due(counted.gaps, marks, begin, end)
        findings: list[Finding] = []
        readings: list[EventReading] = []
        for name, watch in self._watches.items():
            mine = ticks.get(name, _NO_TICKS)
            named = [(at, mark) for at, mark in marks_due if mark.event == name]
            watch.spoken = spoken.get(name)
            findings += watch.decide((begin, end), mine, closed.get(name, _NO_CLOSED), gaps, named)
            if mine.height:
                readings.append(EventReading(name, datetime.fromtimestamp(end, UTC), watch.spikes.reading(end)))
        self._decided = end
        findings.sort(key=lambda finding: (finding.at, finding.event, finding.narrative, finding.rule))
        return Judged(findings, tuple(readings))

    def _due(
        self, gaps: Sequence[GapMark], marks: Sequence[StatusMark], begin: int, end: int
    ) -> tuple[list[Gap], Marks]:
        """The marks that take effect after `begin` up to `end`; a late one does at once, an early one waits."""
        for gap in gaps:
            since, until = gap.begins.timestamp(), gap.ends.timestamp()
            self._gaps.append((max(ceil(until), begin + 1), since, until))
        for mark in marks:
            self._marks.append((max(ceil(mark.at.timestamp()), begin + 1), mark))
        gaps_due = sorted(gap for gap in self._gaps if gap[0] <= end)
        marks_due = sorted((pair for pair in self._marks if pair[0] <= end), key=lambda pair: pair[0])
        self._gaps = [gap for gap in self._gaps if gap[0] > end]
        self._marks = [pair for pair in self._marks if pair[0] > end]
        return gaps_due, marks_due

    def watch(self, events: Mapping[str, Event]) -> None:
        """Exchanges the events: one that stays goes on by its new rules, one that is gone leaves only its α."""
        for name, watch in self._watches.items():
            prefix = f"{_EVENT}{name}/"
            if name not in events:
                starts, rows = watch.forgotten()
                self._spent[name] = starts
                self._gone |= {prefix + key: row for key, row in rows.items()}
        kept, self._watches = self._watches, {}
        for name, event in sorted(events.items()):
            watch = kept[name] if name in kept else Watch(event, self._statuses, self._rates)
            watch.follow(event)
            if name not in kept:
                watch.races.spend(self._spent.pop(name, []))
            self._watches[name] = watch

    def status_of(self, event: str, narrative: str) -> Status:
        """The status of a narrative as it stands now."""
        return self._statuses.of(event, narrative)

    def races(self, event: str) -> list[RaceReading]:
        """Where the event's races stand now."""
        watch = self._watches.get(event)
        return watch.races.readings() if watch is not None else []

    def snapshot(self) -> dict[str, bytes]:
        """The state's rows (msgpack) that changed since the last call; an empty row is one to delete."""
        rows = {"judge/pending": msgspec.msgpack.encode(_Pending(self._decided or 0, self._gaps, self._marks))}
        for mark in self._statuses.changed():
            rows[f"{_STATUS}{mark.event}/{mark.narrative}"] = msgspec.msgpack.encode(mark)
        rows |= self._gone
        self._gone = {}
        for name, watch in self._watches.items():
            rows |= {f"{_EVENT}{name}/{key}": row for key, row in watch.snapshot().items()}
        return rows

    def restore(self, rows: Mapping[str, bytes]) -> None:
        """Goes on where the judge that gave all these rows left off; rows of others are ignored."""
        if "judge/pending" in rows:
            pending = msgspec.msgpack.decode(rows["judge/pending"], type=_Pending)
            self._decided, self._gaps, self._marks = pending.decided, pending.gaps, pending.marks
        for key in sorted(rows):
            if key.startswith(_STATUS):
                self._statuses.set(msgspec.msgpack.decode(rows[key], type=StatusMark))
        self._statuses.changed()
        own: dict[str, dict[str, bytes]] = {}
        for key, row in rows.items():
            if key.startswith(_EVENT):
                name, _, part = key.removeprefix(_EVENT).partition("/")
                own.setdefault(name, {})[part] = row
        for name, parts in own.items():
            if name in self._watches:
                self._watches[name].restore(parts)
            else:
                self._spent[name] = spent(parts)


_STATUS = "judge/status/"
_EVENT = "judge/event/"
_NO_TICKS = pl.DataFrame(schema=TICKS | {"tick": pl.Int64})
_NO_CLOSED = pl.DataFrame(schema=CLOSED | {"begins": pl.Int64, "closed_at": pl.Int64})


def _ticks(ticks: pl.DataFrame) -> pl.DataFrame:
    return ticks.with_columns(pl.col("tick").to_physical() // _SECOND)


def _closed(closed: pl.DataFrame) -> pl.DataFrame:
    """The windows of the baseline's length, times in seconds."""
    ours = closed.filter(pl.col("length") == timedelta(seconds=LENGTH))
    return ours.with_columns(pl.col("begins", "closed_at").to_physical() // _SECOND)


def _by_event(frame: pl.DataFrame) -> dict[str, pl.DataFrame]:
    if frame["event"].n_unique() <= 1:
        return dict.fromkeys(frame["event"][:1], frame)
    return {str(name[0]): part for name, part in frame.partition_by("event", as_dict=True).items()}
