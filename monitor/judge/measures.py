"""The spikes of each measure of one event: posts, originals, authors, reposts, reports of celebration and questions."""

from collections.abc import Mapping
from typing import NamedTuple

import polars as pl

from monitor.judge.baseline import Baseline
from monitor.judge.given import Given
from monitor.judge.quiet import Gap
from monitor.judge.spike import FEWEST, Reading, Spikes, Turn
from monitor.watched import Measure, Rules

FEWEST_QUESTIONS = 5
"""Questions in ten minutes without which they are no spike."""


class Turned(NamedTuple):
    """A measure began or ceased to spike."""

    turn: Turn
    measure: Measure


class Measured(NamedTuple):
    """What a call did."""

    spiking: frozenset[Measure]
    """Those that spiked when it began."""
    turned: list[Turned]
    warm: int | None
    """As in `Measures`, after it."""


class Measures:
    """One event's measures, each with a baseline and spikes of its own."""

    def __init__(self, rules: Rules) -> None:
        self._rules = rules
        self._baselines = {measure: Baseline() for measure in Measure}
        self._spikes = {
            measure: Spikes(rules, self._baselines[measure], _fewest(rules, measure)) for measure in Measure
        }
        self._changed: set[str] = set()
        self._taken: tuple[Given, Measured] | None = None
        """The last call."""
        self.warm: int | None = None
        """The second from which posts have a normal level; None: warming up."""

    def follow(self, rules: Rules) -> None:
        """These rules hold from now on."""
        self._rules = rules
        for measure, spikes in self._spikes.items():
            spikes.follow(rules, _fewest(rules, measure))

    @property
    def spiking(self) -> frozenset[Measure]:
        """Those whose spike goes on."""
        return frozenset(measure for measure, spikes in self._spikes.items() if spikes.spiking)

    def take(self, span: tuple[int, int], given: Given, gaps: list[Gap]) -> Measured:
        """What a call does to the measures; watches that share them are all told what the first of them was."""
        if self._taken is None or self._taken[0] is not given:
            spiking = self.spiking
            self.close(given.closed)
            turned = self.run(span, given.whole, gaps)
            self.forget(span[1])
            self._taken = given, Measured(spiking, turned, self.warm)
        return self._taken[1]

    def close(self, closed: pl.DataFrame) -> None:
        """Takes CLOSED of the baselines' length, times in seconds."""
        if closed.is_empty():
            return
        begins, masked, closed_at = (closed[name].to_numpy() for name in ("begins", "masked", "closed_at"))
        for measure, baseline in self._baselines.items():
            baseline.add(begins, closed[measure.value].to_numpy(), masked, closed_at)
            self._changed.add(_row("baseline", measure))

    def mask(self, gaps: list[Gap]) -> None:
        """Masks the windows that gaps touch; for a call in which nothing can turn."""
        for gap in gaps:
            self._mask(gap)

    def run(self, span: tuple[int, int], whole: pl.DataFrame, gaps: list[Gap]) -> list[Turned]:
        """The turns after `span[0]` up to `span[1]`, in order; a gap masks from the second at which it is known.

        `whole`: TICKS of the event as a whole, ticks in seconds.
        """
        turned: list[Turned] = []
        at, end = span
        for gap in [*gaps, None]:
            stop = end if gap is None else gap.known - 1
            if stop > at:
                rows = whole.filter((pl.col("tick") > at) & (pl.col("tick") <= stop)) if gaps else whole
                turned += self._stretch(at, stop, rows)
                at = stop
            if gap is not None:
                self._mask(gap)
        return sorted(turned, key=lambda one: one.turn.at)

    def forget(self, before: int) -> None:
        """Drops windows that no second after `before` asks for."""
        for baseline in self._baselines.values():
            baseline.forget(before)

    def reading(self, measure: Measure, at: int) -> Reading:
        """Where a measure stands at the end of the last call."""
        return self._spikes[measure].reading(at)

    def _stretch(self, begin: int, end: int, rows: pl.DataFrame) -> list[Turned]:
        turned: list[Turned] = []
        ticks = rows["tick"].to_numpy()
        for measure, spikes in self._spikes.items():
            counts = rows[measure.value].to_numpy()
            counted = counts > 0
            if not counted.any() and not spikes.waits(end):
                continue
            turned += [Turned(turn, measure) for turn in spikes.run(begin, end, ticks[counted], counts[counted])]
            self._changed.add(_row("spikes", measure))
        if self.warm is None and rows.height and self.reading(Measure.POSTS, end).warm:
            self.warm = self._warmed(begin, end)
        return turned

    def _warmed(self, begin: int, end: int) -> int:
        """The first second after `begin` at which posts have a normal level; at `end` they have."""
        while end - begin > 1:
            middle = (begin + end) // 2
            begin, end = (begin, middle) if self.reading(Measure.POSTS, middle).warm else (middle, end)
        return end

    def _mask(self, gap: Gap) -> None:
        for measure, baseline in self._baselines.items():
            baseline.mask(gap.since, gap.until)
            self._changed.add(_row("baseline", measure))

    def snapshot(self) -> dict[str, bytes]:
        """Rows that changed."""
        rows = {_row("baseline", measure): baseline for measure, baseline in self._baselines.items()}
        found = {key: baseline.save() for key, baseline in rows.items() if key in self._changed}
        for measure, spikes in self._spikes.items():
            key = _row("spikes", measure)
            if key in self._changed:
                found[key] = spikes.save()
        self._changed.clear()
        return found

    def forgotten(self) -> dict[str, bytes]:
        """The rows of an event that is not watched any more: all of them go."""
        return {_row(kind, measure): b"" for kind in ("baseline", "spikes") for measure in Measure}

    def restore(self, rows: Mapping[str, bytes]) -> None:
        """Takes up rows of `snapshot`."""
        for measure in Measure:
            if row := rows.get(_row("baseline", measure)):
                self._baselines[measure] = self._spikes[measure].baseline = Baseline.load(row)
            if row := rows.get(_row("spikes", measure)):
                fewest = _fewest(self._rules, measure)
                self._spikes[measure] = Spikes.load(row, self._rules, self._baselines[measure], fewest)


def asked_of_measures(rules: Rules) -> tuple[object, ...]:
    """All that measures and their spikes depend on: where it is equal, they are."""
    return rules.spike_ratio, rules.spike_score, rules.warm_up, rules.minimum_celebrations, rules.false_alarms_per_day


def _row(kind: str, measure: Measure) -> str:
    return kind if measure is Measure.POSTS else f"{kind}/{measure.value}"


def _fewest(rules: Rules, measure: Measure) -> int:
    if measure is Measure.CELEBRATIONS:
        return rules.minimum_celebrations
    return FEWEST_QUESTIONS if measure is Measure.QUESTIONS else FEWEST
