"""The states of an event's narratives, and the finding `volume`: many claims of one narrative in a short time.

too-small → watch → rising → viral-unconfirmed → contested → settled or faded; docs/rules.md has the picture. A state
changes at a tick, at the second at which a minute leaves the span, or with a spike's end, a finding of the race or a
status: it does not depend on how the stream was cut.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import NamedTuple

import msgspec
import numpy as np
import numpy.typing as npt

from monitor.judge.course import (
    CALM,
    FADING,
    HIGH,
    MERGES,
    NORMAL,
    RACED,
    RACES,
    SETTLES,
    UNKNOWN,
    UNSETTLES,
    Course,
    Limits,
    Moment,
    Step,
    Trail,
)
from monitor.judge.recent import MINUTE
from monitor.judge.spike import Turn
from monitor.judge.status import SETTLED
from monitor.judge.tally import CLAIM_AUTHORS, CLAIMS, DENIAL_AUTHORS, DENIALS, HORIZON, Rows, Told
from monitor.marks import MergeMark, StatusMark
from monitor.records import Finding, NarrativeState, Transition
from monitor.watched import Event

Ints = npt.NDArray[np.int64]


class Standing(NamedTuple):
    """Whether the event stands above its normal level during a call."""

    spiking: bool
    """At its begin."""
    turns: Sequence[Turn]
    warm: int | None
    """The second from which a normal level is known; None: none is yet."""

    def at(self, ticks: Ints) -> Ints:
        """NORMAL, HIGH or UNKNOWN at each tick."""
        turned = np.searchsorted(np.array([turn.at for turn in self.turns], np.int64), ticks, side="right")
        high = np.where((turned % 2 == 1) != self.spiking, HIGH, NORMAL)
        if self.warm is None:
            return np.full(ticks.size, UNKNOWN)
        return np.where(ticks < self.warm, UNKNOWN, high)


class Courses:
    """The narratives of one event."""

    def __init__(self, event: Event, standing: Iterable[StatusMark] = ()) -> None:
        """`standing`: what was established before, when the event had been watched and removed."""
        self.follow(event)
        self._courses = {mark.narrative: _marked(mark) for mark in standing}
        self._active: set[str] = set()
        """Those with which time alone can do something."""
        self._changed = set(self._courses)
        self._swept = 0

    def follow(self, event: Event) -> None:
        """The event is described anew: its rules hold from now on."""
        self._event = event.name
        self._limits = Limits.of(event.rules)

    def run(
        self,
        span: tuple[int, int],
        rows: Rows,
        standing: Standing,
        races: Sequence[Finding],
        marks: Sequence[tuple[int, StatusMark | MergeMark]],
    ) -> tuple[list[Finding], list[Transition]]:
        """Findings `volume` and transitions in the seconds after `span[0]` up to `span[1]`.

        `rows` hold the ticks at which a narrative was claimed or denied; `races` are the findings of the same call.
        """
        begin, end = span
        moments = self._moments(standing.turns, races, marks)
        told: dict[str, list[Told]] = {}
        for one in rows.between(begin, end, sided=True):
            if one.narrative in moments or not self._small(one):
                told.setdefault(one.narrative, []).append(one)
        due = [name for name in self._active if name not in told and self._due(self._courses[name], end)]
        findings: list[Finding] = []
        transitions: list[Transition] = []
        for name in sorted({*told, *moments, *due}):
            for step in self._walk(name, told.get(name, []), moments.get(name, []), standing, span):
                if step.volume is None:
                    transitions.append(self._transition(name, step))
                else:
                    findings.append(self._finding(name, step))
        self._sweep(end)
        return findings, transitions

    def waits(self, end: int) -> bool:
        """Whether time alone may do something up to a second."""
        return any(self._due(self._courses[name], end) for name in self._active)

    def states(self) -> dict[str, NarrativeState]:
        """The state of every narrative that was claimed or denied within a week, or is settled."""
        return {name: course.state for name, course in self._courses.items()}

    def state(self, narrative: str) -> NarrativeState | None:
        """The state of one narrative; None of one that nobody claimed or denied."""
        course = self._courses.get(narrative)
        return None if course is None else course.state

    def _moments(
        self, turns: Sequence[Turn], races: Sequence[Finding], marks: Sequence[tuple[int, StatusMark | MergeMark]]
    ) -> dict[str, list[Moment]]:
        """What comes from elsewhere, by narrative and in order."""
        found: dict[str, list[Moment]] = {}
        calms = [Moment(turn.at, CALM, "calmed") for turn in turns if not turn.begins]
        if calms:
            found = {name: list(calms) for name in self._active}
        for race in races:
            what = RACES if race.holds else RACED
            found.setdefault(race.narrative, []).append(Moment(int(race.at.timestamp()), what, race.reason))
        for at, mark in marks:
            if isinstance(mark, MergeMark):
                found.setdefault(mark.narrative, []).append(Moment(at, MERGES, "merged"))
                continue
            course = self._courses.setdefault(mark.narrative, Course(at))
            if not mark.overturns(course.mark):
                continue
            course.mark = mark
            what = SETTLES if mark.status in SETTLED else UNSETTLES
            found.setdefault(mark.narrative, []).append(Moment(at, what, f"status_{mark.status.value}"))
        return {name: sorted(own, key=lambda moment: moment.at) for name, own in found.items()}

    def _small(self, told: Told) -> bool:
        """Whether a narrative is too small and stays so; takes the ticks in then."""
        course = self._courses.get(told.narrative)
        first = int(told.ticks[0])
        if course is None or _over(course, first):
            course = self._courses[told.narrative] = Course(first, mark=course.mark if course else None)
        self._changed.add(told.narrative)
        more = told.total[CLAIMS] + told.total[DENIALS]
        least = min(self._limits.originals, self._limits.volume)
        if course.state is not NarrativeState.TOO_SMALL or course.originals + more >= least:
            return False
        course.seen, course.originals = int(told.ticks[-1]), course.originals + more
        course.authors += told.total[CLAIM_AUTHORS] + told.total[DENIAL_AUTHORS]
        counts = told.counts[:, [CLAIMS, DENIALS]].tolist()
        for tick, (claims, denials) in zip(told.ticks.tolist(), counts, strict=True):
            course.minutes.append(((tick - 1) // MINUTE, claims, denials))
        return True

    def _due(self, course: Course, end: int) -> bool:
        """Whether time alone may do something to a course up to a second."""
        first = course.minutes[0][0] if course.minutes else 0
        fading = course.seen + self._limits.quiet
        return min(fading, (first + self._limits.span) * MINUTE + 1 if course.volume is not None else fading) <= end

    def _walk(
        self, name: str, told: list[Told], moments: list[Moment], standing: Standing, span: tuple[int, int]
    ) -> Iterable[Step]:
        """One narrative's steps in order of time; a week in which nobody spoke of it parts its courses."""
        begin, end = span
        course = self._courses.get(name) or Course(begin)
        for number, part in enumerate(told or [None]):
            upto = end if number + 1 >= len(told) else int(told[number + 1].ticks[0]) - 1
            own = [moment for moment in moments if begin < moment.at <= upto]
            first = begin if part is None else int(part.ticks[0])
            if part is not None and _over(course, first):
                course = Course(first, mark=course.mark)
            self._courses[name] = course
            high = standing.at(part.ticks) if part is not None else np.zeros(0, np.int64)
            trail = Trail(course, part, high, begin, self._limits)
            for before, moment in zip([None, *own], own, strict=False):
                if before is None or before.at < moment.at:
                    yield from trail.until(moment.at)
                yield from trail.meets(moment)
            yield from trail.until(upto)
            trail.ends(upto)
            begin = upto
        self._changed.add(name)
        active = course.volume is not None or course.state in FADING
        (self._active.add if active else self._active.discard)(name)

    def _transition(self, name: str, step: Step) -> Transition:
        return Transition(
            at=datetime.fromtimestamp(step.at, UTC),
            event=self._event,
            narrative=name,
            before=step.before,
            state=step.state,
            reason=step.reason,
            numbers=_numbers(step),
        )

    def _finding(self, name: str, step: Step) -> Finding:
        numbers = _numbers(step) | {"threshold": float(self._limits.volume), "minutes": float(self._limits.span)}
        return Finding(
            at=datetime.fromtimestamp(step.at, UTC),
            event=self._event,
            narrative=name,
            rule="volume",
            holds=bool(step.volume),
            reason=step.reason,
            numbers=numbers,
        )

    def _sweep(self, now: int) -> None:
        """Once a day, drops what nobody speaks of; it would begin anew."""
        if now // 86_400 == self._swept:
            return
        self._swept = now // 86_400
        self.forget([name for name, course in self._courses.items() if course.mark is None and _over(course, now)])

    @property
    def narratives(self) -> int:
        """How many are known."""
        return len(self._courses)

    def idle(self) -> dict[str, int]:
        """Narratives of which nothing holds and nothing is established, and when each was spoken of last."""
        return {
            name: course.seen
            for name, course in self._courses.items()
            if course.mark is None and course.volume is None and not course.racing
        }

    def forget(self, names: Iterable[str]) -> None:
        """Knows nothing more of these; they begin anew when they are spoken of again."""
        for name in names:
            if self._courses.pop(name, None) is not None:
                self._active.discard(name)
                self._changed.add(name)

    def snapshot(self) -> dict[str, bytes]:
        """The rows of the narratives that changed since the last call; b"" is gone."""
        rows = {}
        for name in sorted(self._changed):
            course = self._courses.get(name)
            rows[name] = b"" if course is None else msgspec.msgpack.encode(course)
        self._changed.clear()
        return rows

    def forgotten(self) -> dict[str, bytes]:
        """The rows of an event that is not watched any more: all of them go."""
        return dict.fromkeys((*self._courses, *self._changed), b"")

    def restore(self, rows: Mapping[str, bytes]) -> None:
        """Takes up the rows of `snapshot`."""
        for name, row in rows.items():
            if row:
                course = self._courses[name] = msgspec.msgpack.decode(row, type=Course)
                if course.volume is not None or course.state in FADING:
                    self._active.add(name)


def _marked(mark: StatusMark) -> Course:
    """The course of a narrative of which no more than its status is known."""
    state = NarrativeState.SETTLED if mark.status in SETTLED else NarrativeState.TOO_SMALL
    return Course(int(mark.at.timestamp()), state=state, mark=mark)


def _over(course: Course, now: int) -> bool:
    """Whether a narrative that is spoken of now begins anew."""
    lasting = course.racing or course.volume is not None or course.state is NarrativeState.SETTLED
    return not lasting and now - course.seen > HORIZON


def _numbers(step: Step) -> dict[str, float]:
    counts = {"claims": step.claims, "denials": step.denials, "authors": step.claims + step.denials}
    return {name: float(count) for name, count in (counts | {"originals": step.originals}).items()}
