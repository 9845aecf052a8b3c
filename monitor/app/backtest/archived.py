"""The mentions of an archive → counts on disk, and what the desk said of the alerts that were sent.

Tags, narratives and copies are those that were given when a mention came, so nothing is matched or tagged again; marks
of the stream take effect when they did. What an archive does not have any more: authors of deleted mentions, each of
whom counts as another one now, and the pieces of an outage of a whole source.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from math import sqrt
from pathlib import Path
from typing import NamedTuple

import polars as pl

from monitor.alert.silence import made_at
from monitor.app.archived import while_they_lasted
from monitor.app.backtest.count import spoken
from monitor.app.backtest.counts import Counts, CountsWriter, Told, Totals
from monitor.app.backtest.stories import Outcome
from monitor.app.walk import UPTO
from monitor.cluster.narratives import narrative_id
from monitor.frames import Tag
from monitor.marks import GapMark, Mark, MergeMark, Silence, StatusMark
from monitor.records import Alert, Answer
from monitor.store.reader import Reader
from monitor.watched import Event
from monitor.window.counts import Windows

AT_ONCE = 65_536
WITHIN = timedelta(hours=1)
"""Two alerts about one narrative are one and the same if their findings began so close to each other."""
Z95 = 1.959964
_LONGEST_LABEL = 300


class Progress(NamedTuple):
    """How far the archive is read."""

    mentions: int
    upto: datetime


def count_archive(reader: Reader, events: Sequence[Event], folder: Path) -> Iterator[Progress]:
    """Counts the archived mentions of the events and writes the counts to `folder`."""
    windows, writer, totals = Windows(), CountsWriter(folder), Totals()
    names = [event.name for event in events]
    labels = _Labels(events, reader.alerts(None, 1_000_000))
    marked = reader.every_mark()
    marks = _Waiting([*marked, *while_they_lasted(marked)])
    number = 0
    upto: datetime | None = None
    while True:
        mentions, number = reader.following(number, AT_ONCE)
        if mentions.is_empty():
            break
        seen: datetime = mentions["seen_at"][-1]
        upto = max(seen, upto or seen)
        mine = mentions.filter(pl.col("event").is_in(names))
        told, gaps = marks.due(upto)
        writer.add(Counts(windows.add(mine, upto, gaps), upto, told))
        for call in labels.of(mine):
            writer.call(*call)
        writer.speak(spoken(mine, events))
        totals = Totals(
            posts=totals.posts + mine.height,
            mentions=totals.mentions + mine.height,
            begins=totals.begins or (mine["seen_at"][0] if mine.height else None),
            ends=mine["seen_at"][-1] if mine.height else totals.ends,
        )
        yield Progress(mentions.height, upto)
    end = _end(reader, upto)
    if end is not None:
        told, gaps = marks.due(end)
        writer.add(Counts(windows.add(mentions, end, gaps), end, told))
    writer.close(totals)


def _end(reader: Reader, upto: datetime | None) -> datetime | None:
    """How far the archive's stream was walked."""
    walked = reader.state_row(UPTO)
    ends = [upto + timedelta(seconds=1)] if upto is not None else []
    return max([*ends, *([datetime.fromisoformat(walked.decode())] if walked else [])], default=None)


class _Waiting:
    """Marks that take effect later in the stream."""

    def __init__(self, marks: Sequence[Mark]) -> None:
        self._marks = sorted(marks, key=_takes_effect)

    def due(self, upto: datetime) -> tuple[Told, list[GapMark]]:
        """What takes effect up to a time and did not before."""
        now = [mark for mark in self._marks if _takes_effect(mark) <= upto]
        self._marks = self._marks[len(now) :]
        told = Told(
            tuple(mark for mark in now if isinstance(mark, StatusMark)),
            tuple(mark for mark in now if isinstance(mark, Silence)),
            tuple(mark for mark in now if isinstance(mark, MergeMark)),
        )
        return told, [mark for mark in now if isinstance(mark, GapMark)]


def _takes_effect(mark: Mark) -> datetime:
    if isinstance(mark, GapMark):
        return mark.ends
    return made_at(mark) if isinstance(mark, Silence) else mark.at


class _Labels:
    """What narratives are called: as their alerts were, else by their first claim."""

    def __init__(self, events: Sequence[Event], alerts: Sequence[Alert]) -> None:
        self._alerted = {(alert.event, alert.narrative): alert.label for alert in alerts}
        self._known = {(event.name, narrative_id(event.name, "")) for event in events}

    def of(self, mentions: pl.DataFrame) -> Iterator[tuple[str, str, datetime, str]]:
        """The labels of narratives that are claimed for the first time; the proposition's own has none."""
        claims = mentions.filter((pl.col("tag") == Tag.CLAIM.value) & pl.col("narrative").is_not_null())
        first = claims.unique(["event", "narrative"], keep="first", maintain_order=True)
        for event, narrative, at, text in first.select("event", "narrative", "seen_at", "text").iter_rows():
            if (event, narrative) not in self._known:
                self._known.add((event, narrative))
                yield event, narrative, at, self._alerted.get((event, narrative)) or text[:_LONGEST_LABEL]


class Precision(NamedTuple):
    """Of the archived alerts that were answered, those that a point would have fired, too."""

    answered: int
    """All that were."""
    fired: int
    useful: int
    """Of those that the point would have fired."""
    all_useful: int
    """Of all that were answered."""

    @property
    def interval(self) -> tuple[float, float]:
        """Of the share that was useful; 95 %."""
        return wilson(self.useful, self.fired)


def precision(outcome: Outcome, alerts: Sequence[Alert], answers: Sequence[Answer]) -> Precision:
    """How useful the answered alerts were that a point would have fired: same narrative, begun within WITHIN."""
    said = {answer.alert: answer.useful for answer in answers}
    asked = [(alert, said[alert.id]) for alert in alerts if alert.id in said]
    again = [useful for alert, useful in asked if any(_same(alert, one.alert) for one in outcome.fired)]
    return Precision(len(asked), len(again), sum(again), sum(useful for _, useful in asked))


def _same(one: Alert, other: Alert) -> bool:
    about = (one.event, one.narrative) == (other.event, other.narrative)
    return about and abs(one.since - other.since) <= WITHIN


def wilson(hits: int, tries: int, z: float = Z95) -> tuple[float, float]:
    """The interval of a share by Wilson (1927); all of [0, 1] where nothing was tried."""
    if not tries:
        return 0.0, 1.0
    share = hits / tries
    middle = (share + z * z / (2 * tries)) / (1 + z * z / tries)
    half = z * sqrt(share * (1 - share) / tries + z * z / (4 * tries * tries)) / (1 + z * z / tries)
    return max(0.0, middle - half), min(1.0, middle + half)
