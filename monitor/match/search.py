"""Finds patterns as words in a batch of texts: one automaton over the folded batch, then arrays of hits are sifted.

A hit counts only as a word: no letter or digit stands beside it, where its own edge is one. `_`, `#` and signs part
words; scripts that write no spaces (Han, kana, Hangul with its attached particles, Thai, Lao, Khmer, Myanmar) have no
such edges. What stands in a url is no word, nor what stands in a handle, unless the pattern itself begins with `@`;
a pattern that begins with `#` or `@` wants the whole tag or handle. CamelCase hashtags are searched a second time as
words, behind the batch.
"""

import re
import unicodedata
from collections.abc import Sequence
from functools import cache
from itertools import chain
from typing import NamedTuple

import ahocorasick_rs
import numpy as np
import numpy.typing as npt
import polars as pl

from classifiers.text import ROW, Joined, fold_joined, hashtag_words, parts
from monitor.match.patterns import Pattern

_URL_MARKS = ("://", "www.")
_HANDLE_MARK = "@"
_MARKS = (*_URL_MARKS, _HANDLE_MARK)
_URL_ENDS = re.compile("[ \0\u2e80-\u9fff]")
_CAMEL = r"#\w*\p{Ll}\p{Lu}"
_HANDLE_ENDS = re.compile(r"[^\w.]")
_DENSE_LETTERS = 20_000
"""Up to this many letters of patterns the automaton is a DFA: faster, at some hundred bytes a letter."""
_UNSPACED = ((0x0E00, 0x0FFF), (0x1000, 0x109F), (0x1100, 0x11FF), (0x1780, 0x17FF), (0x2E80, 0xD7FF))
_WORD_PLANES = 0x2_0000

Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]


class Hits(NamedTuple):
    """Parallel arrays, one entry per hit."""

    row: Ints
    """Index into the texts."""
    pattern: Ints
    """Index into the patterns."""
    begin: Ints
    """Where it stands; grows with the place in the text."""


_NO_HITS = Hits(*np.zeros((3, 0), dtype=np.int64))


class Search:
    """The patterns, compiled."""

    def __init__(self, patterns: Sequence[Pattern]) -> None:
        texts = [*_MARKS, *(pattern.text for pattern in patterns)]
        dense = ahocorasick_rs.Implementation.DFA if sum(map(len, texts)) <= _DENSE_LETTERS else None
        self._automaton = ahocorasick_rs.AhoCorasick(texts, implementation=dense)
        self._goes_on = np.array([False] * len(_MARKS) + [pattern.goes_on for pattern in patterns])
        self._word_begins = np.array([_is_word()[ord(text[0])] for text in texts])
        self._word_ends = np.array([_is_word()[ord(text[-1])] for text in texts]) & ~self._goes_on
        self._whole = np.array([text[0] in "#@" for text in texts]) & ~self._goes_on
        self._is_handle = np.array([text.startswith(_HANDLE_MARK) for text in texts])
        self._is_url = np.array([any(mark in text for mark in _URL_MARKS) for text in texts])

    def find(self, texts: pl.Series) -> Hits:
        """Every pattern that stands as a word in a String column without nulls, in order of row and place."""
        found, first = [_NO_HITS], 0
        for part in parts(texts):
            found.append(self._found(part, first))
            first += part.len()
        return Hits(*(np.concatenate(arrays) for arrays in zip(*found, strict=True)))

    def _found(self, texts: pl.Series, first: int) -> Hits:
        """The hits in a part of the batch whose first row is `first`."""
        tagged = texts.str.contains(_CAMEL).arg_true()
        joined = fold_joined(pl.concat([texts, hashtag_words(texts.gather(tagged))]) if tagged.len() else texts)
        found = self._automaton.find_matches_as_indexes(joined.text, overlapping=True)
        flat = np.fromiter(chain.from_iterable(found), dtype=np.int64, count=3 * len(found))
        pattern, begin, end = flat.reshape(-1, 3).T
        kept = self._stands_alone(joined, pattern, begin, end)
        kept &= ~self._in_link(joined.text, pattern, begin, kept)
        pattern, begin = pattern[kept], begin[kept]
        if not begin.size:
            return _NO_HITS
        row = np.searchsorted(np.flatnonzero(joined.codes == ord(ROW)), begin)
        row = np.concatenate((np.arange(texts.len()), tagged.to_numpy().astype(np.int64)))[row]
        return Hits(row + first, pattern - len(_MARKS), begin)

    def _stands_alone(self, joined: Joined, pattern: Ints, begin: Ints, end: Ints) -> Bools:
        """Which hits are whole words, and no marks."""
        codes = np.append(joined.codes, np.uint32(ord(ROW)))
        behind = codes[end]
        runs_on = (_is_word()[codes[begin - 1]] & self._word_begins[pattern]) | (
            _is_word()[behind] & self._word_ends[pattern]
        )
        runs_on |= self._whole[pattern] & (_is_word()[behind] | (behind == ord("_")))
        alone: Bools = (pattern >= len(_MARKS)) & ~runs_on
        return alone

    def _in_link(self, text: str, pattern: Ints, begin: Ints, kept: Bools) -> Bools:
        """Which of the kept hits stand in a url or a handle, and must not."""
        inside = np.zeros_like(kept)
        for marks, ends, exempt in (
            (begin[pattern < len(_URL_MARKS)], _URL_ENDS, self._is_url),
            (begin[pattern == len(_URL_MARKS)], _HANDLE_ENDS, self._is_handle),
        ):
            if not marks.size:
                continue
            hits = np.flatnonzero(kept & ~exempt[pattern])
            places = np.sort(marks)
            before = np.searchsorted(places, begin[hits], side="right") - 1
            hits, before = hits[before >= 0], before[before >= 0]
            last, which = np.unique(before, return_inverse=True)
            found = (ends.search(text, mark + 1) for mark in places[last].tolist())
            stops = np.array([len(text) if end is None else end.start() for end in found], np.int64)
            inside[hits] |= stops[which] > begin[hits]
        return inside


@cache
def _is_word() -> Bools:
    """Whether a code point is a letter, mark or digit of a script that writes spaces."""
    table = np.zeros(0x11_0000, dtype=np.bool_)
    table[:_WORD_PLANES] = [unicodedata.category(chr(code))[0] in "LMN" for code in range(_WORD_PLANES)]
    for first, last in _UNSPACED:
        table[first : last + 1] = False
    table.setflags(write=False)
    return table
