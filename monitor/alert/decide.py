"""Findings → steps in the life of alerts. Pure: a step happens at its due second, whenever it is asked for.

A finding that begins to hold makes a pending alert; it fires once the finding has held for `rules.for`, and vanishes if
the finding ceases before. A firing alert resolves when its finding was gone for `rules.keep_firing`, or at once when a
status was set or denials overtook. At the same second a finding counts before a timer.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

import msgspec
import numpy as np
import numpy.typing as npt
import polars as pl

from monitor.alert.lifecycle import COUNTS, FINAL, Live, begin, digest, named
from monitor.alert.marks import Marks
from monitor.frames import Counted
from monitor.marks import AckMark, Silence, Status, StatusMark
from monitor.records import Alert, AlertState, Evidence, Finding, NarrativeState
from monitor.watched import Event

Describe = Callable[[str, str, datetime], tuple[str, tuple[Evidence, ...]]]
"""(event, narrative, at) → label and evidence as they stood then."""
StateOf = Callable[[str, str, datetime], NarrativeState | None]
"""(event, narrative, at) → where the narrative stood then; None where there is none, or it is not known."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LIVE = "alert/live/"
_MARKS = "alert/marks"
_Key = tuple[str, str, str, str]
"""Event, narrative, rule, subject."""


class _Leaving(NamedTuple):
    """An alert whose event is not watched any more, with what is shown of it."""

    live: Live
    event: Event
    label: str
    evidence: tuple[Evidence, ...]

    def describe(self, *_: object) -> tuple[str, tuple[Evidence, ...]]:
        """Label and evidence."""
        return self.label, self.evidence


class AlertPolicy:
    """The alerts of all events."""

    def __init__(self, events: Mapping[str, Event]) -> None:
        self._events = events
        self._live: dict[_Key, Live] = {}
        self._marks = Marks()
        self._written = self._marks.save()
        """The row of the marks as it stands."""
        self._changed: set[_Key] = set()
        self._leaving: list[_Leaving] = []
        self._floor: datetime | None = None
        """When the rules last changed: what would have been due before is due now."""

    def watch(self, events: Mapping[str, Event], at: datetime | None, describe: Describe) -> None:
        """Exchanges the events, decided up to `at`: the next call resolves the firing alerts of those that are gone."""
        for key, live in list(self._live.items()):
            if live.event not in events:
                if live.firing:
                    told = describe(live.event, live.narrative, at or live.counted)
                    self._leaving.append(_Leaving(live, self._events[live.event], *told))
                self._drop(key)
        self._events = events
        self._floor = at.replace(microsecond=0) if at is not None else None

    def decide(
        self,
        findings: Sequence[Finding],
        counted: Counted,
        upto: datetime,
        describe: Describe,
        marks: Sequence[StatusMark | Silence | AckMark] = (),
        *,
        state_of: StateOf = lambda *_: None,
        totals: "Totals | None" = None,
    ) -> list[Alert]:
        """Steps up to `upto`, in order of time; findings in order of time, as complete as `counted`.

        `totals` of `counted.ticks`, where other policies ask for the same ones.
        """
        end = upto.replace(microsecond=0)
        self._marks.take(marks, counted.gaps)
        if any(isinstance(mark, Silence) for mark in marks):
            self._unsilence()
        coming = [f for f in findings if f.event in self._events and f.rule in self._events[f.event].rules.alert_on]
        totals = totals or Totals(counted.ticks)
        steps = _Steps(self._events, self._marks, totals, describe, state_of)
        alerts: list[Alert] = []
        for finding in coming:
            alerts += self._run_timers(steps, finding.at, sooner=True)
            alerts += self._take(steps, finding)
        alerts += self._run_timers(steps, end, sooner=False)
        for live in self._live.values():
            totals.count(live, end)
        alerts += self._leave(end)
        self._marks.settle(end, min((live.since for live in self._live.values()), default=None))
        return alerts

    def _leave(self, end: datetime) -> list[Alert]:
        """Resolves the alerts of events that are not watched any more."""
        leaving, self._leaving = self._leaving, []
        nothing = Totals(pl.DataFrame())
        steps = [
            _Steps({one.event.name: one.event}, self._marks, nothing, one.describe, lambda *_: None).step(
                one.live, AlertState.RESOLVED, end, "event_removed"
            )
            for one in leaving
        ]
        return sorted(steps, key=lambda step: step.id)

    def _unsilence(self) -> None:
        """Silences were made or cut short: an alert is told when they end, not before the last decided second."""
        for live in self._live.values():
            if live.silenced_until is not None:
                live.silenced_until = self._marks.silenced_until(live, live.counted) or live.counted

    def _take(self, steps: "_Steps", finding: Finding) -> list[Alert]:
        """What a finding does."""
        key = _key(finding)
        live = self._live.get(key)
        if finding.holds:
            if live is None:
                live = self._live[key] = begin(finding)
                return [steps.step(live, AlertState.PENDING, finding.at, finding.reason)]
            live.gone, live.reason, live.numbers = None, finding.reason, finding.numbers
        elif live is not None and not live.firing:
            self._drop(key)
        elif live is not None:
            live.reason, live.numbers, live.gone = finding.reason, finding.numbers, finding.at
            if finding.reason in FINAL:
                self._drop(key)
                return [steps.step(live, AlertState.RESOLVED, finding.at, finding.reason)]
        return []

    def _run_timers(self, steps: "_Steps", until: datetime, *, sooner: bool) -> list[Alert]:
        """Steps that are due before `until`, or at it unless `sooner`."""
        alerts: list[Alert] = []
        while True:
            timers = [(self._due(live), key) for key, live in self._live.items()]
            due = sorted(
                (at, key) for at, key in timers if at is not None and (at < until or (at == until and not sooner))
            )
            if not due:
                return alerts
            at, key = due[0]
            alerts += self._ring(steps, key, at)

    def _due(self, live: Live) -> datetime | None:
        due = live.due(self._events[live.event].rules)
        return due if due is None or self._floor is None else max(due, self._floor)

    def _ring(self, steps: "_Steps", key: _Key, at: datetime) -> list[Alert]:
        """A timer is due: fire, resolve, or tell what was silenced."""
        live = self._live[key]
        if live.firing and live.gone is not None and at >= live.gone + self._events[live.event].rules.keep_firing:
            self._drop(key)
            return [steps.step(live, AlertState.RESOLVED, at, live.reason)]
        was_silenced, live.firing = live.silenced_until is not None, True
        live.silenced_until = self._marks.silenced_until(live, at)
        if was_silenced and live.silenced_until is not None:
            return []
        return [steps.step(live, AlertState.FIRING, at, live.reason)]

    def _drop(self, key: _Key) -> None:
        del self._live[key]
        self._changed.add(key)

    def snapshot(self) -> dict[str, bytes]:
        """The state's rows (msgpack) that changed since the last call; an empty row is one to delete."""
        rows = {_LIVE + digest(*named(*key)): b"" for key in sorted(self._changed)}
        rows |= {_LIVE + live.fingerprint: msgspec.msgpack.encode(live) for live in self._live.values()}
        marks = self._marks.save()
        if marks != self._written:
            rows[_MARKS] = self._written = marks
        self._changed.clear()
        return rows

    def restore(self, rows: Mapping[str, bytes]) -> None:
        """Goes on where the policy that gave all these rows left off; rows of others are ignored."""
        if rows.get(_MARKS):
            self._written = rows[_MARKS]
            self._marks = Marks.load(self._written)
        for key, row in sorted(rows.items()):
            if key.startswith(_LIVE) and row:
                live = msgspec.msgpack.decode(row, type=Live)
                if live.event in self._events:
                    self._live[_key(live)] = live


