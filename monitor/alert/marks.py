"""Marks of the stream that alerts show and obey: statuses, outages of sources, silences. Pure.

A mark counts from its own time on and not from the batch it came in.
"""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta

import msgspec

from monitor.alert.lifecycle import Live
from monitor.alert.silence import made_at, silenced_until
from monitor.marks import AckMark, GapMark, Silence, Status, StatusMark, standing

RECENT = timedelta(hours=1)
"""An alert shows outages that ended so long before its finding began, or later: what it counts began before it did."""
NEVER = datetime.max.replace(tzinfo=UTC)
"""The end of what has none that is known."""
SETTLED = "story_settled"
"""Why side claims are not told: the event's main narrative has a status."""
MOST_STATUSES = 2_000
"""Narratives whose status is remembered, of all events; that which was set longest ago gives way."""
OUTAGES_SHOWN = 100
"""An alert shows the last of its outages, at most so many; those of whole sources before those of parts."""


class Marks(msgspec.Struct, array_like=True):
    """What was marked, as far as it can still touch an alert."""

    statuses: list[StatusMark] = msgspec.field(default_factory=list)
    gaps: list[GapMark] = msgspec.field(default_factory=list)
    silences: list[Silence] = msgspec.field(default_factory=list)
    """Every form of each, in their order."""
    acks: list[AckMark] = msgspec.field(default_factory=list)
    """Those that did not take effect yet, in order of time."""

    def take(self, marks: Sequence[StatusMark | Silence | AckMark], gaps: Sequence[GapMark]) -> None:
        """Adds what came with a batch."""
        self.statuses += [mark for mark in marks if isinstance(mark, StatusMark)]
        self.silences += [mark for mark in marks if isinstance(mark, Silence)]
        self.acks = sorted([*self.acks, *(mark for mark in marks if isinstance(mark, AckMark))], key=lambda one: one.at)
        self.gaps += gaps

    def settle(self, end: datetime, since: datetime | None) -> None:
        """Forgets what can touch no step after `end`; `since`: when the oldest of the alerts that live began."""
        coming = [mark for mark in self.statuses if mark.at > end]
        set_ = sorted((mark for mark in self.statuses if mark.at <= end), key=lambda mark: mark.at)
        self.statuses = [*standing(set_, MOST_STATUSES).values(), *coming]
        known = merged(gap for gap in self.gaps if gap.ends <= end)
        last = {gap.source: gap for gap in known if gap.goes_on or not gap.partial}
        touching = _shown(gap for gap in known if gap.ends >= min(since or end, end) - RECENT)
        kept = {*last.values(), *touching}
        self.gaps = [gap for gap in known if gap in kept] + [gap for gap in self.gaps if gap.ends > end]
        in_force = {one.id: number for number, one in enumerate(self.silences) if made_at(one) <= end}
        left = [one for number, one in enumerate(self.silences) if number >= in_force.get(one.id, 0)]
        lasting = {one.id for one in left if one.expires_at > end}
        self.silences = [one for one in left if one.id in lasting]

    def status(self, live: Live, at: datetime) -> StatusMark | None:
        """Who set the status that stood then; None where nobody had."""
        named = (live.event, live.narrative)
        marks = [mark for mark in self.statuses if mark.at <= at]
        if len(marks) <= MOST_STATUSES:
            marks = [mark for mark in marks if (mark.event, mark.narrative) == named]
        return standing(sorted(marks, key=lambda mark: mark.at), MOST_STATUSES).get(named)

    def outages(self, since: datetime, at: datetime) -> tuple[GapMark, ...]:
        """What was known at a time of the outages that touch the time between, or the hour before."""
        known = merged(gap for gap in self.gaps if gap.ends <= at)
        return tuple(_shown(gap for gap in known if gap.begins < at and gap.ends >= since - RECENT))

    def grown(self, after: datetime, upto: datetime) -> list[tuple[datetime, GapMark]]:
        """Outages as they were known at each time of a span at which more became known of them, in order of time."""
        pieces = sorted(self.gaps, key=_order)
        times = sorted({gap.ends for gap in pieces if after < gap.ends <= upto})
        return [
            (time, gap) for time in times for gap in merged(p for p in pieces if p.ends <= time) if gap.ends == time
        ]

    def unheard_until(self, live: Live, at: datetime, main: str) -> tuple[datetime, str] | None:
        """Until when nobody is to be told of the alert, seen from a time, and why: `silence` or `story_settled`.

        None where somebody is. `main`: the event's main narrative, whose status settles its other narratives' alerts.
        """
        until, why = None, ""
        while True:
            time = until or at
            end, reason = self.silenced_until(live, time), "silence"
            if end is None and main and live.narrative not in {"", main}:
                end, reason = self._settled_until(live.event, main, time), SETTLED
            if end is None:
                return None if until is None else (until, why)
            until, why = end, why or reason
            if until == NEVER:
                return until, why

    def _settled_until(self, event: str, narrative: str, at: datetime) -> datetime | None:
        """Until when a story is settled, as far as is known; None if it is not."""
        now: StatusMark | None = None
        own = [mark for mark in self.statuses if (mark.event, mark.narrative) == (event, narrative)]
        for mark in sorted(own, key=lambda mark: mark.at):
            if mark.at > at and not _settles(now):
                return None
            if mark.overturns(now):
                if mark.at > at and not _settles(mark):
                    return mark.at
                now = mark
        return NEVER if _settles(now) else None

    def silenced_until(self, live: Live, at: datetime) -> datetime | None:
        """Until when the alert is silenced, seen from a time; None if it is not."""
        return silenced_until(self.silences, live.event, live.narrative, live.rule, at)


def _settles(mark: StatusMark | None) -> bool:
    return mark is not None and mark.status is not Status.UNCONFIRMED


def _shown(gaps: Iterable[GapMark]) -> list[GapMark]:
    """Of outages, those that an alert shows, in order."""
    chosen = sorted(gaps, key=lambda gap: (not gap.partial, _order(gap)))[-OUTAGES_SHOWN:]
    return sorted(chosen, key=_order)


def merged(pieces: Iterable[GapMark]) -> list[GapMark]:
    """Outages in the order in which they ended: a piece that continues the last one of its source makes that longer."""
    last: dict[str, GapMark] = {}
    over: list[GapMark] = []
    for piece in sorted(pieces, key=_order):
        before = last.get(piece.source)
        longer = before is not None and piece.continues(before)
        if before is not None and not longer:
            over.append(before)
        last[piece.source] = msgspec.structs.replace(piece, begins=before.begins) if before and longer else piece
    return sorted([*over, *last.values()], key=_order)


def _order(gap: GapMark) -> tuple[datetime, datetime, str, str]:
    return gap.ends, gap.begins, gap.source, gap.why
