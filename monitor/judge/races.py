"""When the finding `race` begins and ceases to hold for the narratives of one event.

A race starts at the onset of a tag-blind spike of the event and counts originals of later ticks. It is given its share
of the event's α when claims and denials together reach the floor. The finding begins to hold at a tick within a spike
at which the tempered e-value and every floor are passed; it ceases when the mirrored test since the claims led most
says that denials overtook, when a status is set, or when the event showed no spike for `rules.quiet`.
"""

from collections.abc import Iterable, Mapping, Sequence
from copy import deepcopy
from math import log

import msgspec

from monitor.judge.contest import Course, crossing, overtaking
from monitor.judge.crowd import grown
from monitor.judge.dispersion import over_threads
from monitor.judge.epoch import Epoch, Everywhere, Sides, p0_at_ticks, turned
from monitor.judge.race import alpha_of_start
from monitor.judge.rates import Rates
from monitor.judge.readings import Needed, RaceReading, Standing, reading, standing
from monitor.judge.reasons import race_finding, reason_of
from monitor.judge.spike import Turn
from monitor.judge.status import SETTLED, Statuses
from monitor.judge.tally import CLAIM_AUTHORS, CLAIMS, DENIALS, HORIZON, PLATFORMS, Names, Peak, Rows, Tally, Told
from monitor.judge.usual import Usual
from monitor.marks import MergeMark, StatusMark
from monitor.records import Finding
from monitor.watched import Event

ALPHA_SPAN = 30 * 86_400
"""Seconds over which an event's starts share α."""


class _State(msgspec.Struct, array_like=True):
    epoch: Epoch | None
    starts: list[int]
    names: Names = msgspec.field(default_factory=Names)


