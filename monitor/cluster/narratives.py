"""Mentions → the narrative they repeat or contest.

An answer belongs to its parent's narrative, a copy to its original's. Otherwise the specifics of the assertion decide:
a number it states ("17 killed"), or a person of the event it speaks of without naming the event itself ("Saleh has
fled"). What has no specifics is about the event's proposition. So claim and denial of one thing meet whatever their
language, and a narrative's id is a hash of event and specifics: the same on every machine and after every restart.
"""

from collections.abc import Sequence
from datetime import datetime
from hashlib import blake2b
from typing import NamedTuple

import polars as pl

from classifiers.text import fold_one
from monitor.frames import Tag
from monitor.records import Event, Narrative

SPECIFIC_WORDS = 5
NUMBER = r"(?:^|\s)(\d{2,6})(?:\s|$)"
YEAR = r"^(?:19|20)\d\d$"


_Key = tuple[str, str, str]
"""platform, event, id"""
_Row = tuple[str, str, str, str | None, str, str, datetime, str]


class _Known(NamedTuple):
    narrative: str | None
    number: int


def narrative_id(event: str, specifics: str) -> str:
    """The id of a narrative: 16 hex digits; `specifics` is "" for the event's own proposition."""
    return blake2b(f"{event}\0{specifics}".encode(), digest_size=8).hexdigest()


class Narratives:
    """Assigns narratives; remembers the last `size` mentions, for their answers, and `most` narratives an event."""

    def __init__(self, events: Sequence[Event], *, size: int = 200_000, most: int = 500) -> None:
        self._events = {event.name: event for event in events}
        self._size = size
        self._most = most
        self._count = 0
        self._posts: dict[_Key, _Known] = {}
        self._narratives: dict[str, dict[str, Narrative]] = {}

    def get(self, event: str, narrative: str) -> Narrative | None:
        """What is known of a narrative of `event`."""
        return self._narratives.get(event, {}).get(narrative)

    def per_event(self) -> dict[str, int]:
        """How many narratives each event has."""
        return {event: len(found) for event, found in self._narratives.items()}

    def assign(self, tagged: pl.DataFrame, words: pl.Series, copy_of: Sequence[str | None]) -> list[str | None]:
        """The narrative of each row, None for one that asserts nothing and answers nothing; rows in order."""
        target = pl.when(pl.col("via") == "known").then(pl.col("id")).otherwise(pl.coalesce("parent", "original"))
        rows = list(
            tagged.with_columns(
                pl.Series("original", copy_of, dtype=pl.String), pl.Series("specific", self._specifics(tagged, words))
            )
            .select("platform", "event", "id", target.alias("target"), "tag", "specific", "seen_at", "text")
            .iter_rows()
        )
        found: dict[int, str | None] = {}
        waiting: Sequence[int] = range(len(rows))
        here = {(row[0], row[1], row[2]) for row in rows}
        while waiting:
            later = [index for index in waiting if not self._assign_row(rows[index], index, found, here)]
            if len(later) == len(waiting):
                here = set()
            waiting = later
        return [found[index] for index in range(len(rows))]

    def _assign_row(self, row: _Row, index: int, found: dict[int, str | None], here: set[_Key]) -> bool:
        """Decides one row; False where the mention it answers stands in this batch and is not decided yet."""
        platform, event, post, target, tag, specific, seen_at, text = row
        known = self._recall((platform, event, target)) if target else None
        if known is None and target and target != post and (platform, event, target) in here:
            return False
        if known is not None:
            narrative = known.narrative
        elif tag == Tag.OTHER:
            narrative = None
        else:
            narrative = self._found(event, specific, text, seen_at)
        found[index] = narrative
        self._remember((platform, event, post), narrative)
        return True

    def remember(self, clustered: pl.DataFrame) -> None:
        """Refills the memory from archived mentions, in order."""
        for row in clustered.select("platform", "event", "id", "narrative", "seen_at", "text").iter_rows():
            self._remember((row[0], row[1], row[2]), row[3])

    def _recall(self, key: _Key) -> _Known | None:
        known = self._posts.get(key)
        return known if known is not None and known.number > self._count - self._size else None

    def _remember(self, key: _Key, narrative: str | None) -> None:
        self._posts[key] = _Known(narrative, self._count)
        self._count += 1
        if self._count % self._size == 0:
            oldest = self._count - self._size
            self._posts = {key: known for key, known in self._posts.items() if known.number > oldest}

    def _found(self, event: str, specific: str, text: str, seen_at: datetime) -> str:
        """The narrative with these specifics, begun with this post where it is new and there is room."""
        narratives = self._narratives.setdefault(event, {})
        identity = narrative_id(event, specific)
        if identity not in narratives:
            if specific and len(narratives) >= self._most:
                return self._found(event, "", text, seen_at)
            label = text if specific else self._events[event].proposition
            narratives[identity] = Narrative(id=identity, event=event, label=label[:300], first_seen=seen_at)
        return identity

    def _specifics(self, tagged: pl.DataFrame, words: pl.Series) -> pl.Series:
        """What each row's assertion is specific about: `number:17`, `person:saleh`, or ""."""
        frame = tagged.select("event", "term", "via").with_columns(words.list.join(" ").alias("folded"))
        number = pl.col("folded").str.extract(NUMBER)
        number = pl.when(~number.str.contains(YEAR)).then(pl.concat_str(pl.lit("number:"), number))
        person = pl.lit(None, dtype=pl.String)
        for event in self._events.values():
            unnamed = (pl.col("event") == event.name) & (pl.col("via") == "term") & ~pl.col("term").is_in(event.any)
            for name, spellings in event.people.items():
                named = pl.col("folded").str.contains_any([fold_one(text) for text in (name, *spellings)])
                person = pl.when(unnamed & named).then(pl.lit(f"person:{fold_one(name)}")).otherwise(person)
        enough = words.list.len() >= SPECIFIC_WORDS
        chosen = pl.when(enough).then(pl.coalesce(number, person)).fill_null("")
        return frame.select(chosen.alias("specific")).to_series()
