"""Finds the cues of `lexica/cues.tsv`, words and phrases that hint at a tag in many languages, in hashed words."""

from collections.abc import Iterator
from importlib import resources
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt
import polars as pl
import xxhash

from classifiers.hashing import Hashes, Numbers, Words, combine, read_words
from classifiers.text import fold, words

__all__ = ["CUES", "CueTable", "Marks", "cue_table", "lexicon_text"]

CUES: Final = (
    "denial",
    "negation",
    "question",
    "celebration",
    "claim",
    "relay",
    "hedge",
    "affirm",
    "opinion",
    "prayer",
    "contest",
    "wh",
    "live",
    "still",
    "old",
    "official",
    "witness",
    "insult",
    "stop",
    "laugh",
    "attribution",
    "condition",
    "cancelled",
    "occasion",
    "congratulate",
    "errand",
    "scene",
)
"""The kinds of cue, in the order of their bits."""

Marks = npt.NDArray[np.uint32]
_TELLING: Final = 3
"""Code points of a word by which most words are no stem's."""
_FILTER_BITS: Final = np.uint64((1 << 18) - 1)


def _slots(hashes: Hashes) -> npt.NDArray[np.int64]:
    return (hashes & _FILTER_BITS).astype(np.int64)


class _Table(NamedTuple):
    keys: Hashes
    marks: Marks
    maybe: npt.NDArray[np.bool_]

    def find(self, hashes: Hashes) -> Marks:
        found = np.zeros(len(hashes), dtype=np.uint32)
        if not len(self.keys):
            return found
        candidates = np.flatnonzero(self.maybe.take(_slots(hashes)))
        if not candidates.size:
            return found
        wanted = hashes[candidates]
        places = np.minimum(np.searchsorted(self.keys, wanted), len(self.keys) - 1)
        found[candidates] = np.where(self.keys[places] == wanted, self.marks[places], 0)
        return found


def _table(entries: dict[int, int]) -> _Table:
    keys = np.array(sorted(entries), dtype=np.uint64)
    marks = np.array([entries[int(key)] for key in keys], dtype=np.uint32)
    maybe = np.zeros(int(_FILTER_BITS) + 1, dtype=np.bool_)
    maybe[_slots(keys)] = True
    return _Table(keys, marks, maybe)


class CueTable(NamedTuple):
    """The lexicon compiled for lookup: phrases by their number of words, stems by their number of code points."""

    phrases: dict[int, _Table]
    stems: dict[int, _Table]
    openers: npt.NDArray[np.bool_]
    """Which words may begin a phrase of several words."""
    longer: _Table
    """The stems of `_TELLING` code points and more in one."""
    stem_openers: npt.NDArray[np.bool_]
    """Which beginnings of `_TELLING` code points may begin one of those."""
    fingerprint: str
    """Hash of the lexicon's text; a model is good only with the lexicon it was trained on."""

    def find(self, text: Words) -> Marks:
        """(t,) per word the cues that begin at it: bit i for `CUES[i]`."""
        found = np.zeros(len(text.hashes), dtype=np.uint32)
        for at, _, marks in self.matches(text):
            found[at] |= marks
        return found

    def matches(self, text: Words) -> Iterator[tuple[Numbers, int, Marks]]:
        """Per length of a phrase: where one may begin (no place twice), its words, the cues it is (0: it is none)."""
        everywhere = np.arange(len(text.hashes))
        yield everywhere, 1, self.phrases[1].find(text.hashes)
        at = np.flatnonzero(self.openers[_slots(text.hashes)])
        left = text.counts[text.rows[at]] - at + text.starts[text.rows[at]]
        running = text.hashes[at]
        for size in range(2, max(self.phrases) + 1):
            long_enough = left >= size
            at, left, running = at[long_enough], left[long_enough], running[long_enough]
            if not at.size:
                break
            running = combine(running, text.hashes[at + size - 1])
            if size in self.phrases:
                yield at, size, self.phrases[size].find(running)
        for length in (size for size in self.stems if size < _TELLING):
            at = np.flatnonzero(text.lengths >= length)
            yield at, 1, self.stems[length].find(text.some_prefixes(at, length))
        opens = self.stem_openers.take(_slots(text.prefixes(_TELLING))) & (text.lengths >= _TELLING)
        at = np.flatnonzero(opens)
        prefixes = [text.some_prefixes(at, length) for length in self.stems if length >= _TELLING]
        if prefixes:
            found = self.longer.find(np.concatenate(prefixes)).reshape(len(prefixes), -1)
            yield at, 1, np.bitwise_or.reduce(found, axis=0)


def lexicon_text() -> str:
    """The lexicon file as it is."""
    return resources.files("classifiers").joinpath("lexica", "cues.tsv").read_text(encoding="utf-8")


def cue_table(lexicon: str) -> CueTable:
    """Compiles a lexicon: lines of cue, language and phrases between bars; a last `*` makes a one-word phrase a stem.

    Raises ValueError for a cue that is none of `CUES`.
    """
    rows = [line.split("\t") for line in lexicon.splitlines()[1:] if line]
    cues = [cue for cue, _, phrases in rows for _ in phrases.split(" | ")]
    texts = [phrase for _, _, phrases in rows for phrase in phrases.split(" | ")]
    if unknown := sorted(set(cues) - set(CUES)):
        why = f"the lexicon has cues that are none of {', '.join(CUES)}: {', '.join(unknown)}"
        raise ValueError(why)
    phrases: dict[int, dict[int, int]] = {}
    stems: dict[int, dict[int, int]] = {}
    openers = np.zeros(int(_FILTER_BITS) + 1, dtype=np.bool_)
    roots: list[int] = []
    folded = read_words(words(fold(pl.Series([text.removesuffix("*") for text in texts]))))
    for place, (cue, text) in enumerate(zip(cues, texts, strict=True)):
        bit = 1 << CUES.index(cue)
        begin, count = int(folded.starts[place]), int(folded.counts[place])
        if count == 0:
            continue
        stem = text.endswith("*") and count == 1
        key = _phrase_hash(folded.hashes[begin : begin + count])
        size = int(folded.lengths[begin]) if stem else count
        entries = (stems if stem else phrases).setdefault(size, {})
        entries[key] = entries.get(key, 0) | bit
        if stem and size >= _TELLING:
            roots.append(begin)
        elif not stem and count > 1:
            openers[_slots(folded.hashes[begin : begin + 1])] = True
    stem_openers = np.zeros_like(openers)
    stem_openers[_slots(folded.some_prefixes(np.array(roots, dtype=np.int64), _TELLING))] = True
    longer = {key: marks for size, entries in stems.items() if size >= _TELLING for key, marks in entries.items()}
    return CueTable(
        {size: _table(entries) for size, entries in sorted(phrases.items())},
        {size: _table(entries) for size, entries in sorted(stems.items())},
        openers,
        _table(longer),
        stem_openers,
        xxhash.xxh64_hexdigest(lexicon.encode()),
    )


def _phrase_hash(hashes: Hashes) -> int:
    running = hashes[:1]
    for place in range(1, len(hashes)):
        running = combine(running, hashes[place : place + 1])
    return int(running[0])