class Races:
    """The races of one event."""

    def __init__(self, event: Event, statuses: Statuses, rates: Rates | None) -> None:
        self._event = event
        self._rules = event.rules
        self._statuses = statuses
        self._rates = rates
        self.names = Names()
        """The platforms and languages on which the event is told."""
        self._epoch: Epoch | None = None
        self._starts: list[int] = []
        self._tallies: dict[str, Tally] = {}
        self._changed: set[str] = set()
        self._swept = 0

    def follow(self, event: Event) -> None:
        """The event is described anew: its rules hold from now on."""
        self._event, self._rules = event, event.rules

    @property
    def starts(self) -> list[int]:
        """When races started, within 30 days."""
        return self._starts

    def spend(self, starts: list[int]) -> None:
        """The event was watched before, and its races started then."""
        self._starts = starts

    @property
    def open(self) -> bool:
        """Whether time alone can change something."""
        return self._epoch is not None

    def run(
        self,
        span: tuple[int, int],
        turns: Sequence[Turn],
        marks: Sequence[tuple[int, StatusMark | MergeMark]],
        rows: Rows,
        sides: Sides,
    ) -> list[Finding]:
        """Findings in the seconds after `span[0]` up to `span[1]`; marks with the second at which they take effect."""
        at, end = span
        findings: list[Finding] = []
        changes = [*(turn.at for turn in turns), *(second for second, _ in marks), end]
        while at < end:
            quiet = max(self._quiet_at() or end, at + 1)  # in the past only where the rule has just been shortened
            until = min(change for change in [*changes, quiet] if change > at)
            findings += self._stretch(at, until, rows, sides)
            for turn in turns:
                if turn.at == until:
                    self._epoch = turned(self._epoch, turn)
            for second, mark in marks:
                if second == until:
                    findings += self._mark(until, mark)
            if (self._quiet_at() or end + 1) <= until:
                findings += self._fall_quiet(until)
            at = until
        self._sweep(end)
        return findings

    def readings(self) -> list[RaceReading]:
        """Where the running races stand that have reached the floor of originals."""
        found = []
        for name, tally in sorted(self._tallies.items()):
            if self._epoch and tally.k and tally.start is not None and tally.start >= self._epoch.start:
                found.append(reading(name, tally.since is not None, self._now(tally), self.names))
        return found

    def _now(self, tally: Tally) -> Standing:
        """A race as it stands after all that was taken in."""
        epoch = self._epoch or Epoch(0, 0)
        needed = tally.needed or self._threshold(tally)
        return standing(tally, epoch.levels, Needed(needed, self._threshold(tally)), self._rates, epoch.platforms)

    def _quiet_at(self) -> int | None:
        return self._epoch.quiet_at(self._rules.quiet) if self._epoch else None

    def _mark(self, at: int, mark: StatusMark | MergeMark) -> list[Finding]:
        tally, reason = self._tallies.get(mark.narrative), "merged"
        if isinstance(mark, StatusMark):
            reason = "status_set"
            if not self._statuses.set(mark) or mark.status not in SETTLED:
                return []
        if tally is None:
            return []
        findings = [] if tally.since is None else [self._ceases(at, mark.narrative, tally, reason)]
        tally.end(at)
        self._changed.add(mark.narrative)
        return findings

    def _fall_quiet(self, at: int) -> list[Finding]:
        findings = []
        for name, tally in sorted(self._tallies.items()):
            if tally.since is not None:
                findings.append(self._ceases(at, name, tally, "quiet"))
                tally.end(at)
                self._changed.add(name)
        self._epoch = None
        return findings

    def _stretch(self, begin: int, end: int, rows: Rows, sides: Sides) -> list[Finding]:
        """Ticks after `begin` up to `end`, between which neither spike nor status changes."""
        levels = p0_at_ticks(self._epoch, self._rates, sides.between(begin, end))
        racing: list[tuple[Tally, Told]] = []
        reaching: list[tuple[int, str]] = []
        for told in rows.between(begin, end):
            tally = self._tally(told)
            if self._races(told.narrative, tally):
                wanted = self._rules.minimum_originals - tally.counts[CLAIMS] - tally.counts[DENIALS]
                if tally.k == 0 and told.total[CLAIMS] + told.total[DENIALS] >= wanted:
                    reaching.append((told.reaches(wanted), told.narrative))
                racing.append((tally, told))
            else:
                self._take_in(tally, told)
        for tick, name in sorted(reaching):
            self._starts = [start for start in self._starts if start > tick - ALPHA_SPAN] + [tick]
            self._tallies[name].k = len(self._starts)
        findings = []
        spoken = rows.event(begin, end)
        event = Everywhere(self._epoch.platforms if self._epoch else [], *spoken)
        for tally, told in racing:
            threads = over_threads(tally.clumps, told.ticks.size, told.spoken.lines)
            findings += self._contest(tally, told, Course(levels.at(told.ticks), threads, event, self._rules))
            self._take_in(tally, told)
        if self._epoch:
            self._epoch.platforms = grown(self._epoch.platforms, spoken[1])
        return findings

    def _tally(self, told: Told) -> Tally:
        """The narrative's tally, begun anew if nobody spoke of it for long."""
        first = int(told.ticks[0])
        tally = self._tallies.get(told.narrative)
        if tally is None or (tally.since is None and first - tally.seen > HORIZON):
            tally = self._tallies[told.narrative] = Tally(first, usual=Usual(first))
        self._changed.add(told.narrative)
        return tally

    def _races(self, narrative: str, tally: Tally) -> bool:
        """Whether the narrative races now; begins its race where an onset lies behind it."""
        epoch = self._epoch
        if epoch is None or self._statuses.settled(self._event.name, narrative):
            return False
        if tally.start is None or tally.start < epoch.start:
            if tally.ended is not None and tally.ended >= epoch.onset:
                return False
            again = tally.ended is not None and tally.ended >= epoch.start
            tally.begin(epoch.onset if again else epoch.start)
        return True

    def _take_in(self, tally: Tally, told: Told) -> None:
        tally.seen = int(told.ticks[-1])
        tally.authors += told.total[CLAIM_AUTHORS]
        tally.platforms += told.total[PLATFORMS]
        tally.denied |= told.total[DENIALS] > 0
        if self._epoch is None:
            tally.usual.take_in(told.ticks, told.tested)
        if tally.start is not None:
            tally.counts = [before + more for before, more in zip(tally.counts, told.total, strict=True)]
            young = told.spoken.untested(told.ticks.size).sum(axis=0).tolist()
            tally.untested = [before + more for before, more in zip(tally.untested, young, strict=True)]
        tally.crowd.take_in(told.ticks, told.spoken)

    def _as_of(self, tally: Tally, told: Told, index: int) -> Tally:
        """The tally as it stands at a tick of the stretch."""
        then = msgspec.structs.replace(tally, crowd=deepcopy(tally.crowd))
        self._take_in(then, told.upto(index))
        return then

    def _contest(self, tally: Tally, told: Told, course: Course) -> list[Finding]:
        """Where the finding of one narrative begins and ceases to hold within a stretch; one race does each once."""
        findings: list[Finding] = []
        spiking = self._epoch is not None and self._epoch.calm is None
        begin, name, threshold = 0, self._event.name, self._threshold(tally)
        if tally.since is None:
            found = crossing(tally, told, course, threshold)
            if found is None or not tally.k or not spiking:
                return []
            then = self._as_of(tally, told, found.at)
            tally.hold(Peak(*then.tested, at=(since := int(told.ticks[found.at]))), found.needed, threshold)
            race = self._at(then, course, found.at, found.needed)
            reason = reason_of(race, denied=then.denied)
            findings.append(race_finding(name, told.narrative, since, reason, race, holds=True))
            begin = found.at + 1
        over, tally.peak = overtaking(tally, told, course, begin, threshold)
        if over is not None:
            race = self._at(self._as_of(tally, told, over.at), course, over.at, over.needed)
            tally.end(ended := int(told.ticks[over.at]))
            ending = race_finding(name, told.narrative, ended, "denials_overtook", race, holds=False)
            findings.append(msgspec.structs.replace(ending, numbers=ending.numbers | over.numbers))
        return findings

    def _at(self, then: Tally, course: Course, index: int, needed: float) -> Standing:
        """A race as it stands at a tick of the stretch."""
        tick = course.levels.ticks[index : index + 1]
        levels, platforms = course.levels.at(tick), course.event(tick)[0].tolist()
        return standing(then, levels, Needed(needed, self._threshold(then)), self._rates, platforms)

    def _threshold(self, tally: Tally) -> float:
        """The log E that is enough if originals are independent; while it holds, that of its crossing."""
        return tally.threshold or -log(alpha_of_start(self._rules.alpha, max(tally.k, 1)))

    def _ceases(self, at: int, narrative: str, tally: Tally, reason: str) -> Finding:
        return race_finding(self._event.name, narrative, at, reason, self._now(tally), holds=False)

    def _sweep(self, now: int) -> None:
        """Once a day, drops narratives nobody speaks of; `_tally` would begin them anew."""
        if now // 86_400 != self._swept:
            self._swept = now // 86_400
            self.forget([name for name, seen in self.idle().items() if now - seen > HORIZON])

    @property
    def narratives(self) -> int:
        """How many are known."""
        return len(self._tallies)

    def idle(self) -> dict[str, int]:
        """Narratives of which no race holds, and when each was spoken of last."""
        return {name: tally.seen for name, tally in self._tallies.items() if tally.since is None}

    def forget(self, names: Iterable[str]) -> None:
        """Knows nothing more of these; they begin anew when they are spoken of again."""
        for name in names:
            if self._tallies.pop(name, None) is not None:
                self._changed.add(name)

    def snapshot(self) -> dict[str, bytes]:
        """The rows that changed since the last call: the event's under "", narratives' under their ids; b"" is gone."""
        rows = {"": msgspec.msgpack.encode(_State(self._epoch, self._starts, self.names))}
        known = self._tallies
        rows |= {name: msgspec.msgpack.encode(known[name]) if name in known else b"" for name in sorted(self._changed)}
        self._changed.clear()
        return rows

    def forgotten(self) -> dict[str, bytes]:
        """The rows of an event that is not watched any more: when its races started stays, the rest goes."""
        return dict.fromkeys((*self._tallies, *self._changed), b"") | {
            "": msgspec.msgpack.encode(_State(None, self._starts))
        }

    def restore(self, rows: Mapping[str, bytes]) -> None:
        """Takes up the rows of `snapshot`."""
        for name, row in rows.items():
            if name and row:
                self._tallies[name] = msgspec.msgpack.decode(row, type=Tally)
            elif row:
                state = msgspec.msgpack.decode(row, type=_State)
                self._epoch, self._starts, self.names = state.epoch, state.starts, state.names


def starts_of(row: bytes) -> list[int]:
    """When races started, from an event's own row."""
    return msgspec.msgpack.decode(row, type=_State).starts
