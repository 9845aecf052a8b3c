"""One batch's way through the pure stages; a replay, a backtest, a test and the daemon all walk it."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

import polars as pl

from classifiers.tagger import Tagger
from monitor.alert.decide import AlertPolicy
from monitor.alert.evidence import EvidenceMemory
from monitor.clock import Clock, SystemClock
from monitor.cluster.clusters import Clusters
from monitor.errors import SettingsError
from monitor.frames import Batch, Counted
from monitor.judge.judge import Judge, Judged
from monitor.judge.rules import RaceReading
from monitor.match.matcher import Matcher
from monitor.match.threads import Threads
from monitor.records import Alert, Correction, Event, Evidence, GapMark, Narrative, Silence, StatusMark
from monitor.tag.tagger import TagStage
from monitor.window.counts import Windows

UPTO = "walk/upto"
"""The state row that says how far the stream was walked."""
PURE = ("match", "follow", "tag", "cluster", "window", "judge", "alert")
"""The stages in their order; the keys of `Walked.took`."""


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
    duplicates: int
    """Mentions that had been seen before."""
    took: Mapping[str, float]
    """Stage → seconds."""


class Prepared(NamedTuple):
    """A set of events, ready to be watched: nothing of it can fail any more."""

    events: Mapping[str, Event]
    """By name."""
    matcher: Matcher


class Walk:
    """collect ═▶ match ▶ tag ▶ cluster ▶ window ▶ judge ▶ alert policy ═▶ outbox."""

    def __init__(self, events: Sequence[Event], tagger: Tagger, clock: Clock | None = None) -> None:
        """`clock` measures how long the stages take, and nothing else."""
        prepared = self.prepared(events)
        by_name = prepared.events
        self._events = by_name
        self._coming: Prepared | None = None
        self._clock = clock or SystemClock()
        self._matcher = prepared.matcher
        self._threads = Threads()
        self._tag = TagStage(tagger, {event.name: event.proposition for event in events})
        self._clusters = Clusters(events)
        self._windows = Windows()
        self._judge = Judge(by_name, tagger.confusion.counts)
        self._evidence = EvidenceMemory()
        self._policy = AlertPolicy(by_name)

    @staticmethod
    def prepared(events: Sequence[Event]) -> Prepared:
        """Compiles a set of events, touching no walk; raises SettingsError with a line per mistake in their terms."""
        try:
            return Prepared({event.name: event for event in events}, Matcher(events))
        except ValueError as error:
            raise SettingsError(str(error).splitlines()) from error

    def watch(self, prepared: Prepared) -> None:
        """Watches another set of events from the next batch on; the last call before that batch counts.

        What is known of an event that stays stays known; its changed terms, rules and proposition take effect with the
        next post. An added event begins warming up. A removed one is forgotten, and its firing alerts are resolved.
        """
        self._coming = prepared

    def __call__(self, batch: Batch) -> Walked:
        """Walks one batch; what comes out depends on the stream so far and not on how it was cut."""
        laps = [self._clock.monotonic()]
        gaps = [mark for mark in batch.marks if isinstance(mark, GapMark)]
        statuses = [mark for mark in batch.marks if isinstance(mark, StatusMark)]
        told = [mark for mark in batch.marks if isinstance(mark, StatusMark | Silence)]
        self._tag.correct(mark for mark in batch.marks if isinstance(mark, Correction))
        known = self._threads.duplicates
        hits = self._matcher.find(batch.posts)
        laps.append(self._clock.monotonic())
        mentions = self._threads.follow(batch.posts, hits, batch.upto)
        laps.append(self._clock.monotonic())
        tagged = self._tag.tag(mentions)
        laps.append(self._clock.monotonic())
        clustered = self._clusters.assign(tagged)
        laps.append(self._clock.monotonic())
        counted = self._windows.add(clustered, batch.upto, gaps)
        laps.append(self._clock.monotonic())
        judged = self._judge.decide(counted, batch.upto, statuses)
        laps.append(self._clock.monotonic())
        self._evidence.add(clustered)
        alerts = self._policy.decide(judged.findings, counted, batch.upto, self._describe, told)
        state = {**self._judge.snapshot(), **self._policy.snapshot(), UPTO: batch.upto.isoformat().encode()}
        laps.append(self._clock.monotonic())
        took = {stage: end - begin for stage, begin, end in zip(PURE, laps, laps[1:], strict=False)}
        duplicates = self._threads.duplicates - known
        return Walked(batch.posts.height, clustered, counted, judged, alerts, state, batch.upto, duplicates, took)

    def restore(
        self, state: Mapping[str, bytes], mentions: pl.DataFrame, corrections: Sequence[Correction] = ()
    ) -> None:
        """Goes on where an earlier run left off: `state` rows, and the archived mentions (CLUSTERED, in order)."""
        self._tag.correct(corrections)
        if UPTO in state:
            self._windows.remember(mentions, datetime.fromisoformat(state[UPTO].decode()))
        self._threads.remember(mentions)
        self._clusters.remember(mentions)
        self._evidence.add(mentions)
        self._judge.restore(state)
        self._policy.restore(state)

    def label(self, event: str, narrative: str) -> str:
        """A narrative's one-line label."""
        known = self._clusters.narrative(event, narrative)
        return known.label if known is not None else self._events[event].proposition

    def narrative(self, event: str, identity: str) -> Narrative | None:
        """What is known of a narrative; None of one that was never seen, or long ago."""
        return self._clusters.narrative(event, identity)

    def reads(self, mentions: pl.DataFrame) -> pl.Series:
        """What the tagger reads of each mention (MENTIONS), as the hash that a Correction carries."""
        return self._tag.reads(mentions)

    def watermarks(self, at: datetime) -> dict[str, datetime]:
        """Event time up to which each source is complete at `at`."""
        return self._windows.watermarks(at)

    def races(self, event: str) -> list[RaceReading]:
        """Where the event's races stand now; for people to watch."""
        return self._judge.races(event)

    def _describe(self, event: str, narrative: str, at: datetime) -> tuple[str, tuple[Evidence, ...]]:
        """The label and the evidence of a narrative as they stood at a tick."""
        return self.label(event, narrative), self._evidence.of(event, narrative, at)
