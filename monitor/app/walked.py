"""What one batch became on its way through the stages."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

import polars as pl

from monitor.frames import Counted
from monitor.judge.judge import Judged
from monitor.marks import StatusMark
from monitor.match.matcher import Matcher
from monitor.match.voices import Voices
from monitor.records import Alert
from monitor.watched import Event, Exchange


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
    exchanges: Sequence[Exchange] = ()
    """Other events than before are watched from this batch on."""
    said: Sequence[StatusMark] = ()
    """What registered voices set by their own word."""
    removed: Mapping[str, Event] = {}
    """Events that are watched no more from this batch on, by name."""
    crowded: tuple[int, int] = (0, 0)
    """Narratives that made room for others, and originals for which there was no narrative."""


class Prepared(NamedTuple):
    """A set of events, ready to be watched: nothing of it can fail any more."""

    events: Mapping[str, Event]
    """By name."""
    matcher: Matcher
    voices: Voices
