"""The composition root: the only module that knows all stages and their order.

`Walk` is one batch's way through the pure stages; a replay, a backtest, a test and the daemon all run it.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

import polars as pl

from classifiers.tagger import Tagger
from monitor.alert.decide import AlertPolicy
from monitor.alert.evidence import EvidenceMemory
from monitor.cluster.clusters import Clusters
from monitor.frames import Batch, Counted
from monitor.judge.judge import Judge, Judged
from monitor.judge.rules import RaceReading
from monitor.match.matcher import Matcher
from monitor.match.threads import Threads
from monitor.records import Alert, Event, Evidence, GapMark, StatusMark
from monitor.tag.tagger import TagStage
from monitor.window.counts import Windows


class Walked(NamedTuple):
    """What one batch became."""

    posts: int
    mentions: pl.DataFrame
    """CLUSTERED."""
    counted: Counted
    judged: Judged
    alerts: list[Alert]
    """Steps in the life of alerts, in order of time."""
    state: Mapping[str, bytes]
    """Rows of the judge's and the alerts' state that changed."""
    upto: datetime


class Walk:
    """collect ═▶ match ▶ tag ▶ cluster ▶ window ▶ judge ▶ alert policy ═▶ outbox."""

    def __init__(self, events: Sequence[Event], tagger: Tagger) -> None:
        by_name = {event.name: event for event in events}
        self._events = by_name
        self._matcher = Matcher(events)
        self._threads = Threads()
        self._tag = TagStage(tagger, {event.name: event.proposition for event in events})
        self._clusters = Clusters(events)
        self._windows = Windows()
        self._judge = Judge(by_name, tagger.confusion.counts)
        self._evidence = EvidenceMemory()
        self._policy = AlertPolicy(by_name)

    def __call__(self, batch: Batch) -> Walked:
        """Walks one batch; what comes out depends on the stream so far and not on how it was cut."""
        hits = self._matcher.find(batch.posts)
        mentions = self._threads.follow(batch.posts, hits, batch.upto)
        tagged = self._tag.tag(mentions)
        clustered = self._clusters.assign(tagged)
        self._evidence.add(clustered)
        gaps = [mark for mark in batch.marks if isinstance(mark, GapMark)]
        statuses = [mark for mark in batch.marks if isinstance(mark, StatusMark)]
        counted = self._windows.add(clustered, batch.upto, gaps)
        judged = self._judge.decide(counted, batch.upto, statuses)
        alerts = self._policy.decide(judged.findings, counted, batch.upto, self._describe, statuses)
        state = {**self._judge.snapshot(), **self._policy.snapshot()}
        return Walked(batch.posts.height, clustered, counted, judged, alerts, state, batch.upto)

    def restore(self, state: Mapping[str, bytes]) -> None:
        """Takes up the judge's and the alerts' state where an earlier run left it."""
        self._judge.restore(state)
        self._policy.restore(state)

    def remember(self, mentions: pl.DataFrame, upto: datetime) -> None:
        """Refills thread memory, narratives and windows from archived mentions (CLUSTERED, in order)."""
        self._threads.remember(mentions)
        self._clusters.remember(mentions)
        self._windows.remember(mentions, upto)
        self._evidence.add(mentions)

    def label(self, event: str, narrative: str) -> str:
        """A narrative's one-line label."""
        known = self._clusters.narrative(event, narrative)
        return known.label if known is not None else self._events[event].proposition

    def races(self, event: str) -> list[RaceReading]:
        """Where the event's races stand now; for people to watch."""
        return self._judge.races(event)

    def _describe(self, event: str, narrative: str, at: datetime) -> tuple[str, tuple[Evidence, ...]]:
        """The label and the evidence of a narrative as they stood at a tick."""
        return self.label(event, narrative), self._evidence.of(event, narrative, at)
