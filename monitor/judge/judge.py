"""Counts → findings: the judge of all events. Decides at every tick up to a time, in one call, transitions one by one.

What it knows of an event is small rows (measures, races, one per narrative), so that a restart goes on exactly.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from math import ceil
from typing import NamedTuple

import msgspec
import polars as pl

from monitor.frames import TICKS, Counted
from monitor.judge.given import Given, Heard
from monitor.judge.measures import Measures
from monitor.judge.quiet import Gap
from monitor.judge.rates import Rates
from monitor.judge.readings import RaceReading
from monitor.judge.spike import Reading
from monitor.judge.status import Statuses
from monitor.judge.watch import Marks, Watch, spent
from monitor.marks import GapMark, Mark, MergeMark, Status, StatusMark
from monitor.records import VOICE, Finding, NarrativeState, Transition
from monitor.watched import Event, Measure

_SECOND = 1_000_000


class EventReading(NamedTuple):
    """Where an event stood at the end of a call's last whole minute; not `reading.warm`: no normal level is known."""

    event: str
    at: datetime
    reading: Reading


class Judged(NamedTuple):
    """What one call decided."""

    findings: list[Finding]
    """What began or ceased to hold, in order of time."""
    readings: tuple[EventReading, ...]
    """Of the events that had posts, and of all where a minute ended."""
    transitions: tuple[Transition, ...] = ()
    """Narratives that passed from one state to another, in order of time."""
    dropped: int = 0
    """Narratives that made room for others."""


class _Pending(msgspec.Struct, array_like=True):
    """How far it was decided, and the marks that take effect later."""

    decided: int
    gaps: list[Gap]
    marks: list[tuple[int, StatusMark]]
    merges: list[tuple[int, MergeMark]]


class Judge:
    """The judge and its state.

    `rates`: how often the tagger gives each tag, with intervals; None if it never errs. `measures`: those of a judge of
    the same counts whose rules ask the same of them (`asked_of_measures`).
    """

    def __init__(
        self, events: Mapping[str, Event], rates: Rates | None = None, measures: Measures | None = None
    ) -> None:
        self._statuses = Statuses()
        self._rates = rates
        self._measures = measures or Measures({name: event.rules for name, event in events.items()})
        self._watches = {name: Watch(event, self._statuses, rates) for name, event in sorted(events.items())}
        self._spent: dict[str, list[int]] = {}
        """Events that are not watched any more → when their races started: α is spent once."""
        self._gone: dict[str, bytes] = {}
        self._decided: int | None = None
        self._gaps: list[Gap] = []
        self._marks: Marks = []
        self._passed: dict[tuple[str, str], list[Transition]] = {}
        """Of the last call."""

    def decide(
        self,
        counted: Counted,
        upto: datetime,
        marks: Sequence[Mark] = (),
        given: Mapping[str, Given] | None = None,
    ) -> Judged:
        """What begins and ceases to hold at the ticks up to `upto`, in order of time.

        Of `marks`, statuses and merges count. `given`: `taken_apart(counted, …)` with all events, where other judges go
        by the same counts.
        """
        given = taken_apart(counted, self._watches) if given is None else given
        dropped = self.dropped
        end = max(int(upto.timestamp()), self._decided or 0)
        begin = end if self._decided is None else self._decided
        if self._decided is None and counted.ticks.height:
            begin = min(end, int(counted.ticks["tick"][0].timestamp())) - 1
        gaps, marks_due = self._due(counted.gaps, marks, begin, end)
        findings: list[Finding] = []
        transitions: list[Transition] = []
        readings: list[EventReading] = []
        measured = self._measures.take((begin, end), given, gaps)
        for name, watch in self._watches.items():
            mine = given[name]
            named = [(at, mark) for at, mark in marks_due if mark.event == name]
            decided = watch.decide((begin, end), mine, measured[name], gaps, named)
            findings += decided.findings
            transitions += decided.transitions
            if mine.ticks.height or begin // 60 < end // 60:
                reading = self._measures.reading(name, Measure.POSTS)
                readings.append(EventReading(name, datetime.fromtimestamp(end, UTC), reading))
        self._decided = end
        findings.sort(key=lambda one: (one.at, one.event, one.narrative, one.rule, one.subject))
        transitions.sort(key=lambda one: (one.at, one.event, one.narrative))
        self._passed = {}
        for one in transitions:
            self._passed.setdefault((one.event, one.narrative), []).append(one)
        return Judged(findings, tuple(readings), tuple(transitions), self.dropped - dropped)

    def _due(self, gaps: Sequence[GapMark], marks: Sequence[Mark], begin: int, end: int) -> tuple[list[Gap], Marks]:
        """The marks that take effect after `begin` up to `end`; a late one does at once, an early one waits."""
        for gap in gaps:
            since, until = gap.begins.timestamp(), gap.ends.timestamp()
            self._gaps.append(Gap(max(ceil(until), begin + 1), since, until, gap.whole, gap.partial))
        for mark in marks:
            if isinstance(mark, StatusMark | MergeMark):
                self._marks.append((max(ceil(mark.at.timestamp()), begin + 1), mark))
        gaps_due = sorted(gap for gap in self._gaps if gap[0] <= end)
        marks_due = sorted((pair for pair in self._marks if pair[0] <= end), key=_order)
        self._gaps = [gap for gap in self._gaps if gap[0] > end]
        self._marks = [pair for pair in self._marks if pair[0] > end]
        return gaps_due, self._statuses.followed(marks_due)

    def watch(self, events: Mapping[str, Event]) -> None:
        """Exchanges the events: one that stays goes on by its new rules, one that is gone leaves only its α."""
        for name, watch in self._watches.items():
            prefix = f"{_EVENT}{name}/"
            if name not in events:
                starts, rows = watch.forgotten()
                self._spent[name] = starts
                self._gone |= {prefix + key: row for key, row in rows.items()} | {_MEASURES + name: b""}
        self._measures.follow({name: event.rules for name, event in events.items()})
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

    @property
    def dropped(self) -> int:
        """Narratives of watched events that made room for others, since the start."""
        return sum(watch.dropped for watch in self._watches.values())

    def races(self, event: str) -> list[RaceReading]:
        """Where the event's races stand now."""
        watch = self._watches.get(event)
        return watch.races.readings() if watch is not None else []

    def states(self, event: str) -> dict[str, NarrativeState]:
        """The state of each of the event's narratives that is not too small, or was spoken of within a week."""
        watch = self._watches.get(event)
        return watch.courses.states() if watch is not None else {}

    def state_of(self, event: str, narrative: str, at: datetime) -> NarrativeState | None:
        """Where a narrative stood at a time of the last call; None of one that is not known."""
        later = [one for one in self._passed.get((event, narrative), []) if one.at > at]
        if later:
            return later[0].before
        watch = self._watches.get(event)
        return None if watch is None else watch.courses.state(narrative)

    def measure(self, event: str, measure: Measure) -> Reading | None:
        """Where one of the event's measures stands now: the ask-rate is that of `questions`."""
        return self._measures.reading(event, measure) if event in self._watches else None

    def snapshot(self) -> dict[str, bytes]:
        """The state's rows (msgpack) that changed since the last call; an empty row is one to delete."""
        statuses = [(at, mark) for at, mark in self._marks if isinstance(mark, StatusMark)]
        merges = [(at, mark) for at, mark in self._marks if isinstance(mark, MergeMark)]
        pending = _Pending(self._decided or 0, self._gaps, statuses, merges)
        rows = {"judge/pending": msgspec.msgpack.encode(pending)}
        for (event, narrative), mark in self._statuses.changed().items():
            rows[f"{_STATUS}{event}/{narrative}"] = b"" if mark is None else msgspec.msgpack.encode(mark)
        rows |= {_MEASURES + name: row for name, row in self._measures.snapshot().items()} | self._gone
        self._gone = {}
        for name, watch in self._watches.items():
            rows |= {f"{_EVENT}{name}/{key}": row for key, row in watch.snapshot().items()}
        return rows

    def restore(self, rows: Mapping[str, bytes]) -> None:
        """Goes on where the judge that gave all these rows left off; rows of others are ignored."""
        if "judge/pending" in rows:
            pending = msgspec.msgpack.decode(rows["judge/pending"], type=_Pending)
            self._decided, self._gaps = pending.decided, pending.gaps
            self._marks = [*pending.marks, *pending.merges]
        statuses = [row for key, row in rows.items() if key.startswith(_STATUS) and row]
        self._statuses.restore(msgspec.msgpack.decode(row, type=StatusMark) for row in statuses)
        measures = {key.removeprefix(_MEASURES): row for key, row in rows.items() if key.startswith(_MEASURES)}
        self._measures.restore(measures)
        self._gone |= {_MEASURES + name: b"" for name in measures if name and name not in self._watches}
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


