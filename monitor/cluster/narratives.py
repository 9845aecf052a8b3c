"""Mentions → the narrative they repeat or contest.

An answer belongs to its parent's narrative, a copy to its original's. Otherwise the specifics of the assertion decide:
a number it states ("17 killed"), or a person of the event it speaks of without naming the event itself ("Saleh has
fled"). What has no specifics is about the event's proposition. So claim and denial of one thing meet whatever their
language, and a narrative's id is a hash of event and specifics: the same on every machine and after every restart.
"""

import re
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from hashlib import blake2b
from itertools import takewhile
from sys import intern
from typing import NamedTuple

import msgspec
import polars as pl

from classifiers.text import fold_one
from monitor.frames import Tag
from monitor.records import Narrative
from monitor.watched import Event

SPECIFIC_WORDS = 5
NUMBER = re.compile(r"(?:^|\s)(\d{2,6})(?:\s|$)")
YEAR = re.compile(r"(?:19|20)\d\d$")
_PREFIX = "cluster/narrative/"


class _Rows(NamedTuple):
    """Mentions as `assign` sees them, one list per column."""

    key: list[str]
    parent: list[str | None]
    original: list[str | None]
    create: list[bool]
    asserts: list[bool]
    event: list[str]
    via: list[str]
    term: list[str | None]
    folded: list[str]
    number: Sequence[int]
    tagged: pl.DataFrame


class _Person(NamedTuple):
    """A person of an event: what is specific, and the folded spellings that say so; of several the last decides."""

    specific: str
    spellings: list[str]


class _Mention(NamedTuple):
    """What is remembered of a mention."""

    last: int
    """The number of the last mention that was it or referred to it."""
    narrative: str | None
    number: int
    """Its own."""


class _Begun(msgspec.Struct, array_like=True):
    """A narrative and the mention that began it."""

    narrative: Narrative
    key: str


def narrative_id(event: str, specifics: str) -> str:
    """The id of a narrative: 16 hex digits; `specifics` is "" for the event's own proposition."""
    return blake2b(f"{event}\0{specifics}".encode(), digest_size=8).hexdigest()


