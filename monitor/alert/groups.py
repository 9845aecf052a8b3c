"""What shares one card, and when the desk is told of it again: only where something changed, and why. Pure.

Alerts about the same event, narrative and subject form a group from the first that is pending to the last that fires.
Once the desk was told of a group it is told again for a named reason, no sooner than after `rules.repeat_least`, and
of what its card has said before no sooner than after AGAIN. Of a crowd that goes on growing, and of a card that nobody
acknowledges, it is told ever more rarely.
"""

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

import msgspec
from msgspec import Struct

from monitor.alert.lifecycle import Live, digest
from monitor.alert.marks import Marks
from monitor.alert.totals import Totals
from monitor.marks import AWAY, AckMark, Status
from monitor.records import Alert, AlertState, NarrativeState, Transition
from monitor.watched import Rules

StateOf = Callable[[str, str, datetime], NarrativeState | None]
"""(event, narrative, at) → where the narrative stood then; None where there is none, or it is not known."""
Card = tuple[str, str, str]
"""Event, narrative, subject: what a group is about."""

CLOSED = timedelta(days=1)
"""A status that is set so long after the end of a card is still shown on it."""
AGAIN = timedelta(hours=4)
"""After so long a card may be told for a state, or a blind source, that it was told for before."""
SOON = 3
"""So often a card is told as soon as the event's rules allow; once more after `AGAIN`, and then once in a while."""
BLIND_LEAST = timedelta(minutes=5)
"""An outage shorter than this shows on the card, and nobody is told because of it."""
MATERIAL = frozenset({NarrativeState.RISING, NarrativeState.VIRAL_UNCONFIRMED, NarrativeState.CONTESTED})
"""States that are told when a narrative enters them; the others come with the end of its alerts."""
_RANK = ("race", "volume", "celebration", "spike", "quiet")
"""Which rule speaks for a group."""
_FIRST = (
    "status_set",
    "denials_overtook",
    "event_removed",
    "first_firing",
    "rule_joined",
    "state_changed",
    "doubled",
    "monitor_away",
    "feed_blind",
    "acknowledged",
    "resolved",
    "reminder",
)
"""Which of several reasons of the same moment is named."""


class Group(Struct, array_like=True):
    """What the desk knows of alerts that share a card."""

    event: str
    narrative: str
    subject: str
    begun: datetime
    """When the first of them began; with what they are about it names the card."""
    told_at: datetime | None = None
    """When the desk was last told; None if it was not."""
    states: list[NarrativeState] = msgspec.field(default_factory=list)
    """States of the narrative that the desk was told of, the last one last."""
    blind: dict[str, datetime] = msgspec.field(default_factory=dict)
    """Source → begin of its last outage that a card showed."""
    reminders: int = 0
    doublings: int = 0
    tellings: int = 0
    ack: AckMark | None = None
    not_before: datetime | None = None
    """All of it is silenced until then, as far as is known."""
    alerts: list[str] = msgspec.field(default_factory=list)
    """Ids of all that fired on this card."""
    status: Status = Status.UNCONFIRMED
    """Of the narrative, as the last step showed it."""

    @property
    def about(self) -> Card:
        """What it is about."""
        return self.event, self.narrative, self.subject

    @property
    def id(self) -> str:
        """Names the card."""
        return digest(self.event, self.narrative, self.subject, self.begun.isoformat())

    def told(self, step: Alert, members: Iterable[Live]) -> None:
        """The desk is told of a step."""
        self.told_at, self.status = step.at, step.status
        self.reminders += step.change == "reminder"
        self.doublings += step.change == "doubled"
        self.tellings += 1
        state = step.narrative_state
        if state is not None:
            self.states = [*(one for one in self.states if one is not state), state]
        self.blind |= {gap.source: gap.begins for gap in step.blind}
        for live in members:
            live.told = live.counts[0]


class Closed(Struct, array_like=True):
    """A card on which nothing fires any more: a status still reaches it for a day."""

    group: Group
    live: Live
    """The last alert on it."""
    until: datetime
    shown_at: datetime
    """When its last step was made."""

    def next_status(self, marks: Marks, after: datetime | None, end: datetime) -> datetime | None:
        """When another status stands than the card shows, not before a time; None if none does up to the end."""
        about = (self.group.event, self.group.narrative)
        times = [mark.at for mark in marks.statuses if (mark.event, mark.narrative) == about]
        for at in sorted(max(time, after or time) for time in times if self.shown_at < time <= end):
            said = marks.status(self.live, at)
            if at < self.until and said is not None and said.status is not self.group.status:
                return at
        return None


class Seen(NamedTuple):
    """What a call of the policy sees."""

    totals: Totals
    marks: Marks
    state_of: StateOf
    passed: Sequence[Transition]
    """Passages of narratives since the last call, in order of time."""
    decided: datetime | None
    """Up to when was decided before."""
    end: datetime


