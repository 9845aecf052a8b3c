"""Mentions → the narrative they repeat or contest.

An answer belongs to its parent's narrative, a copy to its original's. What is left are originals:

* one that asserts no more than the event's proposition is about the proposition: the event's main narrative;
* where the event has terms, naming it is enough for that, unless there is something specific: a number it states
  ("17 killed"), a person of the event it speaks of without naming the event ("Saleh has fled"), or a narrative of its
  own that it is nearer to than to the main one. So claim and denial of one thing meet whatever their language;
* where every post is taken (`any = ["*"]`), it joins the narrative it is nearest to, if that is near enough, or begins
  one. A text of fewer than eight words joins none by nearness alone: it must repeat one but for a word.

A narrative's id is a hash of the event and its specifics, or of the mention that began it: the same on every machine.
"""

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from hashlib import blake2b
from typing import Final, NamedTuple

import polars as pl

from classifiers.text import fold_one
from monitor.cluster.asserted import Asserter, Said
from monitor.cluster.begun import Begun, Post
from monitor.cluster.mentions import Mentions, mention_key
from monitor.frames import Tag
from monitor.marks import Ruling
from monitor.records import Narrative
from monitor.watched import Event

JOINS: Final = 0.18
"""Nearness from which on an original joins a narrative,"""
REPEATED_WORDS: Final = 6
"""… and if it repeats one, lacking a word or two."""
JOINS_NAMED: Final = 0.5
"""Nearness from which on it does where its event has terms: there, naming the event is about the proposition."""
SUGGESTED: Final = 0.5
"""Cosine from which on two narratives are suggested to an editor as one."""
LONG_ENOUGH: Final = 8
"""Words from which on nearness alone decides."""
SPECIFIC_WORDS: Final = 5
_EVERYTHING: Final = ("*",)
NUMBER = re.compile(r"(?:^|\s)(\d{2,6})(?:\s|$)")
YEAR = re.compile(r"(?:19|20)\d\d$")


class _Rows(NamedTuple):
    """Mentions as `assign` sees them, one list per column."""

    key: list[str]
    parent: list[str | None]
    original: list[str | None]
    create: list[bool]
    tag: list[str]
    event: list[str]
    via: list[str]
    term: list[str | None]
    folded: list[str]
    number: Sequence[int]
    said: Mapping[int, Said]
    """Of those that may be originals."""
    tagged: pl.DataFrame

    def post(self, index: int) -> Post:
        """What a narrative must know of a mention that joins it."""
        return self.key[index], self.tag[index], self.tagged, index, self.number[index]


class _Person(NamedTuple):
    """A person of an event: what is specific, and the folded spellings that say so; of several the last decides."""

    specific: str
    spellings: list[str]


def narrative_id(event: str, specifics: str) -> str:
    """The id of a narrative: 16 hex digits; `specifics` is "" for the event's own proposition."""
    return blake2b(f"{event}\0{specifics}".encode(), digest_size=8).hexdigest()


