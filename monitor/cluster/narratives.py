"""Mentions → the narrative they repeat or contest.

An answer belongs to its parent's narrative, a copy to its original's. Otherwise the specifics of the assertion decide:
a number it states ("17 killed"), or a person of the event it speaks of without naming the event itself ("Saleh has
fled"). What has no specifics is about the event's proposition. So claim and denial of one thing meet whatever their
language, and a narrative's id is a hash of event and specifics: the same on every machine and after every restart.
"""

from collections.abc import Sequence
from hashlib import blake2b
from typing import NamedTuple

import polars as pl

from classifiers.text import fold_one
from monitor.frames import Tag
from monitor.records import Event, Narrative

SPECIFIC_WORDS = 5
NUMBER = r"(?:^|\s)(\d{2,6})(?:\s|$)"
YEAR = r"^(?:19|20)\d\d$"


class _Rows(NamedTuple):
    """Mentions as `assign` sees them, one list per column."""

    key: list[str]
    target: list[str | None]
    asserts: list[bool]
    specific: list[str]
    tagged: pl.DataFrame


def narrative_id(event: str, specifics: str) -> str:
    """The id of a narrative: 16 hex digits; `specifics` is "" for the event's own proposition."""
    return blake2b(f"{event}\0{specifics}".encode(), digest_size=8).hexdigest()


class Narratives:
    """Assigns narratives; remembers at least the last `size` mentions, and `most` narratives an event.

    The memory is two generations of mentions: when the younger one is full the older is forgotten, which depends on
    the number of mentions only and not on how they came in batches.
    """

    def __init__(self, events: Sequence[Event], *, size: int = 200_000, most: int = 500) -> None:
        self._events = {event.name: event for event in events}
        self._size = size
        self._most = most
        self._young: dict[str, str | None] = {}
        self._old: dict[str, str | None] = {}
        self._narratives: dict[str, dict[str, Narrative]] = {}

    def get(self, event: str, narrative: str) -> Narrative | None:
        """What is known of a narrative of `event`."""
        return self._narratives.get(event, {}).get(narrative)

    def per_event(self) -> dict[str, int]:
        """How many narratives each event has."""
        return {event: len(found) for event, found in self._narratives.items()}

    def assign(self, tagged: pl.DataFrame, words: pl.Series, copy_of: Sequence[str | None]) -> list[str | None]:
        """The narrative of each row, None for one that asserts nothing and answers nothing; rows in order."""
        rows = self._rows(tagged, words, copy_of)
        found: list[str | None] = [None] * tagged.height
        waiting: Sequence[int] = range(tagged.height)
        here = set(rows.key)
        while waiting:
            later = [index for index in waiting if not self._assign_row(rows, index, found, here)]
            if len(later) == len(waiting):
                here = set()
            waiting = later
        return found

    def remember(self, clustered: pl.DataFrame) -> None:
        """Refills the memory from archived mentions, in order."""
        named = clustered.select(_key("id"), "narrative")
        for key, narrative in named.iter_rows():
            self._remember(key, narrative)
        first = clustered.drop_nulls("narrative").unique("narrative", keep="first", maintain_order=True)
        for index, (event, narrative) in enumerate(first.select("event", "narrative").iter_rows()):
            if event in self._events:
                self._begin(narrative, event, first, index)

    def _rows(self, tagged: pl.DataFrame, words: pl.Series, copy_of: Sequence[str | None]) -> _Rows:
        target = pl.when(pl.col("via") == "known").then(pl.col("id")).otherwise(pl.coalesce("parent", "original"))
        columns = tagged.with_columns(pl.Series("original", copy_of, dtype=pl.String)).with_columns(
            target.alias("target")
        )
        columns = columns.select(_key("id").alias("key"), _key("target").alias("target"), pl.col("tag") != Tag.OTHER)
        specific = self._specifics(tagged, words).to_list()
        key, target_key, asserts = (columns[name].to_list() for name in ("key", "target", "tag"))
        return _Rows(key, target_key, asserts, specific, tagged)

    def _assign_row(self, rows: _Rows, index: int, found: list[str | None], here: set[str]) -> bool:
        """Decides one row; False where the mention it answers stands in this batch and is not decided yet."""
        key, target = rows.key[index], rows.target[index]
        if target is not None and target in self._young:
            found[index] = self._young[target]
        elif target is not None and target in self._old:
            found[index] = self._old[target]
        elif target is not None and target != key and target in here:
            return False
        elif rows.asserts[index]:
            found[index] = self._found(rows, index)
        self._remember(key, found[index])
        return True

    def _remember(self, key: str, narrative: str | None) -> None:
        self._young[key] = narrative
        if len(self._young) >= self._size:
            self._young, self._old = {}, self._young

    def _found(self, rows: _Rows, index: int) -> str:
        """The narrative with the row's specifics, begun with it where it is new and there is room."""
        event: str = rows.tagged["event"][index]
        narratives = self._narratives.setdefault(event, {})
        specific = rows.specific[index]
        identity = narrative_id(event, specific)
        if identity not in narratives:
            if specific and len(narratives) >= self._most:
                identity = narrative_id(event, "")
            self._begin(identity, event, rows.tagged, index)
        return identity

    def _begin(self, identity: str, event: str, tagged: pl.DataFrame, index: int) -> None:
        """Notes a narrative whose first mention is row `index`; a known one stays as it is."""
        main = identity == narrative_id(event, "")
        label = self._events[event].proposition if main else (tagged["text"][index] or "")[:300]
        begun = Narrative(id=identity, event=event, label=label, first_seen=tagged["seen_at"][index])
        self._narratives.setdefault(event, {}).setdefault(identity, begun)

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


def _key(name: str) -> pl.Expr:
    """Platform, event and id in one string; null where the id is."""
    return pl.concat_str("platform", "event", name, separator="\0")
