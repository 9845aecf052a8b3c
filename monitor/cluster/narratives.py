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
from bisect import bisect_left
from collections.abc import Mapping, Sequence
from datetime import datetime
from hashlib import blake2b
from typing import Final, NamedTuple

import polars as pl

from classifiers.text import fold_one
from monitor.cluster.asserted import Asserter, Said
from monitor.cluster.begun import Begun, Gone
from monitor.cluster.mentions import Mentions
from monitor.cluster.rows import Named, Rows, Spoken, rows_of
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
        self.gone: list[Gone] = []
        """Narratives that nothing can be said of any more since the last call, by time."""
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

    def settle(self) -> None:
        """A call begins: what was known until now is known, and what is gone now is gone."""
        self._begun.records.settle()
        self.gone = []

    def rule(self, rulings: Sequence[Ruling]) -> None:
        """Editors merge and split; it holds from the next mention on."""
        for mark in rulings:
            if mark.event in self._events:
                self._begun.rule(mark, self._mentions)

    def assign(self, tagged: pl.DataFrame, named: Named) -> list[str | None]:
        """The narrative of each row, None for one that asserts nothing and answers nothing; rows in order."""
        rows = rows_of(tagged, named, self._asserter, self._open)
        found: list[str | None] = [None] * tagged.height
        waiting: Sequence[int] = range(tagged.height)
        here = {key for key, create in zip(rows.key, rows.create, strict=True) if create}
        while waiting:
            later = self._decide(rows, waiting, found, here)
            if len(later) == len(waiting):
                here = set()
            waiting = later
        self.gone += self._swept(rows)
        self._begun.records.note(tagged.with_columns(pl.Series("narrative", found, dtype=pl.String)))
        for index in tagged.select(pl.col("op") == "delete").to_series().arg_true():
            self._delete(rows, index)
        return found

    def _swept(self, rows: Rows) -> list[Gone]:
        """Forgets old mentions; the narratives that are known no more, and that no known mention leads to any more."""
        if not rows.number:
            return []
        gone: dict[tuple[str, str], datetime] = {}
        for event, narrative, number in self._mentions.sweep(rows.number[-1]):
            gone[event, narrative] = rows.tagged["seen_at"][bisect_left(rows.number, number)]
        left, self._begun.left = self._begun.left, []
        for at, event, narrative in left:
            if not self._mentions.leads_to(event, narrative):
                gone[event, narrative] = max(at, gone.get((event, narrative), at))
        return sorted(Gone(at, *name) for name, at in gone.items() if self._begun.records.get(*name) is None)

    def _decide(self, rows: Rows, waiting: Sequence[int], found: list[str | None], here: set[str]) -> list[int]:
        """Decides rows in order; gives those left that answer a mention of this batch that is not decided yet."""
        mentions, resolved, later = self._mentions, self._begun.resolved, []
        create, keys, parents, targets, numbers = rows.create, rows.key, rows.parent, rows.target, rows.number
        for index in waiting:
            key, number, target = keys[index], numbers[index], targets[index]
            if not create[index]:
                self._delete(rows, index)
                live = mentions.live(key, number)
                found[index] = live.narrative if live is not None else None
                continue
            known = mentions.get(target)
            if target is not None and known is not None:
                found[index] = narrative = resolved(rows.event[index], known.narrative)
                if parents[index] is not None:
                    mentions.refer(target, number)
            elif target is not None and target != key and target in here:
                later.append(index)
                continue
            else:
                found[index] = narrative = self._found(rows, index)
            mentions.put(key, rows.event[index], narrative, number)
        return later

    def _found(self, rows: Rows, index: int) -> str | None:
        """The narrative of an original, begun with it where it is new; None where it asserts nothing."""
        event = rows.event[index]
        filtered = event in self._open
        if not filtered and rows.tag[index] == Tag.OTHER:
            return None
        spoken, main = rows.says(index, self._asserter), self._begun.main(event)
        self._begun.learn(event, spoken.said)
        if not filtered:
            narrative = self._named(rows, index, spoken, main)
            learns = narrative != main
            return self._begun.join(event, narrative, spoken.said, rows.post(index), learns=learns)
        found, long = self._filtered(rows, index, spoken.said, main), spoken.said.words >= LONG_ENOUGH
        return None if found is None else self._begun.join(event, found, spoken.said, rows.post(index), long=long)

    def _filtered(self, rows: Rows, index: int, said: Said, main: str) -> str | None:
        """Every post is taken: which narrative is near enough, or what a new one begins with."""
        event, other = rows.event[index], rows.tag[index] == Tag.OTHER
        if self._begun.asserts_nothing_else(event, said):
            return None if other else main
        near = self._begun.nearest(event, said, self._joins, long=said.words >= LONG_ENOUGH)
        enough = REPEATED_WORDS if near is not None and near.repeats else LONG_ENOUGH
        if near is not None and said.words >= enough:
            return near.narrative
        if rows.tag[index] == Tag.CELEBRATION:
            return main
        return None if other and said.words < LONG_ENOUGH else narrative_id(event, f"post\0{rows.key[index]}")

    def _named(self, rows: Rows, index: int, spoken: Spoken, main: str) -> str:
        """The event is named: its main narrative, but for what is specific and what is near to another one."""
        event, specific = rows.event[index], self._specific(rows, index, spoken.folded)
        if specific:
            return narrative_id(event, specific)
        if spoken.said.words < LONG_ENOUGH:
            return main
        near = self._begun.nearest(event, spoken.said, JOINS_NAMED)
        return near.narrative if near is not None else main

    def _specific(self, rows: Rows, index: int, folded: str) -> str:
        """What a row's assertion is specific about: `number:17`, `person:saleh`, or ""."""
        if folded.count(" ") < SPECIFIC_WORDS - 1:
            return ""
        number = NUMBER.search(folded)
        if number is not None and not YEAR.match(number[1]):
            return f"number:{number[1]}"
        event, term = rows.event[index], rows.term[index]
        if term is not None and term not in self._events[event].any:
            for person in self._people.get(event, ()):
                if any(spelling in folded for spelling in person.spellings):
                    return person.specific
        return ""

    def _delete(self, rows: Rows, index: int) -> None:
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
