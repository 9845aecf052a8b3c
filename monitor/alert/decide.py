"""Findings → steps in the life of alerts. Pure: a step happens at its due second, whenever it is asked for.

A finding that begins to hold makes a pending alert; it fires once the finding has held for `rules.for`, and vanishes if
the finding ceases before. A firing alert resolves when its finding was gone for `rules.keep_firing`, or at once when a
status was set or denials overtook. In between the desk is told of it again only for a named reason (`groups`). At the
same second a finding counts before a timer, and a timer before what is told again.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from monitor.alert import state_rows
from monitor.alert.groups import CLOSED, Card, Change, Closed, Group, Seen, StateOf, next_change, once, speakers
from monitor.alert.lifecycle import FINAL, Live, begin
from monitor.alert.marks import Marks
from monitor.alert.state_rows import State
from monitor.alert.steps import Describe, Leaving, Steps, left
from monitor.alert.totals import Totals
from monitor.frames import Counted
from monitor.marks import AckMark, Silence, StatusMark
from monitor.records import Alert, AlertState, Finding, Transition
from monitor.watched import Event

_Key = tuple[str, str, str, str]
"""Event, narrative, rule, subject."""


class _Due(NamedTuple):
    """What happens next; of the same moment, timers come first, then acknowledgements, then what is told again."""

    at: datetime
    order: int
    key: tuple[str, ...]
    what: "Live | AckMark | Group | Closed"


class AlertPolicy:
    """The alerts of all events."""

    def __init__(self, events: Mapping[str, Event], main: Callable[[str], str] = lambda _: "") -> None:
        """`main`: event → its main narrative, which inhibits the others once it is settled; "" where it has none."""
        self._events = events
        self._main = main
        self._live: dict[_Key, Live] = {}
        self._groups: dict[Card, Group] = {}
        self._closed: dict[Card, Closed] = {}
        self._next: dict[Card, Change | None] = {}
        """What is to be told again, as far as this call sees; without those of which that is not known."""
        self._marks = Marks()
        self._written: dict[str, bytes] = {}
        """The rows as they stand."""
        self._leaving: list[Leaving] = []
        self._decided: datetime | None = None
        self._floor: datetime | None = None
        """When the rules last changed: what would have been due before is due now."""

    def watch(self, events: Mapping[str, Event], at: datetime | None, describe: Describe) -> None:
        """Exchanges the events, decided up to `at`: the next call resolves the firing alerts of those that are gone."""
        for key, live in list(self._live.items()):
            if live.event not in events:
                if live.firing:
                    told = describe(live.event, live.narrative, at or live.counted)
                    self._leaving.append(Leaving(live, self._group(live), self._events[live.event], told))
                self._drop(key)
        self._forget([about for about in self._closed if about[0] not in events])
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
        passed: Sequence[Transition] = (),
        totals: Totals | None = None,
    ) -> list[Alert]:
        """Steps up to `upto`, in order of time; findings in order of time, as complete as `counted`.

        `passed`: how narratives passed since the last call, in order of time, as `state_of` knows them. `totals` of
        `counted.ticks`, where other policies ask for the same ones.
        """
        end = upto.replace(microsecond=0)
        self._marks.take(marks, counted.gaps)
        seen = Seen(totals or Totals(counted.ticks), self._marks, state_of, passed, self._decided, end)
        steps = Steps(self._events, seen, describe, self._main)
        self._next.clear()
        if any(isinstance(mark, Silence | StatusMark) for mark in marks):
            self._hear(steps)
        coming = [f for f in findings if f.event in self._events and f.rule in self._events[f.event].rules.alert_on]
        alerts: list[Alert] = []
        for finding in coming:
            alerts += self._run_timers(steps, finding.at, sooner=True)
            alerts += self._take(steps, finding)
        alerts += self._run_timers(steps, end, sooner=False)
        for live in (*self._live.values(), *(one.live for one in self._closed.values())):
            seen.totals.count(live, end)
        self._forget([about for about, one in self._closed.items() if one.until <= end])
        alerts += left(self._leaving, seen)
        self._leaving.clear()
        self._marks.settle(end, min((live.since for live in self._live.values()), default=None))
        self._decided = end
        return once(alerts)

    def _hear(self, steps: Steps) -> None:
        """Silences were made or cut short, or a story was settled or is open again: who is told when is another.

        An alert is told when its silence ends, and not before the last decided second.
        """
        for live in self._live.values():
            if live.silenced_until is not None:
                now = self._decided or live.counted
                until = steps.unheard(live, now)
                live.silenced_until = until[0] if until is not None else now
        for group in self._groups.values():
            group.not_before = None

    def _take(self, steps: Steps, finding: Finding) -> list[Alert]:
        """What a finding does."""
        key = _key(finding)
        live = self._live.get(key)
        if finding.holds:
            if live is None:
                live = self._live[key] = begin(finding)
                return [steps.step(live, AlertState.PENDING, finding.at, finding.reason, group=self._group(live))]
            live.gone, live.reason, live.numbers = None, finding.reason, finding.numbers
        elif live is not None and not live.firing:
            self._drop(key)
        elif live is not None:
            live.reason, live.numbers, live.gone = finding.reason, finding.numbers, finding.at
            if finding.reason in FINAL:
                return [self._resolve(steps, key, finding.at)]
        return []

    def _run_timers(self, steps: Steps, until: datetime, *, sooner: bool) -> list[Alert]:
        """Steps that are due before `until`, or at it unless `sooner`."""
        alerts: list[Alert] = []
        while True:
            due = min(self._coming(steps), key=lambda one: one[:3], default=None)
            if due is None or due.at > until or (sooner and due.at == until):
                return alerts
            match due.what:
                case Live():
                    alerts += self._ring(steps, _key(due.what), due.at)
                case AckMark():
                    self._marks.acks.pop(0)
                    alerts += self._acknowledge(steps, due.what, due.at)
                case Group():
                    alerts += self._tell_again(steps, due.what, due.at)
                case Closed():
                    alerts.append(self._close(steps, due.what, due.at))

    def _coming(self, steps: Steps) -> list[_Due]:
        """What is due next of each kind."""
        coming: list[_Due] = []
        for key, live in self._live.items():
            at = live.due(self._events[live.event].rules)
            if at is not None:
                coming.append(_Due(max(at, self._floor or at), 0, key, live))
        coming += [_Due(max(ack.at, self._decided or ack.at), 1, (), ack) for ack in self._marks.acks[:1]]
        for about, group in self._groups.items():
            if about not in self._next:
                members = self._members(group) if group.told_at is not None else []
                self._next[about] = next_change(group, members, self._events[group.event].rules, steps.seen)
            if (change := self._next[about]) is not None:
                coming.append(_Due(change.at, 2, about, group))
        for about, closed in self._closed.items():
            if (at := closed.next_status(steps.seen.marks, self._decided, steps.seen.end)) is not None:
                coming.append(_Due(at, 3, about, closed))
        return coming

    def _ring(self, steps: Steps, key: _Key, at: datetime) -> list[Alert]:
        """A timer is due: fire, resolve, or tell what was silenced."""
        live = self._live[key]
        if live.firing and live.gone is not None and at >= live.gone + self._events[live.event].rules.keep_firing:
            return [self._resolve(steps, key, at)]
        group = self._group(live)
        first, live.firing = not live.firing, True
        was_silenced = live.silenced_until is not None
        unheard = steps.unheard(live, at)
        live.silenced_until = unheard[0] if unheard is not None else None
        if first:
            group.alerts.append(live.id)
            self._forget([group.about])
        if was_silenced and live.silenced_until is not None:
            return []
        joins = [one for one in speakers(self._members(group)) if one is not live]
        why = "rule_joined" if joins and group.told_at is not None else "first_firing"
        state = AlertState.FIRING if first or group.ack is None else AlertState.ACKNOWLEDGED
        return [self._step(steps, live, state, at, why)]

    def _resolve(self, steps: Steps, key: _Key, at: datetime) -> Alert:
        """The end of an alert; the desk is told of it where it means something, or is the end of all on its card."""
        live = self._live[key]
        others = [one for one in speakers(self._members(self._group(live))) if one is not live]
        why = live.reason if live.reason in FINAL else "" if others else "resolved"
        step = self._step(steps, live, AlertState.RESOLVED, at, why)
        self._drop(key, at)
        return step

    def _acknowledge(self, steps: Steps, ack: AckMark, at: datetime) -> list[Alert]:
        """Somebody took on an alert and all that fire with it."""
        group = next((one for one in self._groups.values() if ack.alert in one.alerts), None)
        if group is None:
            return []
        group.ack = ack
        state, why = AlertState.ACKNOWLEDGED, "acknowledged"
        firing = [live for live in self._members(group) if live.firing]
        return [self._step(steps, live, state, at, why) for live in firing]

    def _tell_again(self, steps: Steps, group: Group, at: datetime) -> list[Alert]:
        """Something changed: the desk is told by the first of the group's alerts that is not silenced."""
        change = self._next.pop(group.about)
        state = AlertState.FIRING if group.ack is None else AlertState.ACKNOWLEDGED
        ends = []
        for live in speakers(self._members(group)):
            unheard = steps.unheard(live, at)
            if unheard is None and change is not None:
                return [self._step(steps, live, state, at, change.why)]
            ends += [unheard[0]] if unheard is not None else []
        group.not_before = min(ends)
        return []

    def _close(self, steps: Steps, closed: Closed, at: datetime) -> Alert:
        """A status was set after the end of a card."""
        live, group = closed.live, closed.group
        closed.shown_at = at
        return steps.step(live, AlertState.RESOLVED, at, live.reason, group=group, change="status_set", members=[live])

    def _forget(self, closed: Sequence[Card]) -> None:
        """Closed cards are left as they are."""
        for about in closed:
            self._closed.pop(about, None)

    def _step(self, steps: Steps, live: Live, state: AlertState, at: datetime, why: str) -> Alert:
        group = self._group(live)
        self._next.pop(group.about, None)
        return steps.step(live, state, at, live.reason, group=group, change=why, members=self._members(group))

    def _group(self, live: Live) -> Group:
        """What the alert shares a card with; it begins a card where there is none."""
        about = (live.event, live.narrative, live.subject)
        if about not in self._groups:
            self._groups[about] = Group(*about, begun=live.since)
        return self._groups[about]

    def _members(self, group: Group) -> list[Live]:
        """In the order of their rules."""
        mine = [live for live in self._live.values() if (live.event, live.narrative, live.subject) == group.about]
        return sorted(mine, key=lambda live: live.rule)

    def _drop(self, key: _Key, at: datetime | None = None) -> None:
        """An alert is over; its card too, when nothing fires on it any more: what is pending begins another."""
        live = self._live.pop(key)
        group = self._group(live)
        self._next.pop(group.about, None)
        left = self._members(group)
        if at is not None and group.told_at is not None and not any(one.firing for one in left):
            live.silenced_until = None  # whoever was told of the card hears of its status
            self._closed[group.about] = Closed(group, live, at + CLOSED, at)
        if not left:
            del self._groups[group.about]
        elif at is not None and not any(one.firing for one in left):
            self._groups[group.about] = Group(*group.about, begun=at)

    def snapshot(self) -> dict[str, bytes]:
        """The state's rows (msgpack) that changed since the last call; an empty row is one to delete."""
        now = state_rows.written(self._state())
        changed = {key: row for key, row in now.items() if self._written.get(key) != row}
        gone = dict.fromkeys(sorted(self._written.keys() - now.keys()), b"")
        self._written = now
        return gone | changed

    def _state(self) -> State:
        return State(self._live.values(), self._groups.values(), self._closed.values(), self._marks, self._decided)

    def restore(self, rows: Mapping[str, bytes]) -> None:
        """Goes on where the policy that gave all these rows left off; rows of others are ignored."""
        state = state_rows.read(rows, self._events)
        self._written = state_rows.mine(rows)
        self._marks, self._decided = state.marks, state.decided
        self._live |= {_key(live): live for live in state.lives}
        self._groups |= {group.about: group for group in state.groups}
        self._closed |= {one.group.about: one for one in state.closed}


def _key(one: Finding | Live) -> _Key:
    return one.event, one.narrative, one.rule, one.subject
