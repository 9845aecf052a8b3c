"""Which posts speak of which event: one automaton over the folded terms of all events, one pass over a joined batch.

A term is a word or phrase and counts only as such: `panjshir` is not in `Panjshirvani`; a term written `panjshir*` also
begins longer words. A hashtag counts as its words (`#Panjshir_Resistance`, `#PanjshirResistance`), a handle only for a
term that begins with `@`, a url never. Arabic-script words may carry the attached particles of the event's languages
(و ف ب ل ک and ال in Arabic), so `وبنجشیر` is a mention. Where no space parts words (Han, kana, Thai) a term may stand
inside.
"""

import unicodedata
from collections.abc import Sequence
from typing import NamedTuple

import ahocorasick_rs
import numpy as np
import polars as pl

from classifiers.text import fold, fold_one, hashtag_words, without_links
from monitor.frames import TIME
from monitor.records import Event, Terms

EVERY_POST = "*"
_PARTICLES = ("و", "ف", "ب", "ل", "ک", "ال", "لل")
_PARTICLE_LANGUAGES = frozenset({"ar"})
_LONGEST_PREFIX = 4
_ANY, _ALL, _NONE, _PERSON, _PLACE = range(5)


class _Use(NamedTuple):
    """One event's use of a pattern."""

    event: int
    kind: int
    group: int
    term: str
    prefix: bool


class _Hits:
    """What one event's terms found in one post."""

    __slots__ = ("any", "groups", "person", "place", "ruled_out")

    def __init__(self) -> None:
        self.any: tuple[int, str] | None = None
        self.person: str | None = None
        self.place = False
        self.ruled_out = False
        self.groups: set[int] = set()

    def take(self, use: _Use, start: int) -> None:
        """Notes a term that stands at `start`."""
        if use.kind == _ANY:
            self.any = min(self.any or (start, use.term), (start, use.term))
        elif use.kind == _ALL:
            self.groups.add(use.group)
        elif use.kind == _NONE:
            self.ruled_out = True
        elif use.kind == _PERSON:
            self.person = self.person or use.term
        else:
            self.place = True


