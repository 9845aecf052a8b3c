"""What the judge knows of one event: measures, rules, races, narratives and sources, and how a call passes through."""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import polars as pl

from monitor.judge.epoch import Sides
from monitor.judge.measures import Measures
from monitor.judge.quiet import Gap, Sources
from monitor.judge.races import Races, starts_of
from monitor.judge.rules import EventRules
from monitor.judge.states import Courses, Standing
from monitor.judge.status import Statuses
from monitor.judge.tally import Rows
from monitor.marks import StatusMark
from monitor.records import Finding, Transition
from monitor.watched import Event, Measure

Marks = list[tuple[int, StatusMark]]
"""With the second at which each takes effect."""
Heard = list[tuple[str, int]]
"""Source, and the begin of a slot in which it spoke."""

_RACES = "races/"
_STATES = "states/"
_RULES = "rules"
_SOURCES = "sources"


class Counts(NamedTuple):
    """One event's part of what was counted, times in seconds."""

    ticks: pl.DataFrame
    closed: pl.DataFrame
    heard: Heard


class Decided(NamedTuple):
    """What a call decided of one event."""

    findings: list[Finding]
    transitions: list[Transition]


class Watch:
    """One event's part of the judge."""

    def __init__(self, event: Event, statuses: Statuses, confusion: npt.NDArray[np.int64] | None) -> None:
        self.event = event
        self.measures = Measures(event.rules)
        self.rules = EventRules(event)
        self.races = Races(event, statuses, confusion)
        self.courses = Courses(event)
        self.sources = Sources(event)
        self._raced = False

    def decide(
        self,
        span: tuple[int, int],
        counts: Counts,
        gaps: list[Gap],
        marks: Marks,
    ) -> Decided:
        """Findings and transitions of one event in the seconds after `span[0]` up to `span[1]`."""
        ticks, closed, heard = counts
        waits = self.measures.spiking or self.races.open or self.rules.waits or self.courses.waits(span[1])
        self.measures.close(closed)
        findings = self.sources.run(span, heard, gaps)
        if ticks.is_empty() and not marks and not waits:
            self.measures.mask(gaps)
            self.measures.forget(span[1])
            return Decided(findings, [])
        whole = ticks.filter(pl.col("narrative") == "")
        spiking = Measure.POSTS in self.measures.spiking
        turned = self.measures.run(span, whole, gaps)
        turns = [one.turn for one in turned if one.measure is Measure.POSTS]
        findings += self.rules.run(span, turned, whole)
        self.rules.note_warm(self.measures.warm)
        rows = Rows(ticks.filter(pl.col("narrative") != ""))
        races = self.races.run(span, turns, marks, rows, _sides(whole))
        rows.keep_sided()
        standing = Standing(spiking, turns, self.measures.warm)
        volumes, transitions = self.courses.run(span, rows, standing, races, marks)
        self.measures.forget(span[1])
        self._raced = True
        return Decided([*findings, *races, *volumes], transitions)

    def follow(self, event: Event) -> None:
        """The event is described anew: its rules hold from now on."""
        self.event = event
        self.measures.follow(event.rules)
        for part in (self.rules, self.races, self.courses, self.sources):
            part.follow(event)

    def forgotten(self) -> tuple[list[int], dict[str, bytes]]:
        """What remains of an event that is not watched any more: when its races started; and its rows, to write."""
        rows = {_RACES + name: row for name, row in self.races.forgotten().items()}
        rows |= {_STATES + name: row for name, row in self.courses.forgotten().items()}
        return self.races.starts, rows | self.measures.forgotten() | {_RULES: b"", _SOURCES: b""}

    def snapshot(self) -> dict[str, bytes]:
        """Rows that changed."""
        rows = self.measures.snapshot()
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
        self.measures.restore(rows)
        if rows.get(_RULES):
            self.rules.load(rows[_RULES])
        else:
            self.rules.take_up(self.measures.spiking)
        self.measures.warm = self.rules.warm
        self.races.restore(_part(rows, _RACES))
        self.courses.restore(_part(rows, _STATES))
        self.sources.restore(rows, _SOURCES)


def spent(rows: Mapping[str, bytes]) -> list[int]:
    """When an event's races started, from the rows that were left of it."""
    return starts_of(rows[_RACES]) if rows.get(_RACES) else []


def _part(rows: Mapping[str, bytes], prefix: str) -> dict[str, bytes]:
    return {key.removeprefix(prefix): row for key, row in rows.items() if key.startswith(prefix)}


def _sides(whole: pl.DataFrame) -> Sides:
    neither = whole.select(pl.sum_horizontal("celebrations", "questions", "others"))
    sides = whole.select(pl.sum_horizontal("claims", "denials"))
    return Sides(
        whole["tick"].to_numpy(), neither.to_series().to_numpy(), (neither.to_series() + sides.to_series()).to_numpy()
    )
