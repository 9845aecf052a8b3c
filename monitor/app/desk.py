"""The worker thread's work: arrivals → batches → the walk → one transaction each.

`walk` and `commit` are two calls, so that a commit can be tried again while the store cannot be used. A batch is all
payloads that came together, but for suspects (see `monitor.store.in_hand`), which are walked alone.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

import polars as pl

from monitor import settings
from monitor.alert.outbox import notifications
from monitor.alert.receivers.chat import Chat
from monitor.app.build import collector
from monitor.app.deletions import Deletions
from monitor.app.parts import Committed, Part, Taken
from monitor.app.pseudonyms import pseudonyms
from monitor.app.restored import restored
from monitor.app.sealed import sealed
from monitor.app.walk import REMEMBERED, Walk
from monitor.app.walked import Prepared, Walked
from monitor.arrivals import Answered, Settled
from monitor.clock import Clock
from monitor.collect.record import Recorder
from monitor.frames import CLUSTERED, ORDER, POSTS, TIME, Batch
from monitor.judge.readings import RaceReading
from monitor.marks import AckMark, Correction, FactCheck, GapMark, MergeMark, Silence, SplitMark, StatusMark
from monitor.metrics import Metrics
from monitor.pipeline import Arrivals
from monitor.records import Alert, AlertState, Answer, Narrative, NarrativeState, Notification
from monitor.store import queue, retention, withdrawn
from monitor.store.in_hand import CONVICTED, InHand
from monitor.store.left import left
from monitor.store.store import Commit, Store
from monitor.tag.tagger import load_tagger
from monitor.watched import Event


class Desk:
    """The walk and the store behind it; every method runs on the worker thread."""

    def __init__(
        self, configured: settings.Settings, store: Store, in_hand: InHand, clock: Clock, metrics: Metrics
    ) -> None:
        self._store = store
        self._in_hand = in_hand
        self._clock = clock
        self._pseudonyms = pseudonyms(configured, in_hand.folder.parent)
        self._deletions = Deletions(store, self._pseudonyms)
        self._metrics = metrics
        self._configure(configured)
        self._archive = configured.monitor.store.archive
        self._walk = Walk(configured.events, load_tagger(configured.model), clock)
        self._races: Mapping[str, list[RaceReading]] = {}
        self._have = store.change(withdrawn.have)
        """As the store had it under the configuration before: whoever is told since, the events name."""
        before = store.change(lambda connection: left(connection, REMEMBERED))
        self.upto = restored(self._walk, before, lambda rows: self._deletions.restore(rows, self._parse))
        """The time up to which the stream was walked; None on an empty store."""
        self.ahead = timedelta()
        """How far that is ahead of the clock: nothing is decided until the clock has caught up."""

    def _configure(self, configured: settings.Settings) -> None:
        self._events = {event.name: event for event in configured.events}
        self._lasts = {one.name: one.deadline for one in configured.monitor.receivers}
        self._cards = {one.name for one in configured.monitor.receivers if isinstance(one, Chat)}
        self._pseudonyms.watch(configured.events)
        secrets = configured.source_secrets
        self._recorder = Recorder(
            (one.name, one.record, one.record_bytes) for one in configured.monitor.sources if one.record is not None
        )
        self._parse = {
            one.name: collector(one, secrets.get(one.name), self._clock, self._metrics).parse
            for one in configured.monitor.sources
        }

    def labels(self, event: str, narratives: Sequence[str]) -> dict[str, str]:
        """Narrative → its one-line label, of those that are remembered."""
        return {name: self._walk.label(event, name) for name in narratives if self._walk.narrative(event, name)}

    def narratives(self, event: str, narratives: Sequence[str]) -> dict[str, Narrative]:
        """What is known of narratives, of those that are remembered."""
        return {name: known for name in narratives if (known := self._walk.narrative(event, name)) is not None}

    def merged(self, event: str) -> dict[str, str]:
        """Narratives that editors merged → what they belong to."""
        return self._walk.merged(event)

    def suggested(self, event: str) -> list[tuple[str, str, float]]:
        """Pairs of narratives that may be one and how alike they are, the most alike first."""
        return self._walk.suggested(event)

    def says(self, mentions: pl.DataFrame) -> list[tuple[int, ...]]:
        """What each mention (MENTIONS) asserts, as SplitMark carries it."""
        return [tuple(slots) for slots in self._walk.says(mentions["text"])]

    def races(self, event: str) -> list[RaceReading]:
        """Where the event's races stood after the last batch."""
        return list(self._races.get(event, []))

    def states(self, event: str) -> dict[str, NarrativeState]:
        """Where the event's narratives stand in their lives."""
        return self._walk.states(event)

    def reads(self, mentions: pl.DataFrame) -> list[str]:
        """What the tagger reads of each mention (MENTIONS), as the hash that a Correction carries."""
        return self._walk.reads(mentions).to_list()

    def prepared(self, configured: settings.Settings) -> Prepared:
        """The events of a new configuration, ready to be watched; raises SettingsError and changes nothing."""
        return self._walk.prepared(configured.events)

    def reconfigure(self, configured: settings.Settings, prepared: Prepared) -> dict[str, str]:
        """Goes on under a new configuration, between two batches; answers the resume points of all sources."""
        resume, have = self._store.resume_points(), self._store.change(withdrawn.have)  # all that can fail comes first
        self._configure(configured)
        self._have = have
        self._walk.watch(prepared)
        return resume

    def answer(self, answer: Answer) -> None:
        """Keeps what somebody said of an alert; it changes nothing in the stream."""
        self._store.answer(answer)

    def replay(self, letters: Mapping[str, datetime]) -> list[str]:
        """Queues dead letters anew (key → new deadline), all or none; answers the keys of those that were dead."""
        return self._store.change(
            lambda connection: [key for key, until in letters.items() if queue.requeue(connection, key, until)]
        )

    def waiting(self) -> int:
        """Notifications on their way, all of them."""
        return self._store.waiting()

    def parts(self, arrivals: Arrivals) -> list[Part]:
        """What is walked at once: all payloads together, but suspects by themselves; poison is set aside."""
        at = max(arrivals.closed_at, self.upto or arrivals.closed_at)  # time never goes back, whatever the clock does
        self.ahead = at - arrivals.closed_at
        self._recorder.take(arrivals.payloads, at)
        parts = [Part([], arrivals.marks, at, {}, {}, [])]
        for payload in arrivals.payloads:
            digest = self._in_hand.digest(payload)
            points = self._in_hand.points(digest)
            if points is not None and points >= CONVICTED:
                self._in_hand.quarantine(payload, digest)
                parts[-1].quarantined.append(payload)
            else:
                suspect = points is not None
                full = suspect and len(parts[-1].payloads) >= self._in_hand.at_once
                if suspect != parts[-1].suspect or full:
                    parts.append(Part([], (), at, {}, {}, [], suspect=suspect))
                parts[-1].payloads.append(payload)
                parts[-1].digests[digest] = points or 0
            if payload.resume is not None:
                parts[-1].resume[payload.source] = payload.resume
        return parts

    def walk(self, part: Part) -> Taken:
        """Parses and walks what arrived; a StoreError comes before anything has changed: repeat the call."""
        with self._in_hand.walked(part.digests):
            began = self._clock.monotonic()
            batch, settled, gone = self._batch(part)
            parsed = self._clock.monotonic()
            walked = self._walk(batch)
        self.upto = batch.upto
        now = self._clock.now()
        commit = Commit(
            mentions=walked.mentions if self._archive else walked.mentions.clear(),
            resume=batch.resume,
            state={**walked.state, **self._deletions.note(walked.mentions)},
            alerts=walked.alerts,
            outbox=self._outbox(walked, now),
            gaps=[mark for mark in part.marks if isinstance(mark, GapMark)],
            statuses=[mark for mark in (*part.marks, *walked.said) if isinstance(mark, StatusMark)],
            silences=[mark for mark in part.marks if isinstance(mark, Silence)],
            acknowledgements=[mark for mark in part.marks if isinstance(mark, AckMark)],
            exchanges=walked.exchanges,
            corrections=[mark for mark in part.marks if isinstance(mark, Correction)],
            checks=[mark for mark in batch.marks if isinstance(mark, FactCheck)],
            rulings=[mark for mark in part.marks if isinstance(mark, MergeMark | SplitMark)],
            gone=gone,
            until={name: now + lasts for name, lasts in self._lasts.items()},
            answered=[
                Answered(payload.source, payload.request, done, now)
                for payload, done in zip(part.payloads, settled, strict=True)
                if payload.request is not None
            ]
            + [
                Answered(payload.source, payload.request, Settled(0, {}, quarantined=True), now)
                for payload in part.quarantined
                if payload.request is not None
            ],
        )
        took = {"decode": parsed - began, **walked.took}
        races = {event: self._walk.races(event) for event in self._events}
        self._races = races
        complete = {name: at for name, at in self._walk.watermarks(batch.upto).items() if name in self._parse}
        return Taken(part, batch, walked, commit, settled, complete, races, took)

    def aged(self, before: datetime, limit: int) -> Commit | None:
        """What is to be committed so that the next mentions seen before a time lose their texts; None: there are none.

        The stages are told that the posts are deleted, so that no label and no evidence shows them any more. Between
        two batches only, and committed before the next.
        """
        found = self._store.change(lambda connection: retention.aged(connection, before, limit))
        if found is None or self.upto is None:
            return None
        mark = {retention.MARK: found.mark}
        if not found.keys:
            return Commit(pl.DataFrame(schema=CLUSTERED), state=mark)
        posts = found.posts.with_columns(pl.lit(self.upto).cast(TIME).alias("seen_at")).sort(ORDER)
        walked = self._walk(Batch(posts, self.upto))
        return Commit(
            mentions=walked.mentions.clear(),
            state={**walked.state, **mark, **self._deletions.forget(found.posts)},
            alerts=walked.alerts,
            outbox=self._outbox(walked, self._clock.now()),
            exchanges=walked.exchanges,
            expired=found.keys,
        )

    def commit(self, taken: Taken) -> Committed:
        """All that a batch left, in one transaction; may be repeated until it succeeds."""
        began = self._clock.monotonic()
        self._store.commit(taken.commit)
        seconds = self._clock.monotonic() - began
        self._in_hand.release(taken.part.digests)
        now = self._clock.now()
        latencies = [(one.source, now - one.arrived_at) for one in taken.part.payloads if one.arrived_at is not None]
        return Committed(latencies, seconds)

    def _batch(self, part: Part) -> tuple[Batch, list[Settled], list[int]]:
        """Payloads → one batch, all seen when it closed, what became of each, and mentions of accounts that are gone.

        What deletions do not name is looked up, and deleted in the batch post by post.
        """
        rejected: Counter[tuple[str, str]] = Counter()
        frames = [pl.DataFrame(schema=POSTS)]
        gone: list[int] = []
        reviews: list[FactCheck] = []
        settled = [Settled(0, {})] * len(part.payloads)
        for source in dict.fromkeys(payload.source for payload in part.payloads):
            places = [place for place, payload in enumerate(part.payloads) if payload.source == source]
            parsed = self._parse[source]([part.payloads[place].body for place in places], part.closed_at)
            frames.append(sealed(parsed, [part.payloads[place].body for place in places]))
            reviews += parsed.reviews
            deleted = self._deletions.of(parsed, source, part.closed_at, self._walk.waiting)
            frames.append(deleted.posts)
            gone += deleted.keys
            usable = parsed.payload.value_counts()
            counts = dict(zip(usable["payload"].to_list(), usable["count"].to_list(), strict=True))
            for index, (place, reasons) in enumerate(zip(places, parsed.rejected, strict=True)):
                settled[place] = Settled(counts.get(index, 0), dict(reasons))
                rejected.update({(source, reason): count for reason, count in reasons.items()})
        posts = self._pseudonyms.hide(pl.concat(frames)).sort(ORDER, maintain_order=True)
        marks = (*part.marks, *(self._walk.about(reviews) if reviews else ()))
        return Batch(posts, part.closed_at, marks, part.resume, rejected), settled, gone

    def _outbox(self, walked: Walked, now: datetime) -> list[Notification]:
        told = [alert for alert in walked.alerts if alert.state is not AlertState.PENDING and not alert.silenced]
        return [note for alert in told for note in notifications(alert, self._told(alert, walked.removed), now)]

    def _told(self, alert: Alert, removed: Mapping[str, Event]) -> dict[str, timedelta]:
        """Who is told of the step, and for how long it may be tried; of a removed event's, who was told so far.

        The end goes to whoever was told before, though the event may name others now. What changes nothing on a card
        goes only where every alert stands for itself.
        """
        event = self._events.get(alert.event) or removed.get(alert.event)
        chosen = event.receivers if event is not None else ()
        had = self._have.get(alert.group or alert.id, set()) if alert.state is AlertState.RESOLVED else set()
        lasts = {name: lasts for name, lasts in self._lasts.items() if not chosen or name in chosen or name in had}
        return {name: lasts[name] for name in lasts if alert.change or name not in self._cards}
