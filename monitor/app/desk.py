"""The worker thread's work: arrivals → a batch → the walk → one transaction."""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

import polars as pl

from monitor import settings
from monitor.alert.outbox import notifications
from monitor.app.build import collector
from monitor.app.walk import Walk, Walked
from monitor.clock import Clock
from monitor.frames import ORDER, POSTS, Batch
from monitor.judge.rules import RaceReading
from monitor.pipeline import Arrivals
from monitor.records import Alert, AlertState, GapMark, StatusMark
from monitor.store.store import Commit, Store
from monitor.tag.tagger import load_tagger

REMEMBERED = 200_000
"""Mentions read back from the archive at the start."""


class Taken(NamedTuple):
    """What the worker thread hands back of one batch."""

    batch: Batch
    walked: Walked
    queued: int
    """Notifications put into the outbox."""
    waiting: int
    """Notifications on their way, all of them."""
    watermarks: Mapping[str, datetime]
    """Source → event time up to which it is complete."""
    latencies: Sequence[tuple[str, timedelta]]
    """Source and time from arrival to commit, one per payload."""
    took: Mapping[str, float]
    """Seconds per step: decode, the stages of the walk, store."""


class Desk:
    """The walk and the store behind it; every method runs on the worker thread."""

    def __init__(self, configured: settings.Settings, store: Store, clock: Clock) -> None:
        self._events = {event.name: event for event in configured.events}
        self._lasts = {one.name: one.deadline for one in configured.monitor.receivers}
        self._archive = configured.monitor.store.archive
        self._store = store
        self._clock = clock
        self._parse = {one.name: collector(one, clock).parse for one in configured.monitor.sources}
        self._walk = Walk(configured.events, load_tagger(configured.model), clock)
        self._walk.restore(store.load_state(), store.recent_mentions(REMEMBERED))

    def take(self, arrivals: Arrivals) -> Taken:
        """Parses and walks what arrived, and commits all it left in one transaction."""
        began = self._clock.monotonic()
        batch = self._batch(arrivals)
        parsed = self._clock.monotonic()
        walked = self._walk(batch)
        done = self._clock.monotonic()
        told = [alert for alert in walked.alerts if alert.state is not AlertState.PENDING and not alert.silenced]
        outbox = [note for alert in told for note in notifications(alert, self._told(alert), self._clock.now())]
        self._store.commit(
            Commit(
                mentions=walked.mentions if self._archive else walked.mentions.clear(),
                resume=batch.resume,
                state=walked.state,
                alerts=walked.alerts,
                outbox=outbox,
                gaps=[mark for mark in batch.marks if isinstance(mark, GapMark)],
                statuses=[mark for mark in batch.marks if isinstance(mark, StatusMark)],
            )
        )
        took = {"decode": parsed - began, **walked.took, "store": self._clock.monotonic() - done}
        now = self._clock.now()
        latencies = [(one.source, now - one.arrived_at) for one in arrivals.payloads if one.arrived_at is not None]
        marks = self._walk.watermarks(batch.upto)
        return Taken(batch, walked, len(outbox), self._store.waiting(), marks, latencies, took)

    def _batch(self, arrivals: Arrivals) -> Batch:
        """Payloads → one batch, all seen when it closed."""
        rejected: Counter[tuple[str, str]] = Counter()
        frames = [pl.DataFrame(schema=POSTS)]
        resume = {}
        for payload in arrivals.payloads:
            decoded = self._parse[payload.source](payload.body, arrivals.closed_at)
            frames.append(decoded.posts)
            rejected.update({(payload.source, reason): count for reason, count in decoded.rejected.items()})
            if payload.resume is not None:
                resume[payload.source] = payload.resume
        posts = pl.concat(frames).sort(ORDER, maintain_order=True)
        return Batch(posts, arrivals.closed_at, arrivals.marks, resume, rejected)

    def _told(self, alert: Alert) -> dict[str, timedelta]:
        """Who is told of the alert, and for how long it may be tried."""
        chosen = self._events[alert.event].receivers
        return {name: lasts for name, lasts in self._lasts.items() if not chosen or name in chosen}

    def races(self, event: str) -> list[RaceReading]:
        """Where the event's races stand now."""
        return self._walk.races(event)
