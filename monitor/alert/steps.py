"""Makes the steps in the life of alerts, each with everything as it stood then. Pure."""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import NamedTuple

import polars as pl
from msgspec import structs

from monitor.alert.groups import Group, Seen
from monitor.alert.lifecycle import Live
from monitor.alert.marks import SETTLED
from monitor.alert.totals import Totals
from monitor.marks import Status
from monitor.records import Alert, AlertState, Evidence, Quoted
from monitor.watched import Event


class Described(NamedTuple):
    """What is shown of a narrative."""

    label: str
    evidence: tuple[Evidence, ...]
    label_of: Quoted | None = None
    """The post that the label quotes."""


Describe = Callable[[str, str, datetime], Described]
"""(event, narrative, at) → what is shown of it, as it stood then."""


class Steps:
    """Makes the steps of one call of the policy."""

    def __init__(
        self, events: Mapping[str, Event], seen: Seen, describe: Describe, main: Callable[[str], str] = lambda _: ""
    ) -> None:
        self._events = events
        self.seen = seen
        self._describe = describe
        self._main = main

    def unheard(self, live: Live, at: datetime) -> tuple[datetime, str] | None:
        """Until when nobody is to be told of the alert, and why; None where somebody is."""
        return self.seen.marks.unheard_until(live, at, self._main(live.event))

    def step(
        self,
        live: Live,
        state: AlertState,
        at: datetime,
        reason: str,
        *,
        group: Group,
        change: str = "",
        members: Sequence[Live] = (),
    ) -> Alert:
        """One step; `members` of its group, itself among them. Where there is a change, the desk is told now.

        Whoever was told of the alert hears of its end, and who takes it on, whatever is silenced then.
        """
        until, why = self.unheard(live, at) or (None, "")
        to_who_was_told = state is AlertState.RESOLVED or change == "acknowledged"
        others = {one.rule for one in members if one is not live and one.firing and one.silenced_until is None}
        alert = structs.replace(
            self._as_it_stands(live, state, at, reason),
            silenced=(live.silenced_until if to_who_was_told else until) is not None,
            group=group.id,
            also=tuple(sorted(others)),
            change=change,
            acknowledged=group.ack,
            inhibited=why if why == SETTLED else "",
        )
        if change and not alert.silenced:
            for one in members:
                self.seen.totals.count(one, at)
            group.told(alert, members)
        return alert

    def _as_it_stands(self, live: Live, state: AlertState, at: datetime, reason: str) -> Alert:
        """An alert for itself, with everything that was known then."""
        self.seen.totals.count(live, at)
        shown = self._describe(live.event, live.narrative, at)
        claims, denials, celebrations, questions, authors = live.counts
        said = self.seen.marks.status(live, at)
        return Alert(
            id=live.id,
            fingerprint=live.fingerprint,
            event=live.event,
            narrative=live.narrative,
            label=shown.label,
            proposition=self._events[live.event].proposition,
            rule=live.rule,
            state=state,
            at=at.astimezone(UTC),
            since=live.since,
            reason=reason,
            status=said.status if said is not None else Status.UNCONFIRMED,
            said=said,
            claims=claims,
            denials=denials,
            celebrations=celebrations,
            questions=questions,
            authors=authors,
            numbers=live.numbers,
            evidence=shown.evidence,
            blind=self.seen.marks.outages(live.since, at),
            subject=live.subject,
            narrative_state=self.seen.state_of(live.event, live.narrative, at) if live.narrative else None,
            label_of=shown.label_of,
            fired=live.fired,
        )


class Leaving(NamedTuple):
    """An alert whose event is not watched any more, with what is shown of it."""

    live: Live
    group: Group
    event: Event
    shown: Described

    def describe(self, *_: object) -> Described:
        """What was shown of it last."""
        return self.shown


def left(leaving: Sequence[Leaving], seen: Seen) -> list[Alert]:
    """The end of the alerts of events that are not watched any more."""
    blind = seen._replace(totals=Totals(pl.DataFrame()), state_of=lambda *_: None)
    why = "event_removed"
    steps = [
        Steps({one.event.name: one.event}, blind, one.describe).step(
            one.live, AlertState.RESOLVED, seen.end, why, group=one.group, change=why
        )
        for one in leaving
    ]
    return sorted(steps, key=lambda step: step.id)
