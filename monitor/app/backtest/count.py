"""Recorded posts, or the mentions of an archive → counts on disk: what the whole grid is judged from."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from pathlib import Path

import polars as pl

from classifiers.tagger import Tagger
from monitor.app.backtest.counts import VOICES, Counts, CountsWriter, Told, Totals
from monitor.app.walk import Walk
from monitor.app.walked import Walked
from monitor.clock import Clock
from monitor.frames import Batch
from monitor.marks import MergeMark, Silence, StatusMark
from monitor.watched import Event, VoiceKind

_SECOND = timedelta(seconds=1)


def count_recording(
    batches: Iterable[Batch], events: Sequence[Event], tagger: Tagger, folder: Path, clock: Clock
) -> Iterator[Batch]:
    """Walks a recording and writes its counts to `folder`; gives each batch back once it is counted.

    What the events' own rules decide on the way is not used.
    """
    walk = Walk(events, tagger, clock)
    writer, labels, totals = CountsWriter(folder), _Labels(walk), Totals()
    for batch in batches:
        walked = walk(batch)
        told = Told(
            (*(mark for mark in batch.marks if isinstance(mark, StatusMark)), *walked.said),
            tuple(mark for mark in batch.marks if isinstance(mark, Silence)),
            tuple(mark for mark in batch.marks if isinstance(mark, MergeMark)),
        )
        writer.add(Counts(walked.counted, walked.upto, told))
        for call in labels.of(walked):
            writer.call(*call)
        writer.speak(spoken(walked.mentions, events))
        totals = _more(totals, batch, walked)
        yield batch
    writer.close(totals)


def spoken(clustered: pl.DataFrame, events: Iterable[Event]) -> pl.DataFrame:
    """VOICES: what registered voices that are no party said, of narratives and of events as a whole."""
    known = [(event.name, voice.name) for event in events for voice in event.voices if voice.kind != VoiceKind.PARTY]
    if not known or clustered["voice"].null_count() == clustered.height:
        return pl.DataFrame(schema=VOICES)
    official = pl.DataFrame(known, schema=["event", "voice"], orient="row")
    clustered = clustered.join(official, on=["event", "voice"], how="semi", maintain_order="left")
    own = (pl.col("op") == "create") & pl.col("voice").is_not_null() & pl.col("repost_of").is_null()
    said = clustered.filter(own).select("event", "narrative", pl.col("seen_at").alias("at"), "voice")
    whole = said.with_columns(pl.lit("").alias("narrative"))
    return pl.concat([whole, said.filter(pl.col("narrative").is_not_null())]).select(VOICES.keys())


def _more(totals: Totals, batch: Batch, walked: Walked) -> Totals:
    seen = batch.posts["seen_at"]
    created = int(walked.mentions.select((pl.col("op") == "create").sum()).item())
    return Totals(
        posts=totals.posts + walked.posts,
        mentions=totals.mentions + created,
        begins=totals.begins or (seen[0] if len(seen) else None),
        ends=seen[-1] if len(seen) else totals.ends,
        rejected=totals.rejected + sum(batch.rejected.values()),
    )


class _Labels:
    """Follows what narratives are called."""

    def __init__(self, walk: Walk) -> None:
        self._walk = walk
        self._last: dict[tuple[str, str], str] = {}

    def of(self, walked: Walked) -> Iterator[tuple[str, str, datetime, str]]:
        """What the narratives of a batch are called that are called otherwise than before, and since when."""
        touched = walked.mentions.filter(pl.col("narrative").is_not_null())
        for event, narrative in touched.select("event", "narrative").unique(maintain_order=True).iter_rows():
            label, before = self._walk.label(event, narrative), self._last.get((event, narrative))
            if label == before:
                continue
            self._last[event, narrative] = label
            seconds = touched.filter(event=event)["seen_at"].dt.truncate("1s").unique(maintain_order=True)
            for second in seconds:
                at = second + _SECOND
                now = self._walk.label(event, narrative, at)
                if now != before:
                    yield event, narrative, at, now
                    before = now