class Narratives:
    """Assigns narratives; remembers the last `size` mentions and their parents, and `most` narratives an event."""

    def __init__(self, events: Sequence[Event], *, size: int = 200_000, most: int = 500) -> None:
        self._people: dict[str, list[_Person]] = {}
        self._events = self._follow(events)
        self._size = size
        self._most = most
        self._mentions: dict[str, _Mention] = {}
        self._narratives: dict[str, dict[str, _Begun]] = {}
        self._removed: dict[tuple[str, str], datetime] = {}
        """Narratives whose first mention was deleted in the last call, and when."""
        self._changed: dict[str, bytes] = {}

    def get(self, event: str, narrative: str, at: datetime | None = None) -> Narrative | None:
        """What is known of a narrative of `event` (as it stood at a time); its label is "" if its author deleted it."""
        begun = self._narratives.get(event, {}).get(narrative)
        if begun is None:
            return None
        removed = self._removed.get((event, narrative))
        if removed is not None and (at is None or removed < at):
            return msgspec.structs.replace(begun.narrative, label="")
        return begun.narrative

    def per_event(self) -> dict[str, int]:
        """How many narratives each event has."""
        return {event: len(found) for event, found in self._narratives.items()}

    def number(self, key: str) -> int | None:
        """The number of a mention; None if it is not known any more."""
        found = self._mentions.get(key)
        return found.number if found is not None else None

    def assign(
        self, tagged: pl.DataFrame, words: pl.Series, copy_of: Sequence[str | None], numbers: Sequence[int]
    ) -> list[str | None]:
        """The narrative of each row, None for one that asserts nothing and answers nothing; rows in order.

        `numbers`: of a create its own, of others the last create's before it.
        """
        self._relabel()
        rows = self._rows(tagged, words, copy_of, numbers)
        found: list[str | None] = [None] * tagged.height
        waiting: Sequence[int] = range(tagged.height)
        here = set(rows.key)
        while waiting:
            later = [index for index in waiting if not self._assign_row(rows, index, found, here)]
            if len(later) == len(waiting):
                here = set()
            waiting = later
        if numbers:
            oldest = numbers[-1] - self._size
            for old in list(takewhile(lambda key: self._mentions[key].last <= oldest, self._mentions)):
                del self._mentions[old]
        return found

    def _rows(
        self, tagged: pl.DataFrame, words: pl.Series, copy_of: Sequence[str | None], numbers: Sequence[int]
    ) -> _Rows:
        columns = tagged.with_columns(pl.Series("original", copy_of, dtype=pl.String)).select(
            mention_key("id").alias("key"),
            mention_key("parent").alias("parent"),
            mention_key("original").alias("original"),
            (pl.col("op") == "create").alias("create"),
            (pl.col("tag") != Tag.OTHER).alias("asserts"),
            "event",
            "via",
            "term",
        )
        key, parent, original, create, asserts, event, via, term = (column.to_list() for column in columns)
        folded = words.list.join(" ").to_list()
        return _Rows(key, parent, original, create, asserts, event, via, term, folded, numbers, tagged)

    def _assign_row(self, rows: _Rows, index: int, found: list[str | None], here: set[str]) -> bool:
        """Decides one row; False where the mention it answers stands in this batch and is not decided yet."""
        key, number, mentions = rows.key[index], rows.number[index], self._mentions
        if not rows.create[index]:
            known = mentions.get(key)
            found[index] = known.narrative if known is not None and known.last > number - self._size else None
            return True
        parent = rows.parent[index]
        target = rows.original[index] if parent is None else parent
        known = mentions.get(target) if target is not None else None
        if known is not None:
            found[index] = known.narrative
            if parent is not None:
                self._refer(parent, number)
        elif target is not None and target != key and target in here:
            return False
        elif rows.asserts[index]:
            found[index] = self._found(rows, index)
        mentions.pop(key, None)
        mentions[key] = _Mention(number, found[index], number)
        return True

    def _refer(self, key: str, number: int) -> None:
        """A known mention was referred to by mention `number`, and stays longer for it."""
        known = self._mentions[key]
        if number > known.last:
            del self._mentions[key]
            self._mentions[key] = _Mention(number, known.narrative, known.number)

    def _found(self, rows: _Rows, index: int) -> str:
        """The narrative with the row's specifics, begun with it where it is new and there is room."""
        event, specific = rows.event[index], self._specific(rows, index)
        narratives = self._narratives.setdefault(event, {})
        identity = narrative_id(event, specific)
        if identity not in narratives:
            if specific and len(narratives) >= self._most:
                identity = narrative_id(event, "")
            self._begin(identity, event, rows, index)
        return narratives[identity].narrative.id

    def _begin(self, identity: str, event: str, rows: _Rows, index: int) -> None:
        """Notes a narrative whose first mention is row `index`; a known one stays as it is."""
        if identity in self._narratives[event]:
            return
        main = identity == narrative_id(event, "")
        label = "" if main else (rows.tagged["text"][index] or "")[:300]
        first_seen = rows.tagged["seen_at"][index]
        begun = _Begun(Narrative(id=identity, event=event, label=label, first_seen=first_seen), rows.key[index])
        self._keep(begun)

    def _keep(self, begun: _Begun) -> None:
        event, identity = begun.narrative.event, begun.narrative.id
        self._narratives[event][identity] = begun
        self._changed[f"{_PREFIX}{event}/{identity}"] = msgspec.msgpack.encode(begun)

    def delete(self, key: str, event: str, at: datetime) -> None:
        """A mention was deleted: no narrative is called by its text from then on."""
        known = self._mentions.get(key)
        begun = self._narratives.get(event, {}).get(known.narrative or "") if known is not None else None
        if begun is not None and begun.key == key:
            self._removed.setdefault((event, begun.narrative.id), at)

    def _relabel(self) -> None:
        """Drops the labels of narratives whose first mention was deleted."""
        for event, identity in self._removed:
            begun = self._narratives[event][identity]
            self._keep(_Begun(msgspec.structs.replace(begun.narrative, label=""), begun.key))
        self._removed = {}

    def _specific(self, rows: _Rows, index: int) -> str:
        """What a row's assertion is specific about: `number:17`, `person:saleh`, or ""."""
        folded = rows.folded[index]
        if folded.count(" ") < SPECIFIC_WORDS - 1:
            return ""
        number = NUMBER.search(folded)
        if number is not None and not YEAR.match(number[1]):
            return f"number:{number[1]}"
        event = rows.event[index]
        if rows.via[index] == "term" and rows.term[index] not in self._events[event].any:
            for person in self._people.get(event, ()):
                if any(spelling in folded for spelling in person.spellings):
                    return person.specific
        return ""

    def watch(self, events: Sequence[Event]) -> None:
        """Exchanges the events; what is known of those that are gone is forgotten."""
        gone = self._events.keys() - {event.name for event in events}
        self._events = self._follow(events)
        if gone:
            self._forget(gone)

    def _follow(self, events: Sequence[Event]) -> dict[str, Event]:
        """Folds the names of the events' people; gives the events by name."""
        self._people = {
            event.name: [
                _Person(f"person:{fold_one(name)}", [fold_one(text) for text in (name, *spellings)])
                for name, spellings in reversed(event.people.items())
            ]
            for event in events
        }
        return {event.name: event for event in events}

    def _forget(self, events: Collection[str]) -> None:
        for event in events:
            for identity in self._narratives.pop(event, {}):
                self._changed[f"{_PREFIX}{event}/{identity}"] = b""
        self._removed = {pair: at for pair, at in self._removed.items() if pair[0] not in events}
        for key in [key for key in self._mentions if key.split("\0")[1] in events]:
            del self._mentions[key]

    def snapshot(self) -> dict[str, bytes]:
        """The state's rows that changed since the last call; an empty row is one to delete."""
        self._relabel()
        rows, self._changed = self._changed, {}
        return rows

    def restore(self, rows: Mapping[str, bytes], remembered: pl.DataFrame) -> None:
        """Goes on where the narratives that gave all these rows left off; `remembered`: REMEMBERED with `number`."""
        for key, row in rows.items():
            if key.startswith(_PREFIX) and row:
                begun = msgspec.msgpack.decode(row, type=_Begun)
                self._narratives.setdefault(begun.narrative.event, {})[begun.narrative.id] = begun
        made = remembered.select(mention_key("id").alias("key"), "narrative", "number")
        referred = remembered.filter(~pl.col("older")).select(mention_key("parent").alias("key"), "number")
        last = (
            pl.concat([made.select("key", "number"), referred.drop_nulls()]).group_by("key").agg(pl.col("number").max())
        )
        ordered = made.join(last.rename({"number": "last"}), on="key", maintain_order="left").sort("last", "number")
        for part in ordered.iter_slices():
            lists = (column.to_list() for column in part)
            for key, narrative, number, touched in zip(*lists, strict=True):
                self._mentions[key] = _Mention(touched, narrative if narrative is None else intern(narrative), number)


def mention_key(name: str) -> pl.Expr:
    """Platform, event and id in one string; null where the id is."""
    return pl.concat_str("platform", "event", name, separator="\0")
