"""What the judge knows of one event: measures, rules, races, narratives and sources, and how a call passes through."""

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from monitor.judge.given import Given
from monitor.judge.measures import Measured
from monitor.judge.quiet import Gap, Sources
from monitor.judge.races import Races, starts_of
from monitor.judge.rates import Rates
from monitor.judge.rules import EventRules
from monitor.judge.states import Courses, Standing
from monitor.judge.status import Statuses
from monitor.judge.tally import Rows
from monitor.marks import MergeMark, StatusMark
from monitor.records import Finding, Transition
from monitor.watched import Event, Measure

Marks = list[tuple[int, StatusMark | MergeMark]]
"""With the second at which each takes effect."""

MOST = 20_000
"""Narratives of an event of which is kept who claims and denies them;"""
ROOM = 2_000
"""so many give way at once, of which nothing holds and nobody has spoken for longest."""
HOUR = 3_600

_RACES = "races/"
_STATES = "states/"
_RULES = "rules"
_SOURCES = "sources"


class Decided(NamedTuple):
    """What a call decided of one event."""

    findings: list[Finding]
    transitions: list[Transition]


class Watch:
    """One event's part of the judge."""

    def __init__(self, event: Event, statuses: Statuses, rates: Rates | None) -> None:
        self.event = event
        self.rules = EventRules(event)
        self.races = Races(event, statuses, rates)
        self.courses = Courses(event, statuses.standing(event.name))
        self.sources = Sources(event)
        self.dropped = 0
        """Narratives that made room for others."""
        self._raced = False

    def decide(self, span: tuple[int, int], given: Given, measured: Measured, gaps: list[Gap], marks: Marks) -> Decided:
        """Findings and transitions of one event in the seconds after `span[0]` up to `span[1]`."""
        waits = (
            measured.spiking or measured.turned or self.races.open or self.rules.waits or self.courses.waits(span[1])
        )
        findings = self.sources.run(span, given.heard, gaps)
        if given.ticks.is_empty() and not marks and not waits:
            return Decided(findings, [])
        rows = given.rows(self.races.names)
        transitions: list[Transition] = []
        spiking = Measure.POSTS in measured.spiking
        findings += self.rules.run(span, measured.turned, given.whole)
        for part in self._parts(span, rows):
            turns = [
                one.turn for one in measured.turned if one.measure is Measure.POSTS and part[0] < one.turn.at <= part[1]
            ]
            due = [(at, mark) for at, mark in marks if part[0] < at <= part[1]]
            races = self.races.run(part, turns, due, rows, given.sides)
            standing = Standing(spiking, turns, measured.warm)
            volumes, passed = self.courses.run(part, rows, standing, races, due)
            findings += [*races, *volumes]
            transitions += passed
            spiking = spiking != (len(turns) % 2 == 1)
            self._make_room(part[1])
        self._raced = True
        return Decided(findings, transitions)

    def _parts(self, span: tuple[int, int], rows: Rows) -> Iterator[tuple[int, int]]:
        """The span; hour by hour where narratives may become too many, so that room is made at the same seconds."""
        begin, end = span
        if max(self.races.narratives, self.courses.narratives) + rows.narratives > MOST:
            for edge in range((begin // HOUR + 1) * HOUR, end, HOUR):
                yield begin, edge
                begin = edge
        yield begin, end

    def _make_room(self, at: int) -> None:
        """At the end of an hour, forgets the narratives that are too many."""
        if at % HOUR:
            return
        dropped: set[str] = set()
        for part in (self.races, self.courses):
            if part.narratives > MOST:
                idle = sorted(part.idle().items(), key=lambda pair: (pair[1], pair[0]))
                gone = [name for name, _ in idle[: part.narratives - MOST + ROOM]]
                part.forget(gone)
                dropped.update(gone)
        self.dropped += len(dropped)

    def follow(self, event: Event) -> None:
        """The event is described anew: its rules hold from now on."""
        self.event = event
        for part in (self.rules, self.races, self.courses, self.sources):
            part.follow(event)

    def forgotten(self) -> tuple[list[int], dict[str, bytes]]:
        """What remains of an event that is not watched any more: when its races started; and its rows, to write."""
        rows = {_RACES + name: row for name, row in self.races.forgotten().items()}
        rows |= {_STATES + name: row for name, row in self.courses.forgotten().items()}
        return self.races.starts, rows | {_RULES: b"", _SOURCES: b""}

    def snapshot(self) -> dict[str, bytes]:
        """Rows that changed."""
        rows = {}
        if self.rules.changed:
            rows[_RULES] = self.rules.save()
        if self.sources.changed:
            rows[_SOURCES] = self.sources.save()
        if self._raced:
            rows |= {_RACES + name: row for name, row in self.races.snapshot().items()}
        rows |= {_STATES + name: row for name, row in self.courses.snapshot().items()}
        self._raced = False
        return rows

    def restore(self, rows: Mapping[str, bytes]) -> None:
        """Takes up rows of `snapshot`."""
        if rows.get(_RULES):
            self.rules.load(rows[_RULES])
        self.races.restore(_part(rows, _RACES))
        self.courses.restore(_part(rows, _STATES))
        self.sources.restore(rows, _SOURCES)


def spent(rows: Mapping[str, bytes]) -> list[int]:
    """When an event's races started, from the rows that were left of it."""
    return starts_of(rows[_RACES]) if rows.get(_RACES) else []


def _part(rows: Mapping[str, bytes], prefix: str) -> dict[str, bytes]:
    return {key.removeprefix(prefix): row for key, row in rows.items() if key.startswith(prefix)}
