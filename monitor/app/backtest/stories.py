"""Stories of a recording, and how early each alert was: before the peak of its story, before the first official word.

A story is a stretch of one narrative in which it was claimed by many within half an hour, again and again: what a desk
would not have wanted to miss. Its peak is the middle of its busiest half hour, by original claims, an author counting
once. An alert belongs to the story of its narrative that goes on, or begins within a day after it; an alert about an
event as a whole to that of the event as a whole.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

import numpy as np
import polars as pl

from monitor.app.backtest.counts import STEP, Labels
from monitor.marks import Status, StatusMark
from monitor.records import Alert, AlertState

FLOOR = 20
"""Original claims within half an hour that make a story, unless another number is asked for."""
BUSIEST = timedelta(minutes=30)
APART = timedelta(days=1)
"""Two stretches of one narrative further apart are two stories; an alert this long before one belongs to it."""
_STEPS = BUSIEST // STEP


class Story(NamedTuple):
    """A stretch in which a narrative was claimed by many."""

    event: str
    narrative: str
    """"" for the event as a whole."""
    label: str
    begins: datetime
    """Of its first busy half hour."""
    ends: datetime
    peak: datetime
    claims: int
    """Original claims from begin to end."""
    official: datetime | None
    """The first word of a registered voice, or a status set by people, from a day before it begins on."""


class Fired(NamedTuple):
    """An alert that fired at one point of the grid."""

    alert: Alert
    """As it stood then."""
    story: Story | None
    """What it was about, if that was a story."""

    @property
    def lead_to_peak(self) -> timedelta | None:
        """How long before the peak it fired; negative where it came after."""
        return self.story.peak - self.alert.at if self.story else None

    @property
    def lead_to_official(self) -> timedelta | None:
        """How long before the first official word; None where there was none."""
        return self.story.official - self.alert.at if self.story and self.story.official else None


class Officials:
    """When people who should know spoke: registered voices, statuses that were set, or a time that is given."""

    def __init__(self, voices: pl.DataFrame, statuses: Iterable[StatusMark], given: datetime | None = None) -> None:
        """`voices`: VOICES."""
        self._given = given
        self._of: dict[tuple[str, str], list[datetime]] = {}
        for event, narrative, at in voices.select("event", "narrative", "at").iter_rows():
            self._of.setdefault((event, narrative), []).append(at)
        for mark in statuses:
            if mark.status is not Status.UNCONFIRMED:
                for narrative in (mark.narrative, ""):
                    self._of.setdefault((mark.event, narrative), []).append(mark.at)

    def first(self, event: str, narrative: str, since: datetime, until: datetime) -> datetime | None:
        """The first word between two times; the time that was given, whatever they are."""
        if self._given is not None:
            return self._given
        return min((at for at in self._of.get((event, narrative), ()) if since <= at < until), default=None)


def stories(activity: pl.DataFrame, labels: Labels, officials: Officials, floor: int = FLOOR) -> list[Story]:
    """Every story, in order of begin; `activity`: ACTIVITY, `floor`: original claims within half an hour."""
    found = []
    for (event, narrative), steps in activity.partition_by("event", "narrative", as_dict=True).items():
        for stretch in _stretches(steps, floor):
            official = officials.first(str(event), str(narrative), stretch.begins - APART, stretch.ends + APART)
            label = labels.at(str(event), str(narrative), stretch.peak)
            found.append(Story(str(event), str(narrative), label, *stretch, official))
    return sorted(found, key=lambda story: (story.begins, story.event, story.narrative))


class _Stretch(NamedTuple):
    begins: datetime
    ends: datetime
    peak: datetime
    claims: int


def _stretches(steps: pl.DataFrame, floor: int) -> list[_Stretch]:
    """The stories of one narrative; `steps`: ACTIVITY of it."""
    if int(steps["claims"].sum()) < floor:
        return []
    begins = steps["begins"].to_physical().to_numpy() // (STEP // timedelta(microseconds=1))
    claims = steps["claims"].to_numpy()
    total = np.append([0], np.cumsum(claims))
    window = total[np.searchsorted(begins, begins + _STEPS)] - total[:-1]
    busy = np.flatnonzero(window >= floor)
    if not busy.size:
        return []
    cuts = np.flatnonzero(np.diff(begins[busy]) > APART // STEP) + 1
    found: list[_Stretch] = []
    for run in np.split(busy, cuts):
        first, last = int(run[0]), int(np.searchsorted(begins, begins[run[-1]] + _STEPS))
        begin, end = steps["begins"][first], steps["begins"][int(run[-1])] + BUSIEST
        peak = steps["begins"][int(run[np.argmax(window[run])])] + BUSIEST / 2
        found.append(_Stretch(begin, end, peak, int(total[last] - total[first])))
    return found


class Outcome(NamedTuple):
    """How one point of the grid did."""

    fired: tuple[Fired, ...]
    per_day: float
    narratives: int
    """Different narratives that were alerted; the event as a whole is one."""
    missed: tuple[Story, ...]
    """Stories of narratives of which no alert fired before their peak; one about the event as a whole counts, too."""
    stories: int
    """Stories of narratives there were."""

    def leads(self) -> list[timedelta]:
        """Of every story that was alerted, sorted: how long before its peak the first alert fired."""
        return sorted(lead for lead in _first_leads(self.fired))

    def official_leads(self) -> list[timedelta]:
        """The same against the first official word, where there was one."""
        first: dict[Story, timedelta] = {}
        for one in self.fired:
            lead = one.lead_to_official
            if one.story is not None and lead is not None:
                first.setdefault(one.story, lead)
        return sorted(first.values())


def outcome(steps: Sequence[Alert], found: Sequence[Story], span: timedelta) -> Outcome:
    """What the steps of one point's alerts mean for the stories of a recording that lasted `span`."""
    of: dict[tuple[str, str], list[Story]] = {}
    for story in found:
        of.setdefault((story.event, story.narrative), []).append(story)
    firing: dict[str, Alert] = {}
    for alert in steps:
        if alert.state is AlertState.FIRING:
            firing.setdefault(alert.id, alert)
    fired = tuple(Fired(alert, _about(alert, of.get((alert.event, alert.narrative), ()))) for alert in firing.values())
    told = [story for story in found if story.narrative]
    missed = tuple(story for story in told if not any(_in_time(one.alert, story) for one in fired))
    days = max(span / timedelta(days=1), 1.0)
    different = {(one.alert.event, one.alert.narrative) for one in fired}
    return Outcome(fired, len(fired) / days, len(different), missed, len(told))


def _about(alert: Alert, found: Sequence[Story]) -> Story | None:
    return next((story for story in found if story.begins - APART <= alert.at < story.ends), None)


def _in_time(alert: Alert, story: Story) -> bool:
    same = alert.event == story.event and alert.narrative in {story.narrative, ""}
    return same and story.begins - APART <= alert.at < story.peak


def _first_leads(fired: Iterable[Fired]) -> list[timedelta]:
    first: dict[Story, timedelta] = {}
    for one in fired:
        if one.story is not None and one.lead_to_peak is not None:
            first.setdefault(one.story, one.lead_to_peak)
    return list(first.values())