def _key(one: Finding | Live) -> _Key:
    return one.event, one.narrative, one.rule, one.subject


class Totals:
    """Running counts of events and narratives, from the increments at ticks; each is summed up when it is asked for."""

    def __init__(self, ticks: pl.DataFrame) -> None:
        """`ticks`: TICKS in order of time."""
        self._all = ticks
        self._known: dict[tuple[str, str], _Running] = {}

    def count(self, live: Live, at: datetime) -> None:
        """Brings an alert's counts up to a time."""
        if at > live.counted and self._all.height:
            running = self._running(live.event, live.narrative)
            span = [(time - _EPOCH) // timedelta(microseconds=1) for time in (live.counted, at)]
            first, last = np.searchsorted(running.ticks, span, side="right")
            more = (running.totals[last] - running.totals[first]).tolist()
            live.counts = [before + new for before, new in zip(live.counts, more, strict=True)]
        live.counted = max(live.counted, at)

    def _running(self, event: str, narrative: str) -> "_Running":
        known = self._known.get((event, narrative))
        if known is None:
            mine = self._all.filter((pl.col("event") == event) & (pl.col("narrative") == narrative))
            authors = (pl.col("claim_authors") + pl.col("denial_authors")).alias("authors")
            counts = mine.select(*COUNTS[:-1], authors).to_numpy()
            totals = np.concatenate([np.zeros((1, len(COUNTS)), np.int64), np.cumsum(counts, axis=0, dtype=np.int64)])
            known = self._known[event, narrative] = _Running(mine["tick"].to_physical().to_numpy(), totals)
        return known


class _Running(NamedTuple):
    ticks: npt.NDArray[np.int64]
    """Microseconds."""
    totals: npt.NDArray[np.int64]
    """(ticks + 1, COUNTS): before the first tick, and after each."""


class _Steps:
    """Makes the steps of one call."""

    def __init__(
        self,
        events: Mapping[str, Event],
        marks: Marks,
        totals: Totals,
        describe: Describe,
        state_of: StateOf,
    ) -> None:
        self._state_of = state_of
        self._events = events
        self._marks = marks
        self._totals = totals
        self._describe = describe

    def step(self, live: Live, state: AlertState, at: datetime, reason: str) -> Alert:
        """One step, with everything as it stood then."""
        self._totals.count(live, at)
        label, evidence = self._describe(live.event, live.narrative, at)
        claims, denials, celebrations, questions, authors = live.counts
        said = self._marks.status(live, at)
        unheard = live.silenced_until is not None and state == AlertState.RESOLVED
        return Alert(
            id=live.id,
            fingerprint=live.fingerprint,
            event=live.event,
            narrative=live.narrative,
            label=label,
            proposition=self._events[live.event].proposition,
            rule=live.rule,
            state=state,
            at=at.astimezone(UTC),
            since=live.since,
            reason=reason,
            status=said.status if said is not None else Status.UNCONFIRMED,
            said=said,
            claims=claims,
            denials=denials,
            celebrations=celebrations,
            questions=questions,
            authors=authors,
            numbers=live.numbers,
            evidence=evidence,
            blind=self._marks.outages(live.since, at),
            silenced=unheard or self._marks.silenced_until(live, at) is not None,
            subject=live.subject,
            narrative_state=self._state_of(live.event, live.narrative, at) if live.narrative else None,
        )
