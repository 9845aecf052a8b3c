"""Which of an event's spikes are findings: `spike` and `celebration`; and `volume` of the event as a whole.

`spike` holds while one of the measures in `spike_on` spikes, `celebration` while reports of celebration do. `volume` of
the whole event is a plain number of posts within the span, without a normal level.
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from math import ceil

import msgspec
import numpy as np
import polars as pl

from monitor.judge.measures import Turned
from monitor.judge.recent import MINUTE, Minutes, Recent
from monitor.records import Finding
from monitor.watched import Event, Measure


class _Saved(msgspec.Struct, array_like=True):
    active: list[Measure] = msgspec.field(default_factory=list)
    """Measures that spike."""
    holds: dict[str, bool] = msgspec.field(default_factory=dict)
    """Rule → its finding holds."""
    minutes: Minutes = msgspec.field(default_factory=list)
    """Posts of the last span."""
    volume: int | None = None
    """Since when there are too many."""


class EventRules:
    """The rules of an event as a whole."""

    def __init__(self, event: Event) -> None:
        self._event = event
        self._now = _Saved()
        self.changed = False

    def follow(self, event: Event) -> None:
        """The event is described anew: its rules hold from now on."""
        self._event = event

    @property
    def waits(self) -> bool:
        """Whether time alone can change something."""
        return self._now.volume is not None

    def run(self, span: tuple[int, int], turned: Sequence[Turned], whole: pl.DataFrame) -> list[Finding]:
        """Findings in the seconds after `span[0]` up to `span[1]`; `whole`: TICKS of the event, ticks in seconds."""
        findings = self._agree(span[0] + 1)
        for one in turned:
            if one.turn.begins:
                self._now.active = sorted({*self._now.active, one.measure})
            else:
                self._now.active = [measure for measure in self._now.active if measure is not one.measure]
            self.changed = True
            findings += self._spiked(one)
        return findings + self._crowd(span, whole)

    def _rule_holds(self, rule: str) -> bool:
        asked = self._event.rules.spike_on if rule == "spike" else (Measure.CELEBRATIONS,)
        return not set(asked).isdisjoint(self._now.active)

    def _agree(self, at: int) -> list[Finding]:
        """What a change of `spike_on` ends: a spike of a measure that is not asked for any more."""
        if not self._now.holds.get("spike") or self._rule_holds("spike"):
            return []
        self._now.holds["spike"], self.changed = False, True
        return [self._finding(at, "spike", "calmed", {}, holds=False)]

    def _spiked(self, one: Turned) -> list[Finding]:
        """The findings that a measure's turn begins or ends."""
        findings = []
        for rule in ("spike", "celebration"):
            holds = self._rule_holds(rule)
            if holds != self._now.holds.get(rule, False):
                self._now.holds[rule] = holds
                reason = "calmed" if not holds else _REASONS.get(one.measure, f"{one.measure.value}_above_baseline")
                findings.append(self._finding(one.turn.at, rule, reason, _numbers(one), holds=holds))
        return findings

    def _crowd(self, span: tuple[int, int], whole: pl.DataFrame) -> list[Finding]:
        """Where the event as a whole has too many posts within the span, and where no longer."""
        least, (now, end) = self._event.rules.volume_posts, span
        if not least and self._now.volume is None:
            return []
        length = max(ceil(self._event.rules.volume_span.total_seconds() / MINUTE), 1)
        ticks, posts = whole["tick"].to_numpy(), whole["posts"].to_numpy()
        recent = Recent(self._now.minutes, ticks, posts, np.zeros_like(posts), length)
        findings: list[Finding] = []
        while True:
            began = self._now.volume is None
            if began:
                found = np.flatnonzero((recent.claims >= least) & (ticks > now)) if least else np.zeros(0, np.int64)
                at = int(ticks[found[0]]) if found.size else None
            else:
                at = recent.falls(ceil(least / 2), now) if least else now + 1
            if at is None or at > end:
                break
            now, self._now.volume = at, at if began else None
            numbers = {"posts": float(recent.at(at)[0]), "threshold": float(least), "minutes": float(length)}
            findings.append(self._finding(at, "volume", "many_posts" if began else "fewer_posts", numbers, holds=began))
        self._now.minutes = recent.minutes(end) if least else []
        self.changed = True
        return findings

    def _finding(self, at: int, rule: str, reason: str, numbers: dict[str, float], *, holds: bool) -> Finding:
        return Finding(
            at=datetime.fromtimestamp(at, UTC),
            event=self._event.name,
            narrative="",
            rule=rule,
            holds=holds,
            reason=reason,
            numbers=numbers,
        )

    def save(self) -> bytes:
        """The state as one row."""
        self.changed = False
        return msgspec.msgpack.encode(self._now)

    def load(self, row: bytes) -> None:
        """Takes up the row of `save`."""
        self._now = msgspec.msgpack.decode(row, type=_Saved)


_REASONS = {Measure.POSTS: "above_baseline", Measure.CELEBRATIONS: "celebrations_above_baseline"}


def _numbers(one: Turned) -> dict[str, float]:
    """What was counted in the ten minutes before the turn, and what the measure should have counted."""
    turn = one.turn
    ratio = round(turn.posts / turn.expected, 4)
    return one.counts | {"expected": turn.expected, "ratio": ratio, "score": turn.score}