class Matcher:
    """The compiled terms of all events."""

    def __init__(self, events: Sequence[Event]) -> None:
        self._events = tuple(events)
        self._particles = [bool(_PARTICLE_LANGUAGES & set(event.languages)) for event in events]
        self._uses: dict[str, list[_Use]] = {}
        for index, event in enumerate(events):
            self._compile(index, event)
        self._patterns = list(self._uses)
        self._automaton = ahocorasick_rs.AhoCorasick(self._patterns) if self._patterns else None
        self._handles = any(pattern.startswith("@") for pattern in self._patterns)

    def find(self, posts: pl.DataFrame) -> pl.DataFrame:
        """The matches in POSTS as (row, event, term): one line per post and event, `row` being the post's index."""
        usable = posts.select(row=pl.int_range(pl.len(), dtype=pl.UInt32), op="op", text="text").filter(
            pl.col("op").is_in(["create", "update"]) & pl.col("text").is_not_null()
        )
        found = self._hits(usable["row"].to_list(), usable["text"])
        matches = [
            (row, event.name, term)
            for (row, index), hits in found.items()
            if (event := self._events[index]) and (term := self._term(event, hits)) is not None
        ]
        frame = pl.DataFrame(matches, schema={"row": pl.UInt32, "event": pl.String, "term": pl.String}, orient="row")
        return self._in_time(posts, frame)

    def _compile(self, index: int, event: Event) -> None:
        if event.any != (EVERY_POST,):
            self._add(index, _ANY, 0, event.any)
        for group, term in enumerate(event.all):
            self._add(index, _ALL, group, (term,))
        self._add(index, _NONE, 0, event.none)
        for kind, named in ((_PERSON, event.people), (_PLACE, event.places)):
            for name, spellings in named.items():
                self._add(index, kind, 0, (name, *spellings))

    def _add(self, index: int, kind: int, group: int, terms: Terms) -> None:
        for term in terms:
            pattern = fold_one(term.rstrip("*").lstrip("#").replace("_", " ")).strip()
            if not pattern:
                why = f"event {self._events[index].name}: the term {term!r} has no letter or digit"
                raise ValueError(why)
            self._uses.setdefault(pattern, []).append(_Use(index, kind, group, term, term.endswith("*")))

    def _hits(self, rows: list[int], texts: pl.Series) -> dict[tuple[int, int], _Hits]:
        """(row, event index) → what was found there, in order of row."""
        found: dict[tuple[int, int], _Hits] = {}
        everywhere = [index for index, event in enumerate(self._events) if event.any == (EVERY_POST,)]
        for row in rows if everywhere else ():
            for index in everywhere:
                found[row, index] = hits = _Hits()
                hits.any = (0, EVERY_POST)
        if self._automaton is None or not rows:
            return found
        searched = self._searched(texts)
        joined = str(searched.str.join("\n").item())
        ends = np.cumsum(searched.str.len_chars().to_numpy().astype(np.int64) + 1)
        matches = self._automaton.find_matches_as_indexes(joined, overlapping=True)
        places = np.searchsorted(ends, np.array([match[1] for match in matches], dtype=np.int64), side="right")
        for (pattern, start, end), place in zip(matches, places.tolist(), strict=True):
            for use in self._uses[self._patterns[pattern]]:
                if _stands_alone(joined, start, end, prefix=use.prefix, particles=self._particles[use.event]):
                    key = (rows[place], use.event)
                    if key not in found:
                        found[key] = _Hits()
                    found[key].take(use, start)
        return dict(sorted(found.items()))

    def _searched(self, texts: pl.Series) -> pl.Series:
        """The folded texts that terms are looked for in: hashtags as words, no urls, handles only where asked for."""
        tagged = texts.str.contains("#", literal=True)
        if tagged.any():
            texts = (texts + " " + hashtag_words(texts)).set(~tagged, None).fill_null(texts)
        folded = fold(texts)
        searched = without_links(folded)
        if self._handles:
            searched = searched + " " + folded.str.extract_all(r"@[\w.]+").list.join(" ")
        return searched

    def _term(self, event: Event, hits: _Hits) -> str | None:
        """The spelling by which the post mentions `event`, None where it does not."""
        if hits.ruled_out or len(hits.groups) < len(event.all):
            return None
        if hits.any is not None:
            return hits.any[1]
        return hits.person if hits.place else None

    def _in_time(self, posts: pl.DataFrame, matches: pl.DataFrame) -> pl.DataFrame:
        """Leaves out matches whose event time is outside the event's time range."""
        if all(event.starts_at is None and event.ends_at is None for event in self._events):
            return matches
        ranges = pl.DataFrame(
            [(event.name, event.starts_at, event.ends_at) for event in self._events],
            schema={"event": pl.String, "starts_at": TIME, "ends_at": TIME},
            orient="row",
        )
        time = posts.select(time=pl.min_horizontal("posted_at", "seen_at")).to_series()
        timed = matches.with_columns(time=time.gather(matches["row"])).join(ranges, on="event", maintain_order="left")
        begun = pl.col("starts_at").is_null() | (pl.col("time") >= pl.col("starts_at"))
        over = pl.col("ends_at").is_not_null() & (pl.col("time") >= pl.col("ends_at"))
        return timed.filter(begun & ~over).select("row", "event", "term")


def _stands_alone(text: str, start: int, end: int, *, prefix: bool, particles: bool) -> bool:
    """Whether text[start:end] is a word or phrase of its own."""
    if not prefix and end < len(text) and _joins(text[end - 1], text[end]):
        return False
    if start == 0 or not _joins(text[start - 1], text[start]):
        return True
    if not particles:
        return False
    begin = start
    while begin > 0 and start - begin <= _LONGEST_PREFIX and _joins(text[begin - 1], text[begin]):
        begin -= 1
    return _particles(text[begin:start])


def _particles(prefix: str) -> bool:
    """Whether `prefix` is made of attached particles only."""
    return not prefix or any(
        prefix.startswith(particle) and _particles(prefix[len(particle) :]) for particle in _PARTICLES
    )


def _joins(left: str, right: str) -> bool:
    """Whether two neighbouring characters belong to one word; Han, kana and Thai letters are words by themselves."""
    return _in_word(left) and _in_word(right) and not (_unspaced(left) or _unspaced(right))


def _in_word(letter: str) -> bool:
    return letter.isalnum() or unicodedata.category(letter)[0] == "M"


def _unspaced(letter: str) -> bool:
    return letter > "\u0e00" and unicodedata.name(letter, "").startswith(("CJK", "HIRAGANA", "KATAKANA", "THAI"))
