"""Reads a batch of posts: the words of the texts, of the distinct parents and of the distinct roots, and their cues."""

from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt
import polars as pl

from classifiers.cues import CUES, CueTable, Marks
from classifiers.hashing import Numbers, Words
from classifiers.origin import Origin, nobody
from classifiers.said import said_words

__all__ = [
    "MOST_CHARACTERS",
    "Bools",
    "Other",
    "Posts",
    "Reading",
    "View",
    "Watched",
    "bit",
    "flags",
    "has",
    "joined",
    "posts",
    "read",
]

Bools = npt.NDArray[np.bool_]

MOST_CHARACTERS: Final = 1_000
"""A post is read up to here."""
_MOST_WATCHED: Final = 4_000
"""What is known of an event is read up to here."""


class Watched(NamedTuple):
    """What is known of the events that (n,) posts mention; null or "" where nothing is."""

    names: pl.Series
    """An event's names in one text."""
    wordings: pl.Series
    """Its proposition and that in other words and languages, in one text."""

    def of(self, rows: Numbers) -> "Watched":
        """That of the posts at some places."""
        return Watched(self.names[rows], self.wordings[rows])


class Posts(NamedTuple):
    """A batch: (n,) each, no nulls."""

    texts: list[str]
    parents: list[str]
    """What each is read against: the text it answers, for an original the proposition, "" where there is neither."""
    roots: list[str]
    """The text the thread began with, where that is neither the post nor its parent; else ""."""
    answers: Bools
    """Whether the post answers, quotes or comments another one."""
    origin: Origin
    names: list[str]
    """The names of the event an original is about, in one text; "" where they are unknown and for an answer."""
    wordings: list[str]
    """What is asserted of them: proposition and wordings in one text; "" where there are no names."""

    def part(self, begin: int, size: int) -> "Posts":
        """At most `size` posts from `begin` on."""
        end = begin + size
        columns = self.texts[begin:end], self.parents[begin:end], self.roots[begin:end], self.answers[begin:end]
        return Posts(*columns, self.origin.part(begin, end), self.names[begin:end], self.wordings[begin:end])


class View(NamedTuple):
    """Texts, read."""

    words: Words
    marks: Marks
    """(t,) the cues that begin at each word."""
    row_marks: Marks
    """(n,) the cues of each text."""


class Other(NamedTuple):
    """What texts are compared with."""

    view: View
    """The distinct others."""
    which: Numbers
    """(n,) index of each text's other."""


class Reading(NamedTuple):
    """A batch, read."""

    posts: Posts
    text: View
    parent: Other
    root: Other
    names: Other
    wordings: Other


def posts(
    texts: pl.Series,
    parents: pl.Series,
    roots: pl.Series | None = None,
    answers: pl.Series | None = None,
    origin: Origin | None = None,
    *,
    watched: Watched | None = None,
) -> Posts:
    """A batch of what may be null or missing: without `answers` a post with a parent is one."""
    said, against = _cut(texts), _cut(parents)
    begun = against if roots is None else _cut(roots)
    begun = ["" if root in (parent, text) else root for text, parent, root in zip(said, against, begun, strict=True)]
    answer = np.array([parent != "" for parent in against], dtype=np.bool_) if answers is None else flags(answers)
    named, asserted = [""] * len(said), [""] * len(said)
    if watched is not None:
        told = zip(*(_cut(column, _MOST_WATCHED) for column in watched), answer.tolist(), strict=True)
        known = [("", "") if answers or not names else (names, wordings) for names, wordings, answers in told]
        named, asserted = [names for names, _ in known], [wordings for _, wordings in known]
    return Posts(said, against, begun, answer, origin or nobody(len(said)), named, asserted)


def flags(column: pl.Series) -> Bools:
    """A Boolean column, null as false."""
    return (column.fill_null(value=False) if column.null_count() else column).to_numpy()


def read(batch: Posts, cues: CueTable) -> Reading:
    """Reads texts and the distinct texts they are compared with in one go."""
    others, which = _dictionary((*batch.parents, *batch.roots, *batch.names, *batch.wordings))
    size, distinct = len(batch.texts), len(others)
    found = said_words((*batch.texts, *others))
    marks = cues.find(found)
    text = found.part(0, size)
    other = found.part(size, size + distinct)
    split = len(text.hashes)
    other_view = View(other, marks[split:], joined(marks[split:], other))
    return Reading(
        batch,
        View(text, marks[:split], joined(marks[:split], text)),
        *(Other(other_view, which[begin : begin + size]) for begin in range(0, 4 * size, size)),
    )


def bit(cue: str) -> np.uint32:
    """The bit that stands for a cue in `Marks`."""
    return np.uint32(1 << CUES.index(cue))


def has(marks: Marks, cue: str) -> Bools:
    """Which marks hold the cue."""
    return (marks & bit(cue)) > 0


def joined(marks: Marks, text: Words) -> Marks:
    """(n,) all cues of each text, of (t,) those at its words."""
    found = np.zeros(len(text.counts), dtype=np.uint32)
    filled = np.flatnonzero(text.counts)
    if len(filled):
        found[filled] = np.bitwise_or.reduceat(marks, text.starts[filled])
    return found


def _cut(texts: pl.Series, most: int = MOST_CHARACTERS) -> list[str]:
    return [text[:most] if text else "" for text in texts.to_list()]


def _dictionary(values: Sequence[str]) -> tuple[list[str], Numbers]:
    """The distinct values as they come, and for each row which one it has."""
    place: dict[str, int] = {}
    which = [place.setdefault(value, len(place)) for value in values]
    return list(place), np.array(which, dtype=np.int64)
