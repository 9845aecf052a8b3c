"""One batch's way through the pure stages; a replay, a backtest, a test and the daemon all walk it."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import partial

import msgspec
import polars as pl

from classifiers.tagger import Tagger
from monitor.alert.chart_minutes import Minutes
from monitor.alert.checked import Checked
from monitor.alert.decide import AlertPolicy
from monitor.alert.evidence import EvidenceMemory
from monitor.alert.steps import Described
from monitor.app.reviewed import about
from monitor.app.rows import with_numbers
from monitor.app.walked import Prepared, Walked
from monitor.clock import Clock, SystemClock
from monitor.cluster.clusters import Clusters
from monitor.cluster.narratives import narrative_id
from monitor.errors import SettingsError
from monitor.frames import Batch
from monitor.judge.judge import Judge
from monitor.judge.rates import Rates
from monitor.judge.readings import RaceReading
from monitor.judge.voices import spoken
from monitor.marks import AckMark, Correction, FactCheck, GapMark, MergeMark, Silence, SplitMark, StatusMark, in_turn
from monitor.match.matcher import Matcher
from monitor.match.threads import Threads
from monitor.match.voices import Voices
from monitor.records import Narrative, NarrativeState, Quoted
from monitor.saved import events_of, events_text
from monitor.tag.tagger import TagStage, kinds_of, said_of
from monitor.watched import Event, Exchange
from monitor.window.counts import Windows

UPTO = "walk/upto"
"""The state row that says how far the stream was walked."""
_EVENTS = "walk/events"
REMEMBERED = 200_000
"""Mentions that are known with text, thread, copies and narrative, and are read back from the archive at the start."""
PURE = ("match", "follow", "tag", "cluster", "window", "judge", "alert")
"""The stages in their order; the keys of `Walked.took`."""


class _Watched(msgspec.Struct, array_like=True):
    """An event that is watched, for the next run."""

    begun: int
    """How many mentions had been made when it began to be watched."""
    event: str
    """As JSON."""


class Walk:
    """collect ═▶ match ▶ tag ▶ cluster ▶ window ▶ judge ▶ alert policy ═▶ outbox."""

    def __init__(
        self, events: Sequence[Event], tagger: Tagger, clock: Clock | None = None, *, remembers: int = REMEMBERED
    ) -> None:
        """`clock` measures how long the stages take, and nothing else; `remembers` mentions are known in full."""
        prepared = self.prepared(events)
        self._events = by_name = prepared.events
        self._watched = {event.name: _Watched(0, events_text([event])) for event in events}
        self._upto: datetime | None = None
        self._coming: Prepared | None = None
        self._clock = clock or SystemClock()
        self._matcher, self._voices = prepared.matcher, prepared.voices
        self._threads = Threads(size=remembers)
        self._tag = TagStage(tagger, self._propositions(by_name), kinds=kinds_of(events), said=said_of(events))
        self._clusters = Clusters(events, size=remembers)
        self._windows = Windows()
        self._judge = Judge(by_name, rates_of(tagger))
        self._evidence = EvidenceMemory()
        self._minutes = Minutes()
        self._checked = Checked()
        self._policy = AlertPolicy(by_name, partial(narrative_id, specifics=""))
        self._later = (self._windows, self._judge, self._policy, self._evidence, self._minutes, self._checked)

    @staticmethod
    def prepared(events: Sequence[Event]) -> Prepared:
        """Compiles a set of events, touching no walk; raises SettingsError with a line per mistake in their terms."""
        try:
            return Prepared({event.name: event for event in events}, Matcher(events), Voices(events))
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
        before = self._events if self._upto is not None else None
        exchanged = self._exchange()
        gaps = [mark for mark in batch.marks if isinstance(mark, GapMark)]
        told = [mark for mark in batch.marks if isinstance(mark, StatusMark | Silence | AckMark)]
        known = self._threads.duplicates
        hits = self._matcher.find(batch.posts)
        laps.append(self._clock.monotonic())
        mentions = self._voices.recognise(self._threads.follow(batch.posts, hits, batch.upto))
        laps.append(self._clock.monotonic())
        tagged = self._tagged(mentions, [mark for mark in batch.marks if isinstance(mark, Correction)])
        laps.append(self._clock.monotonic())
        crowded = self._clusters.bounds()
        rulings = [mark for mark in batch.marks if isinstance(mark, MergeMark | SplitMark)]
        clustered = self._clusters.assign(tagged, rulings)
        laps.append(self._clock.monotonic())
        counted = self._windows.add(clustered, batch.upto, gaps)
        laps.append(self._clock.monotonic())
        said = spoken(clustered, self._events)
        judged = self._judge.decide(counted, batch.upto, (*batch.marks, *said))
        laps.append(self._clock.monotonic())
        self._evidence.add(clustered, self._clusters.gone())
        self._minutes.add(counted.ticks, judged.findings)
        self._checked.take(mark for mark in batch.marks if isinstance(mark, FactCheck))
        stands, passed = self._judge.state_of, judged.transitions
        alerts = self._policy.decide(
            judged.findings, counted, batch.upto, self._describe, (*told, *said), state_of=stands, passed=passed
        )
        alerts = [self._checked.shown(self._minutes.shown(alert)) for alert in alerts]
        self._upto = batch.upto
        state = exchanged | self._snapshot()
        laps.append(self._clock.monotonic())
        took = {stage: end - begin for stage, begin, end in zip(PURE, laps, laps[1:], strict=False)}
        return Walked(
            posts=batch.posts.height,
            mentions=clustered,
            counted=counted,
            judged=judged,
            alerts=alerts,
            state=state,
            upto=batch.upto,
            duplicates=self._threads.duplicates - known,
            took=took,
            exchanges=[Exchange(at=batch.upto, events=tuple(self._events.values()))] if before != self._events else [],
            said=said,
            crowded=_since(crowded, self._clusters.bounds()),
            removed={name: event for name, event in (before or {}).items() if name not in self._events},
        )

    def restore(
        self, state: Mapping[str, bytes], remembered: pl.DataFrame, corrections: Sequence[Correction] = ()
    ) -> None:
        """Goes on exactly where an earlier run left off.

        `state`: all rows that its batches left; `remembered`: REMEMBERED, from the archive of its mentions. An event
        that was not watched then begins now, one that is not watched any more is removed with the next batch.
        """
        self._tag.correct(corrections)
        if UPTO not in state:
            return
        self._upto = datetime.fromisoformat(state[UPTO].decode())
        before = msgspec.msgpack.decode(state[_EVENTS], type=dict[str, _Watched]) if _EVENTS in state else self._watched
        former = {name: events_of(one.event)[0] for name, one in before.items()}
        if former != self._events:
            self._coming = Prepared(self._events, self._matcher, self._voices)
        self._watched = before
        self._follow(former)
        made = self._threads.made_of(state)
        numbered = with_numbers(remembered, made)
        current = self._current(numbered)
        self._threads.restore(state, current)
        self._clusters.restore(state, numbered, current, made)
        for stage in self._later:
            stage.restore(state)

    def _tagged(self, mentions: pl.DataFrame, corrections: Sequence[Correction]) -> pl.DataFrame:
        """MENTIONS → TAGGED; a correction holds for what is seen from its time on."""
        parts = []
        for due, part in in_turn(mentions, corrections):
            self._tag.correct(due)
            parts.append(self._tag.tag(part))
        return parts[0] if len(parts) == 1 else pl.concat(parts)

    def _snapshot(self) -> dict[str, bytes]:
        """The rows of all stages that changed with the batch."""
        state = {UPTO: self._upto.isoformat().encode()} if self._upto is not None else {}
        for stage in (self._threads, self._clusters, *self._later):
            state |= stage.snapshot()
        return state

    def _exchange(self) -> dict[str, bytes]:
        """Watches the events that were prepared; gives the row that says so."""
        first = self._upto is None
        if self._coming is not None:
            prepared, self._coming = self._coming, None
            gone = self._events.keys() - prepared.events.keys()
            made = self._threads.made
            self._watched = {
                name: _Watched(self._watched[name].begun if name in self._watched else made, events_text([event]))
                for name, event in prepared.events.items()
            }
            self._follow(prepared.events)
            self._matcher, self._voices = prepared.matcher, prepared.voices
            for stage in (self._threads, self._windows, self._evidence, self._minutes, self._checked) if gone else ():
                stage.forget(gone)
        elif not first:
            return {}
        return {_EVENTS: msgspec.msgpack.encode(self._watched)}

    def _follow(self, events: Mapping[str, Event]) -> None:
        """The stages that know events are told of these; alerts first, while there is something to show of them."""
        self._policy.watch(events, self._upto, self._describe)
        self._events = events
        self._tag.watch(self._propositions(events), kinds_of(events.values()), said_of(events.values()))
        self._clusters.watch(list(events.values()))
        self._judge.watch(events)

    @staticmethod
    def _propositions(events: Mapping[str, Event]) -> dict[str, str]:
        return {event.name: event.proposition for event in events.values()}

    def _current(self, numbered: pl.DataFrame) -> pl.DataFrame:
        """The remembered mentions that were made since their event is watched, and the older ones that they name."""
        begun = {"event": list(self._watched), "begun": [one.begun for one in self._watched.values()]}
        known = numbered.join(pl.DataFrame(begun, schema={"event": pl.String, "begun": pl.Int64}), on="event")
        last = known.filter(~pl.col("older") & (pl.col("number") > pl.col("begun")))
        parents = last.select("platform", "event", pl.col("parent").alias("id")).unique()
        older = known.filter("older").join(parents, on=["platform", "event", "id"], how="semi", maintain_order="left")
        return pl.concat([older, last]).drop("begun")

    def label(self, event: str, narrative: str, at: datetime | None = None) -> str:
        """A narrative's one-line label (as it stood at a time), the proposition for the main one and the event itself.

        "" where the narrative's posts are forgotten or deleted, and for an event that is not watched.
        """
        return self._called(event, narrative, at)[0]

    def _called(self, event: str, narrative: str, at: datetime | None) -> tuple[str, Quoted | None]:
        """As `label`, and the post that it quotes."""
        known = self._clusters.narrative(event, narrative, at)
        if known is not None and known.label:
            return known.label, known.label_of
        if event in self._events and narrative in ("", narrative_id(event, "")):
            return self._events[event].proposition, None
        return "", None

    def narrative(self, event: str, identity: str) -> Narrative | None:
        """What is known of a narrative; None of one that was never seen, or long ago."""
        return self._clusters.narrative(event, identity)

    def merged(self, event: str) -> dict[str, str]:
        """Narratives that editors merged → what they belong to."""
        return self._clusters.merged(event)

    def suggested(self, event: str) -> list[tuple[str, str, float]]:
        """Pairs of narratives that may be one and how alike they are, the most alike first."""
        return self._clusters.suggested(event)

    def says(self, texts: pl.Series) -> list[list[int]]:
        """What each text (String) asserts, as SplitMark carries it."""
        return self._clusters.says(texts)

    def reads(self, mentions: pl.DataFrame) -> pl.Series:
        """What the tagger reads of each mention (MENTIONS), as the hash that a Correction carries."""
        return self._tag.reads(mentions)

    def about(self, checks: Sequence[FactCheck]) -> list[FactCheck]:
        """Each review once per event that it speaks of."""
        return about(self._matcher, checks)

    @property
    def waiting(self) -> pl.DataFrame:
        """POSTS that may still become mentions, since they wait for what they answer."""
        return self._threads.waiting

    def watermarks(self, at: datetime) -> dict[str, datetime]:
        """Event time up to which each source is complete at `at`."""
        return self._windows.watermarks(at)

    def races(self, event: str) -> list[RaceReading]:
        """Where the event's races stand now; for people to watch."""
        return self._judge.races(event)

    def states(self, event: str) -> dict[str, NarrativeState]:
        """Where the event's narratives stand now."""
        return self._judge.states(event)

    def _describe(self, event: str, narrative: str, at: datetime) -> Described:
        """The label and the evidence of a narrative as they stood at a tick."""
        label, of = self._called(event, narrative, at)
        return Described(label, self._evidence.of(event, narrative, at), of)


def rates_of(tagger: Tagger) -> Rates:
    """How often the tagger errs, for the judge: intervals over events where the artifact has them."""
    known = tagger.languages.get("all")
    return Rates.of_counts(tagger.confusion.counts) if known is None else Rates(known.rate, known.low, known.high)


def _since(before: tuple[int, int], now: tuple[int, int]) -> tuple[int, int]:
    return now[0] - before[0], now[1] - before[1]
