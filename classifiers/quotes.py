"""Quotes the cues that speak for a post's tag: words of the lexicon as they stand in the folded text, cheaply.

For the few posts that a card shows. What the whole model made of a post says `classifiers.explain`, at a reading per
word; this names only what people can check at a glance.
"""

from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np
import polars as pl

from classifiers.cues import CUES, CueTable, Marks
from classifiers.hashing import read_words
from classifiers.reading import MOST_CHARACTERS
from classifiers.tags import Tag
from classifiers.text import fold, without_links, words

__all__ = ["MOST_QUOTES", "SPEAKS_FOR", "quotes"]

MOST_QUOTES: Final = 3
SPEAKS_FOR: Final = {
    Tag.DENIAL: (("denial", "old"), ("live", "still", "negation", "contest")),
    Tag.CLAIM: (("claim", "affirm", "witness"), ("attribution", "official", "relay")),
    Tag.CELEBRATION: (("celebration",), ()),
    Tag.QUESTION: (("question",), ("wh", "hedge")),
    Tag.OTHER: ((), ()),
}
"""Tag → the cues that speak for it: strong ones, and those that are quoted where there are no three of them."""
_UNSPACED: Final = "\u2e80"
_SPACED_AGAIN: Final = "\uac00"
"""Between these two stand Han and kana, which write no spaces between words."""


class _Phrase(NamedTuple):
    """Where a cue stands in a text, in words."""

    weak: bool
    begin: int
    end: int


def quotes(cues: CueTable, texts: pl.Series, tags: Sequence[Tag]) -> pl.Series:
    """Per text at most three phrases that speak for its tag, in the order of the text, in one line; null for none.

    A phrase stands as it is folded, without the part it shares with a longer one; no text depends on another.
    """
    said = words(without_links(fold(texts.fill_null("").str.slice(0, MOST_CHARACTERS))))
    text = read_words(said)
    found = [(at, np.full(len(at), size), marks) for at, size, marks in cues.matches(text)]
    place, size, marks = (np.concatenate(part) for part in zip(*found, strict=True))
    rows = text.rows[place]
    strong, weak = (_marks(tags, which)[rows] & marks for which in (0, 1))
    told: list[list[_Phrase]] = [[] for _ in tags]
    for at in np.flatnonzero(strong | weak).tolist():
        begin = int(place[at] - text.starts[rows[at]])
        told[rows[at]].append(_Phrase(not strong[at], begin, begin + int(size[at])))
    lines = [_line(row, phrases) if phrases else None for row, phrases in zip(said.to_list(), told, strict=True)]
    return pl.Series("cues", lines, dtype=pl.String)


def _marks(tags: Sequence[Tag], which: int) -> Marks:
    """(n,) the cues that speak for each tag, strong or weak ones."""
    mark = {tag: sum(1 << CUES.index(cue) for cue in cues[which]) for tag, cues in SPEAKS_FOR.items()}
    return np.array([mark[tag] for tag in tags], dtype=np.uint32)


def _line(row: Sequence[str], found: Sequence[_Phrase]) -> str:
    """The strong phrases first, longer ones before those they hold; then in the order of the text."""
    kept: list[_Phrase] = []
    for each in sorted(found, key=lambda phrase: (phrase.weak, phrase.begin - phrase.end, phrase.begin)):
        if len(kept) < MOST_QUOTES and all(each.end <= one.begin or each.begin >= one.end for one in kept):
            kept.append(each)
    return " · ".join(_joined(row[each.begin : each.end]) for each in sorted(kept, key=lambda phrase: phrase.begin))


def _joined(words_of: Sequence[str]) -> str:
    return ("" if words_of[0] >= _UNSPACED and words_of[0] < _SPACED_AGAIN else " ").join(words_of)