class Narratives:
    """Assigns narratives; remembers the last `size` mentions and their parents, and a bounded number of narratives."""

    def __init__(self, events: Sequence[Event], *, size: int = 200_000, joins: float = JOINS) -> None:
        self._joins = joins
        self._asserter = Asserter()
        self._mentions = Mentions(size)
        self._begun = Begun()
        self._people: dict[str, list[_Person]] = {}
        self._open: list[str] = []
        """Events that take every post."""
        self._events = self._follow(events)

    def get(self, event: str, narrative: str, at: datetime | None = None) -> Narrative | None:
        """What is known of a narrative of `event` (as it stood at a time); its label is "" if its author deleted it."""
        return self._begun.records.get(event, narrative, at)

    def per_event(self) -> dict[str, int]:
        """How many narratives each event has."""
        return self._begun.records.per_event()

    def merged(self, event: str) -> dict[str, str]:
        """Narratives that editors merged → what they belong to."""
        return self._begun.merged(event)

    def suggested(self, event: str) -> list[tuple[str, str, float]]:
        """Pairs of narratives that may be one and how alike they are, the most alike first."""
        return self._begun.suggested(event, SUGGESTED)

    def bounds(self) -> tuple[int, int]:
        """Narratives that made room for others, and originals for which there was none, since the start."""
        return self._begun.forgotten, self._begun.refused

    def says(self, texts: pl.Series) -> list[list[int]]:
        """What each text (String) asserts, as SplitMark carries it."""
        return [said.slots.tolist() for said in self._asserter.read(texts)]

    def number(self, key: str) -> int | None:
        """The number of a mention; None if it is not known any more."""
        found = self._mentions.get(key)
        return found.number if found is not None else None

    def rule(self, rulings: Sequence[Ruling]) -> None:
        """Editors merge and split; it holds from the next mention on."""
        for mark in rulings:
            if mark.event in self._events:
                self._begun.rule(mark, self._mentions)

    def assign(
        self, tagged: pl.DataFrame, words: pl.Series, copy_of: Sequence[str | None], numbers: Sequence[int]
    ) -> list[str | None]:
        """The narrative of each row, None for one that asserts nothing and answers nothing; rows in order.

        `copy_of`: platform and id of what a row copies, parted by a NUL.
        `numbers`: of a create its own, of others the last create's before it.
        """
        self._begun.records.settle()
        rows = self._rows(tagged, words, copy_of, numbers)
        found: list[str | None] = [None] * tagged.height
        waiting: Sequence[int] = range(tagged.height)
        here = {key for key, create in zip(rows.key, rows.create, strict=True) if create}
        while waiting:
            later = [index for index in waiting if not self._assign_row(rows, index, found, here)]
            if len(later) == len(waiting):
                here = set()
            waiting = later
        if numbers:
            self._mentions.sweep(numbers[-1])
        self._begun.records.note(tagged.with_columns(pl.Series("narrative", found, dtype=pl.String)))
        for index in tagged.select(pl.col("op") == "delete").to_series().arg_true():
            self._delete(rows, index)
        return found

    def _rows(
        self, tagged: pl.DataFrame, words: pl.Series, copy_of: Sequence[str | None], numbers: Sequence[int]
    ) -> _Rows:
        frame = tagged.with_columns(pl.Series("original", copy_of, dtype=pl.String))
        columns = frame.select(
            mention_key("id").alias("key"),
            mention_key("parent").alias("parent"),
            _original_key().alias("original"),
            (pl.col("op") == "create").alias("create"),
            pl.col("tag").cast(pl.String),
            "event",
            "via",
            "term",
        )
        key, parent, original, create, tag, event, via, term = (column.to_list() for column in columns)
        folded = words.list.join(" ").to_list()
        asserts = (pl.col("tag") != Tag.OTHER) | pl.col("event").is_in(self._open)
        own = (pl.col("op") == "create") & asserts & pl.col("parent").is_null() & pl.col("original").is_null()
        places = frame.select(own).to_series().arg_true()
        said = dict(zip(places.to_list(), self._asserter.read(tagged["text"].gather(places)), strict=True))
        return _Rows(key, parent, original, create, tag, event, via, term, folded, numbers, said, tagged)

    def _assign_row(self, rows: _Rows, index: int, found: list[str | None], here: set[str]) -> bool:
        """Decides one row; False where the mention it answers stands in this batch and is not decided yet."""
        key, number, mentions = rows.key[index], rows.number[index], self._mentions
        if not rows.create[index]:
            self._delete(rows, index)
            live = mentions.live(key, number)
            found[index] = live.narrative if live is not None else None
            return True
        parent = rows.parent[index]
        target = rows.original[index] if parent is None else parent
        known = mentions.get(target)
        if known is not None:
            found[index] = self._begun.resolved(rows.event[index], known.narrative)
            if parent is not None:
                mentions.refer(parent, number)
        elif target is not None and target != key and target in here:
            return False
        else:
            found[index] = self._found(rows, index)
        mentions.put(key, found[index], number)
        return True

    def _found(self, rows: _Rows, index: int) -> str | None:
        """The narrative of an original, begun with it where it is new; None where it asserts nothing."""
        event = rows.event[index]
        if event not in self._open:
            return None if rows.tag[index] == Tag.OTHER else self._named(rows, index)
        said = self._said(rows, index)
        self._begun.learn(event, said)
        narrative = self._filtered(rows, index, said)
        return None if narrative is None else self._begun.join(event, narrative, said, rows.post(index))

    def _said(self, rows: _Rows, index: int) -> Said:
        said = rows.said.get(index)
        return self._asserter.read(rows.tagged["text"][index : index + 1])[0] if said is None else said

    def _filtered(self, rows: _Rows, index: int, said: Said) -> str | None:
        """Every post is taken: which narrative is near enough, or what a new one begins with."""
        event, other = rows.event[index], rows.tag[index] == Tag.OTHER
        if self._begun.asserts_nothing_else(event, said):
            return None if other else narrative_id(event, "")
        near = self._begun.nearest(event, said, self._joins)
        enough = REPEATED_WORDS if near is not None and near.repeats else LONG_ENOUGH
        if near is not None and said.words >= enough:
            return near.narrative
        if rows.tag[index] == Tag.CELEBRATION:
            return narrative_id(event, "")
        return None if other and said.words < LONG_ENOUGH else narrative_id(event, f"post\0{rows.key[index]}")

    def _named(self, rows: _Rows, index: int) -> str | None:
        """The event is named: its main narrative, but for what is specific and what is near to another one."""
        event, specific, said = rows.event[index], self._specific(rows, index), self._said(rows, index)
        self._begun.learn(event, said)
        narrative = narrative_id(event, specific)
        if not specific and said.words >= LONG_ENOUGH:
            near = self._begun.nearest(event, said, JOINS_NAMED)
            narrative = near.narrative if near is not None else narrative
        return self._begun.join(event, narrative, said, rows.post(index), learns=narrative != narrative_id(event, ""))

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

    def _delete(self, rows: _Rows, index: int) -> None:
        """A mention was deleted: no narrative is called by its text, nor names its author, from then on."""
        key, event = rows.key[index], rows.event[index]
        known = self._mentions.get(key)
        if rows.tagged["op"][index] == "delete" and known is not None and known.narrative is not None:
            narrative = self._begun.resolved(event, known.narrative) or ""
            for one in {narrative, known.narrative}:
                self._begun.records.delete(event, one, key, rows.tagged["seen_at"][index])

    def watch(self, events: Sequence[Event]) -> None:
        """Exchanges the events; what is known of those that are gone is forgotten."""
        gone = self._events.keys() - {event.name for event in events}
        self._events = self._follow(events)
        if gone:
            self._begun.forget(gone)
            self._mentions.forget(gone)

    def _follow(self, events: Sequence[Event]) -> dict[str, Event]:
        """Folds the names of the events' people; gives the events by name."""
        self._open = [event.name for event in events if event.any == _EVERYTHING]
        self._people = {
            event.name: [
                _Person(f"person:{fold_one(name)}", [fold_one(text) for text in (name, *spellings)])
                for name, spellings in reversed(event.people.items())
            ]
            for event in events
        }
        for event in events:
            said = self._asserter.read(pl.Series([event.proposition, *event.wordings]))
            self._begun.follow(event.name, narrative_id(event.name, ""), said)
        return {event.name: event for event in events}

    def snapshot(self) -> dict[str, bytes]:
        """The state's rows that changed since the last call; an empty row is one to delete."""
        return self._begun.snapshot()

    def restore(self, rows: Mapping[str, bytes], remembered: pl.DataFrame) -> None:
        """Goes on where the narratives that gave all these rows left off; `remembered`: REMEMBERED with `number`."""
        self._mentions.restore(remembered)
        self._begun.restore(rows, self._mentions)


def _original_key() -> pl.Expr:
    """The key of the mention that a row copies."""
    platform, identity = (pl.col("original").str.split_exact("\0", 1).struct.field(f"field_{n}") for n in (0, 1))
    return pl.concat_str(platform, "event", identity, separator="\0")
