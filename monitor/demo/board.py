"""What the demo's view shows: sums over what the walk handed on, and the messages that reached the chat. No I/O."""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import polars as pl

from monitor.app import Walked
from monitor.frames import TAGS, Tag
from monitor.judge.readings import RaceReading
from monitor.judge.spike import Reading
from monitor.records import Alert, AlertState

BUCKET = timedelta(minutes=5)
RATE = timedelta(minutes=15)
"""The span a rate per minute is taken over."""


class Step(NamedTuple):
    """What one batch of the story became."""

    posts: pl.DataFrame
    """POSTS, as they went in."""
    walked: Walked
    races: Sequence[RaceReading]
    """Where the event's races stand after it."""
    labels: Mapping[str, str]
    """Narrative → label, at least of those that appear in it for the first time."""


class Line(NamedTuple):
    """A narrative."""

    id: str
    label: str
    claims: int
    denials: int
    state: str


class Feed(NamedTuple):
    """A platform's posts so far and when the last of them was seen."""

    platform: str
    posts: int
    last_seen: datetime


class Board:
    """What is known at one moment of the story."""

    def __init__(self, title: str, begins: datetime, ends: datetime) -> None:
        self.title = title
        self.begins = begins
        self.ends = ends
        self.now = begins
        self.posts = 0
        self.mentions = 0
        self._level: Reading | None = None
        self.races: Sequence[RaceReading] = ()
        self.alerts: list[Alert] = []
        self.card = ""
        """The last message as the chat has it."""
        self.messages = 0
        size = (ends - begins) // BUCKET + 2
        self._tags: npt.NDArray[np.int64] = np.zeros((size, len(TAGS)), np.int64)
        self._sides: dict[str, Counter[str]] = {}
        self._labels: dict[str, str] = {}
        self._feeds: dict[str, Feed] = {}

    def add(self, step: Step) -> None:
        """Takes a walked batch."""
        walked = step.walked
        self.now = walked.upto
        self.posts += walked.posts
        self.races = step.races
        self._level = next((reading.reading for reading in walked.judged.readings), self._level)
        self.alerts += walked.alerts
        self._labels.update(step.labels)
        mentions = walked.mentions.filter(pl.col("op") == "create")
        self.mentions += mentions.height
        self._add_tags(mentions)
        self._add_feeds(step.posts)
        told = walked.counted.ticks.filter(pl.col("narrative") != "").group_by("narrative", maintain_order=True)
        for name, claims, denials in told.agg(pl.col("claims", "denials").sum()).iter_rows():
            self._sides.setdefault(name, Counter()).update(claims=claims, denials=denials)

    def show(self, messages: Sequence[str]) -> None:
        """Takes the texts of all messages that the chat received."""
        self.messages = len(messages)
        self.card = messages[-1] if messages else ""

    def level(self) -> Reading | None:
        """The event's posts of the last ten minutes against what is normal; None before the first post."""
        return self._level

    def fired(self, rule: str) -> Alert | None:
        """The first alert of `rule` that fired."""
        return next((alert for alert in self.alerts if alert.rule == rule and alert.state is AlertState.FIRING), None)

    def race(self) -> RaceReading | None:
        """The race to watch: one that holds before others, then the largest; None where none runs."""
        return max(self.races, key=lambda race: (race.holds, race.claims + race.denials, race.narrative), default=None)

    def label(self, narrative: str) -> str:
        """A narrative's one-line label: hostile text."""
        return self._labels.get(narrative, narrative)

    def latest(self) -> list[Alert]:
        """The last step of every alert, the newest step first."""
        last = {alert.id: alert for alert in self.alerts}
        return sorted(last.values(), key=lambda alert: (alert.at, alert.id), reverse=True)

    def history(self, columns: int, span: timedelta) -> dict[Tag, list[float]]:
        """Posts per minute and tag in `columns` equal parts of the last `span`; parts before the story are 0."""
        end = self._bucket(self.now)
        per = max(1, -(-(span // BUCKET) // columns))
        padded = np.concatenate([np.zeros((per * columns, len(TAGS)), np.int64), self._tags[: end + 1]])
        parts = padded[-per * columns :].reshape(columns, per, len(TAGS)).sum(axis=1)
        minutes = per * (BUCKET / timedelta(minutes=1))
        return {tag: (parts[:, number] / minutes).tolist() for number, tag in enumerate(TAGS)}

    def rates(self) -> dict[Tag, float]:
        """Posts per minute and tag over the last RATE."""
        end = self._bucket(self.now)
        last = self._tags[max(0, end - RATE // BUCKET) : end].sum(axis=0) / (RATE / timedelta(minutes=1))
        return {tag: float(last[number]) for number, tag in enumerate(TAGS)}

    def totals(self) -> dict[Tag, int]:
        """Posts per tag so far."""
        return {tag: int(count) for tag, count in zip(TAGS, self._tags.sum(axis=0), strict=True)}

    def narratives(self) -> list[Line]:
        """All narratives with a side taken, the largest first."""
        states = {alert.narrative: alert.state for alert in reversed(self.latest())}
        lines = [
            Line(name, self.label(name), sides["claims"], sides["denials"], _state(sides, states.get(name)))
            for name, sides in self._sides.items()
            if sides.total()
        ]
        return sorted(lines, key=lambda line: (-line.claims - line.denials, line.id))

    def feeds(self) -> list[Feed]:
        """Every platform seen, the largest first."""
        return sorted(self._feeds.values(), key=lambda feed: (-feed.posts, feed.platform))

    def _bucket(self, moment: datetime) -> int:
        return min(max((moment - self.begins) // BUCKET, 0), len(self._tags) - 1)

    def _add_tags(self, mentions: pl.DataFrame) -> None:
        place = (
            (pl.col("seen_at") - self.begins).dt.total_microseconds() // (BUCKET // timedelta(microseconds=1))
        ).clip(0, len(self._tags) - 1)
        counts = mentions.group_by(place.alias("bucket"), pl.col("tag").to_physical().alias("tag")).len()
        np.add.at(self._tags, (counts["bucket"].to_numpy(), counts["tag"].to_numpy()), counts["len"].to_numpy())

    def _add_feeds(self, posts: pl.DataFrame) -> None:
        for platform, count, last in posts.group_by("platform").agg(pl.len(), pl.col("seen_at").max()).iter_rows():
            known = self._feeds.get(platform)
            self._feeds[platform] = Feed(platform, count + (known.posts if known else 0), last)


def _state(sides: Mapping[str, int], alert: AlertState | None) -> str:
    """A word for where a narrative stands."""
    if alert in {AlertState.FIRING, AlertState.ACKNOWLEDGED}:
        return "viral-unconfirmed"
    if alert is AlertState.PENDING:
        return "rising"
    return "contested" if sides["denials"] >= max(1, sides["claims"]) else "watch"
