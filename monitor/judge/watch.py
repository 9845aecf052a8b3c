"""What the judge knows of one event: measures, rules, races, narratives and sources, and how a call passes through."""

from collections.abc import Mapping
from typing import NamedTuple

from monitor.judge.given import Given
from monitor.judge.measures import Measured
from monitor.judge.quiet import Gap, Sources
from monitor.judge.races import Races, starts_of
from monitor.judge.rates import Rates
from monitor.judge.rules import EventRules
from monitor.judge.states import Courses, Standing
from monitor.judge.status import Statuses
from monitor.marks import StatusMark
from monitor.records import Finding, Transition
from monitor.watched import Event, Measure

Marks = list[tuple[int, StatusMark]]
"""With the second at which each takes effect."""

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
        self._raced = False

    def decide(self, span: tuple[int, int], given: Given, measured: Measured, gaps: list[Gap], marks: Marks) -> Decided:
        """Findings and transitions of one event in the seconds after `span[0]` up to `span[1]`."""
        waits = (
            measured.spiking or measured.turned or self.races.open or self.rules.waits or self.courses.waits(span[1])
        )
        findings = self.sources.run(span, given.heard, gaps)
        if given.ticks.is_empty() and not marks and not waits:
            return Decided(findings, [])
        turns = [one.turn for one in measured.turned if one.measure is Measure.POSTS]
        findings += self.rules.run(span, measured.turned, given.whole)
        rows = given.rows(self.races.names)
        races = self.races.run(span, turns, marks, rows, given.sides)
        standing = Standing(Measure.POSTS in measured.spiking, turns, measured.warm)
        volumes, transitions = self.courses.run(span, rows, standing, races, marks)
        self._raced = True
        return Decided([*findings, *races, *volumes], transitions)

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
