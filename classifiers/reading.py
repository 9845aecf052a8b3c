"""Reads a batch of posts: the words of the texts, of the distinct parents and of the distinct roots, and their cues."""

from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt
import polars as pl

from classifiers.cues import CUES, CueTable, Marks
from classifiers.hashing import Numbers, Words, read_words
from classifiers.text import fold, without_links, words

__all__ = ["MOST_CHARACTERS", "Bools", "Other", "Posts", "Reading", "View", "bit", "has", "joined", "posts", "read"]

Bools = npt.NDArray[np.bool_]

MOST_CHARACTERS: Final = 1_000
"""A post is read up to here."""


class Posts(NamedTuple):
    """A batch: (n,) each, no nulls."""

    texts: pl.Series
    parents: pl.Series
    """What each is read against: the text it answers, for an original the proposition, "" where there is neither."""
    roots: pl.Series
    """The text the thread began with, where that is neither the post nor its parent; else ""."""
    answers: Bools
    """Whether the post answers, quotes or comments another one."""

    def part(self, begin: int, size: int) -> "Posts":
        """At most `size` posts from `begin` on."""
        end = begin + size
        return Posts(self.texts[begin:end], self.parents[begin:end], self.roots[begin:end], self.answers[begin:end])


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


def posts(
    texts: pl.Series, parents: pl.Series, roots: pl.Series | None = None, answers: pl.Series | None = None
) -> Posts:
    """A batch of what may be null or missing: without `answers` a post with a parent is one."""
    text, parent, root = (pl.col(name).fill_null("") for name in ("text", "parent", "root"))
    given = pl.DataFrame(
        [
            texts.alias("text"),
            parents.alias("parent"),
            (parents if roots is None else roots).alias("root"),
        ]
    )
    told = given.select_seq(
        text.str.slice(0, MOST_CHARACTERS),
        parent.str.slice(0, MOST_CHARACTERS),
        pl.when((root != parent) & (root != text)).then(root.str.slice(0, MOST_CHARACTERS)).otherwise(pl.lit("")),
        (parent != "").alias("answer"),
    )
    answer = told["answer"] if answers is None else answers.fill_null(value=False)
    return Posts(told["text"], told["parent"], told["root"], answer.to_numpy())


def read(batch: Posts, cues: CueTable) -> Reading:
    """Reads texts and the distinct texts they are compared with in one go."""
    others, which = _dictionary(pl.concat([batch.parents, batch.roots.rename(batch.parents.name)]))
    size, distinct = len(batch.texts), len(others)
    everything = pl.concat([batch.texts, others.rename(batch.texts.name)])
    found = read_words(words(without_links(fold(everything))))
    marks = cues.find(found)
    text = found.part(0, size)
    other = found.part(size, size + distinct)
    split = len(text.hashes)
    other_view = View(other, marks[split:], joined(marks[split:], other))
    return Reading(
        batch,
        View(text, marks[:split], joined(marks[:split], text)),
        Other(other_view, which[:size]),
        Other(other_view, which[size:]),
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


def _dictionary(values: pl.Series) -> tuple[pl.Series, Numbers]:
    """The distinct values as they come, and for each row which one it has."""
    place: dict[str, int] = {}
    which = [place.setdefault(value, len(place)) for value in values.to_list()]
    return pl.Series(values.name, list(place), dtype=pl.String), np.array(which, dtype=np.int64)
