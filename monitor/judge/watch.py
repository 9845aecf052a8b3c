"""What the judge knows of one event: baseline, spikes and races, and how a call passes through them."""

from collections.abc import Mapping
from datetime import UTC, datetime

import numpy as np
import polars as pl

from monitor.judge.baseline import Baseline
from monitor.judge.epoch import Sides
from monitor.judge.races import Races, starts_of
from monitor.judge.rates import Rates
from monitor.judge.spike import Spikes, Turn
from monitor.judge.status import Statuses
from monitor.judge.tally import Rows
from monitor.marks import StatusMark
from monitor.records import Finding
from monitor.watched import Event

Gap = tuple[int, float, float]
"""The second at which a gap is known, its begin and end in seconds."""
Marks = list[tuple[int, StatusMark]]
"""With the second at which each takes effect."""

_RACES = "races/"


class Watch:
    """One event's part of the judge."""

    def __init__(self, event: Event, statuses: Statuses, rates: Rates | None) -> None:
        self.event = event
        self.baseline = Baseline()
        self.spikes = Spikes(event.rules, self.baseline)
        self.races = Races(event, statuses, rates)
        self.changed: set[str] = set()
        self.spoken: pl.DataFrame | None = None
        """SPOKEN of the event, for the next call; the tick as an integer of seconds."""

    def decide(
        self, span: tuple[int, int], ticks: pl.DataFrame, closed: pl.DataFrame, gaps: list[Gap], marks: Marks
    ) -> list[Finding]:
        """Findings of one event in the seconds after `span[0]` up to `span[1]`."""
        quiet = ticks.is_empty() and not marks and not (self.spikes.spiking or self.races.open)
        if not closed.is_empty():
            columns = (closed[name].to_numpy() for name in ("begins", "posts", "masked", "closed_at"))
            self.baseline.add(*columns)
        self.changed |= {"baseline"} if gaps or not closed.is_empty() else set()
        if quiet:
            for _, since, until in gaps:
                self.baseline.mask(since, until)
            self.baseline.forget(span[1])
            return []
        whole = ticks.filter(pl.col("narrative") == "")
        turns = self._turns(span, whole, gaps)
        rows = Rows(ticks.filter(pl.col("narrative") != ""), self.spoken, self.races.names)
        findings = [self._spike(turn, whole) for turn in turns]
        findings += self.races.run(span, turns, marks, rows, _sides(whole))
        self.baseline.forget(span[1])
        self.changed |= {"spikes", "races"}
        return findings

    def _turns(self, span: tuple[int, int], whole: pl.DataFrame, gaps: list[Gap]) -> list[Turn]:
        """The turns of the spike; a gap masks its windows from the second at which it is known."""
        ticks, posts = whole["tick"].to_numpy(), whole["posts"].to_numpy()
        turns: list[Turn] = []
        at = span[0]
        for known, since, until in [*gaps, (span[1] + 1, 0.0, 0.0)]:
            stop = known - 1
            if stop > at:
                rows = slice(*np.searchsorted(ticks, [at, stop], side="right").tolist())
                turns += self.spikes.run(at, stop, ticks[rows], posts[rows])
                at = stop
            self.baseline.mask(since, until)
        return turns

    def _spike(self, turn: Turn, whole: pl.DataFrame) -> Finding:
        now = whole.filter(pl.col("tick") == turn.at)
        sides = ("claims", "denials", "celebrations", "questions")
        numbers = {name: float(now[name].sum()) for name in sides}
        numbers["authors"] = float(now["claim_authors"].sum()) + float(now["denial_authors"].sum())
        ratio = round(turn.posts / turn.expected, 4)
        numbers |= {"posts": float(turn.posts), "expected": turn.expected, "ratio": ratio, "score": turn.score}
        return Finding(
            at=datetime.fromtimestamp(turn.at, UTC),
            event=self.event.name,
            narrative="",
            rule="spike",
            holds=turn.begins,
            reason="above_baseline" if turn.begins else "calmed",
            numbers=numbers,
        )

    def follow(self, event: Event) -> None:
        """The event is described anew: its rules hold from now on."""
        self.event = event
        self.spikes.follow(event.rules)
        self.races.follow(event)

    def forgotten(self) -> tuple[list[int], dict[str, bytes]]:
        """What remains of an event that is not watched any more: when its races started; and its rows, to write."""
        rows = {_RACES + name: row for name, row in self.races.forgotten().items()}
        return self.races.starts, rows | {"baseline": b"", "spikes": b""}

    def snapshot(self) -> dict[str, bytes]:
        """Rows that changed."""
        rows: dict[str, bytes] = {}
        if "baseline" in self.changed:
            rows["baseline"] = self.baseline.save()
        if "spikes" in self.changed:
            rows["spikes"] = self.spikes.save()
        if "races" in self.changed:
            rows |= {_RACES + name: row for name, row in self.races.snapshot().items()}
        self.changed.clear()
        return rows

    def restore(self, rows: Mapping[str, bytes]) -> None:
        """Takes up rows of `snapshot`."""
        if "baseline" in rows:
            self.baseline = Baseline.load(rows["baseline"])
            self.spikes.baseline = self.baseline
        if "spikes" in rows:
            self.spikes = Spikes.load(rows["spikes"], self.event.rules, self.baseline)
        self.races.restore({key.removeprefix(_RACES): row for key, row in rows.items() if key.startswith(_RACES)})


def spent(rows: Mapping[str, bytes]) -> list[int]:
    """When an event's races started, from the rows that were left of it."""
    return starts_of(rows[_RACES]) if rows.get(_RACES) else []


def _sides(whole: pl.DataFrame) -> Sides:
    neither = whole.select("celebrations", "questions", "others").to_numpy()
    sides = whole.select(pl.sum_horizontal("claims", "denials")).to_series().to_numpy()
    return Sides(whole["tick"].to_numpy(), neither, neither.sum(axis=1) + sides)