class Change(NamedTuple):
    """Why and when a group is to be told again."""

    at: datetime
    why: str


def speakers(members: Iterable[Live]) -> list[Live]:
    """Alerts that fire and that the desk was told of, the one that speaks for the others first."""
    heard = [live for live in members if live.firing and live.silenced_until is None]
    return sorted(heard, key=lambda live: (rank(live.rule), live.rule))


def rank(rule: str) -> int:
    """The place of a rule among those that may speak for a card, the first first."""
    return _RANK.index(rule) if rule in _RANK else len(_RANK)


def next_change(group: Group, members: Iterable[Live], rules: Rules, seen: Seen) -> Change | None:
    """What the desk is to be told next of a group that fires, up to the end of what is seen."""
    heard = speakers(members)
    if group.told_at is None or not heard:
        return None
    floor = max(time for time in (group.told_at, group.not_before, seen.decided) if time is not None)
    least = max(floor, group.told_at + _wait(group.tellings, rules))
    again = max(least, group.told_at + max(AGAIN, rules.repeat_least))
    changes = [
        *_doubled(group, heard[0], least, seen),
        *_states(group, least, again, seen),
        *_outages(group, least, again, seen),
    ]
    if group.ack is None:
        changes.append(Change(max(floor, group.told_at + rules.repeat_interval * 2**group.reminders), "reminder"))
    due = [change for change in changes if change.at <= seen.end]
    return min(due, key=lambda one: (one.at, _FIRST.index(one.why)), default=None)


def _wait(tellings: int, rules: Rules) -> timedelta:
    """How long a card that was told so often is not told of what can wait."""
    if tellings < SOON:
        return rules.repeat_least
    seldom = max(AGAIN, rules.repeat_least)
    return seldom if tellings == SOON else max(seldom, rules.repeat_interval)


def _doubled(group: Group, live: Live, least: datetime, seen: Seen) -> list[Change]:
    """Claims are twice as many as the desk was told; after the first time four times as many, then eight times."""
    if not group.narrative or not live.told or least > seen.end:
        return []
    at = seen.totals.reached(live, live.told * 2 ** (group.doublings + 1))
    return [] if at is None else [Change(max(at, least), "doubled")]


def _states(group: Group, least: datetime, again: datetime, seen: Seen) -> list[Change]:
    """The narrative is in another state than the desk was told; in one that it was told of before, that can wait."""
    if not group.narrative or least > seen.end:
        return []
    about = (group.event, group.narrative)
    passed = [one.at for one in seen.passed if (one.event, one.narrative) == about and one.at > least]
    moments = [least, again, *passed]
    for at in sorted(moment for moment in moments if moment <= seen.end):
        state = seen.state_of(group.event, group.narrative, at)
        if state not in MATERIAL or (group.states and state is group.states[-1]):
            continue
        if state not in group.states or at >= again:
            return [Change(at, "state_changed")]
    return []


def _outages(group: Group, least: datetime, again: datetime, seen: Seen) -> list[Change]:
    """A source was blind for a while since the desk was told, or all were because the monitor itself was away."""
    changes = []
    for known_at, gap in seen.marks.grown(group.told_at or least, seen.end):
        last = group.blind.get(gap.source)
        if gap.ends - gap.begins >= BLIND_LEAST and (last is None or gap.begins > last):
            why = "monitor_away" if gap.why == AWAY else "feed_blind"
            changes.append(Change(max(known_at, least if last is None else again), why))
    return changes


def once(steps: Sequence[Alert]) -> list[Alert]:
    """The same steps, of which of those of one card and moment only one is told on it: with what fires afterwards."""
    of: dict[tuple[str, datetime], list[Alert]] = {}
    for step in steps:
        if step.change and not step.silenced:
            of.setdefault((step.group, step.at), []).append(step)
    chosen: dict[str, Alert] = {}
    for all_ in of.values():
        together = list({step.id: step for step in all_}.values())
        firing = [step for step in together if step.state is not AlertState.RESOLVED]
        spoken = min(firing or together, key=lambda step: (rank(step.rule), step.rule))
        last = together[-1]
        left = {*last.also, *([] if last.state is AlertState.RESOLVED else [last.rule])} - {spoken.rule}
        why = min((step.change for step in together), key=_FIRST.index)
        chosen |= dict.fromkeys((_step(step) for step in all_), spoken)
        chosen[_step(spoken)] = msgspec.structs.replace(spoken, also=tuple(sorted(left)), change=why)
    return [_told_once(step, chosen.get(_step(step))) for step in steps]


def _told_once(step: Alert, chosen: Alert | None) -> Alert:
    """The step as it is told, or so that no card is."""
    if chosen is None:
        return step
    return chosen if _step(chosen) == _step(step) else msgspec.structs.replace(step, change="")


def _step(step: Alert) -> str:
    return f"{step.id} {step.state.value} {step.at.isoformat()}"
