"""Counts → the steps of alerts, for many points of the grid in one pass.

Points whose findings cannot differ share a judge, and judges that ask the same of measures share those; each point has
an alert policy of its own.
"""

from collections.abc import Callable, Sequence
from functools import partial
from typing import NamedTuple

import msgspec

from monitor.alert.decide import AlertPolicy
from monitor.alert.totals import Totals
from monitor.app.backtest.counts import Counts, CountsReader, Labels
from monitor.app.backtest.grid import judging
from monitor.cluster.narratives import narrative_id
from monitor.judge.judge import Judge, taken_apart
from monitor.judge.measures import Measures, asked_of_measures
from monitor.judge.rates import Rates
from monitor.records import Alert
from monitor.saved import events_text
from monitor.watched import Event

Events = Sequence[Event]


class _Same(NamedTuple):
    """Points that share a judge."""

    judge: Judge
    points: list[int]


class Judging:
    """The judges and policies of some points."""

    def __init__(self, points: Sequence[Events], rates: Rates | None, labels: Labels) -> None:
        """`points`: the watched events, under the rules of each point."""
        self._labels = labels
        self._policies = [
            AlertPolicy({event.name: event for event in events}, partial(narrative_id, specifics=""))
            for events in points
        ]
        self._events = [event.name for event in points[0]] if points else []
        self._measures: dict[tuple[object, ...], Measures] = {}
        groups: dict[str, _Same] = {}
        for number, events in enumerate(points):
            judged = [judging(event) for event in events]
            same = groups.get(key := events_text(judged))
            if same is None:
                judge = Judge({event.name: event for event in judged}, rates, self._measured(judged))
                same = groups[key] = _Same(judge, [])
            same.points.append(number)
        self._groups = list(groups.values())
        self.steps: list[list[Alert]] = [[] for _ in points]
        """Of each point, in order of time."""

    def _measured(self, events: Events) -> Measures:
        """The events' measures, shared by all points that ask the same of them."""
        key = tuple((event.name, *asked_of_measures(event.rules)) for event in events)
        if key not in self._measures:
            self._measures[key] = Measures({event.name: event.rules for event in events})
        return self._measures[key]

    def __call__(self, counts: Counts) -> None:
        """Judges what comes next in the stream."""
        totals, given = Totals(counts.counted.ticks), taken_apart(counts.counted, self._events)
        for same in self._groups:
            judged = same.judge.decide(counts.counted, counts.upto, counts.told.judged, given)
            for number in same.points:
                self.steps[number] += self._policies[number].decide(
                    judged.findings,
                    counts.counted,
                    counts.upto,
                    self._labels.describe,
                    counts.told.shown,
                    state_of=same.judge.state_of,
                    passed=judged.transitions,
                    totals=totals,
                )


def judged(
    reader: CountsReader,
    points: Sequence[Events],
    rates: Rates | None,
    progress: Callable[[int], None] = lambda _parts: None,
) -> list[list[Alert]]:
    """The steps of every point's alerts; `progress` hears how many parts are done."""
    propositions = {event.name: event.proposition for events in points for event in events}
    judging_ = Judging(points, rates, Labels(reader.frame("labels"), propositions))
    for done, counts in enumerate(reader, 1):
        judging_(counts)
        progress(done)
    return judging_.steps


def order(points: Sequence[Events]) -> list[int]:
    """The points so that those which share most stand together: a worker takes a run of them."""
    return sorted(range(len(points)), key=lambda number: _kinship(points[number]))


def _kinship(events: Events) -> tuple[str, ...]:
    """What the findings of the events depend on, the settings of spikes first: they cost most."""
    written: list[str] = []
    for event in events:
        rules = msgspec.to_builtins(judging(event).rules, enc_hook=str)
        names = sorted(rules, key=lambda name: (not _of_spikes(name), name))
        written += [f"{name}={rules[name]}" for name in names]
    return tuple(written)


def _of_spikes(name: str) -> bool:
    return name.startswith("spike") or name in {"warm_up", "false_alarms_per_day"}