def _order(due: tuple[int, StatusMark | MergeMark]) -> tuple[int, datetime, bool]:
    return due[0], due[1].at, isinstance(due[1], MergeMark)


_STATUS = "judge/status/"
_EVENT = "judge/event/"
_MEASURES = "judge/measures/"
_NO_TICKS = pl.DataFrame(schema=TICKS | {"tick": pl.Int64})


def taken_apart(counted: Counted, events: Iterable[str]) -> dict[str, Given]:
    """Event → its part, for all of `events`."""
    ticks = _by_event(_ticks(counted.ticks))
    spoken = _by_event(_ticks(counted.spoken)) if counted.spoken is not None else {}
    heard = _heard(counted.heard)
    return {name: Given(ticks.get(name, _NO_TICKS), heard.get(name, []), spoken.get(name)) for name in events}


def _ticks(ticks: pl.DataFrame) -> pl.DataFrame:
    return ticks.with_columns(pl.col("tick").to_physical() // _SECOND)


def _heard(heard: pl.DataFrame) -> dict[str, Heard]:
    """Event → its sources and voices and their slots, in seconds."""
    found: dict[str, Heard] = {}
    slots = heard.select("event", "source", "voice", pl.col("slot").to_physical() // _SECOND)
    for event, source, voice, slot in slots.iter_rows():
        found.setdefault(event, []).append((source, slot, source))
        if voice is not None:
            found[event].append((VOICE + voice, slot, source))
    return found


def _by_event(frame: pl.DataFrame) -> dict[str, pl.DataFrame]:
    if frame["event"].n_unique() <= 1:
        return dict.fromkeys(frame["event"][:1], frame)
    return {str(name[0]): part for name, part in frame.partition_by("event", as_dict=True).items()}
