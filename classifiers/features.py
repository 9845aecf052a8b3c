"""Turns (text, parent) pairs into sparse rows: what is said (hashed words) and how (cues, scope, form, parent).

A row has `Features.dense_size` cue features – about 200 yes-or-no observations that mean the same in every language –
then the pairs of the strongest of them, then 2^bits hashed features: words, word pairs, stems, words in the scope of a
negation, first words. Hashed values are scaled by the row's number of features, so long posts weigh like short ones.
Nothing here depends on the other rows of a batch.
"""

from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt
import polars as pl
from scipy import sparse

from classifiers.characters import KINDS, character_classes, character_counts
from classifiers.cues import CUES, CueTable, Marks, cue_table
from classifiers.hashing import Hashes, Words, combine, mix, read_words
from classifiers.parents import PARENT_FEATURES, ParentView, parent_features
from classifiers.text import fold, without_links, words

__all__ = ["MOST_CHARACTERS", "FeatureSettings", "Features"]

Bools = npt.NDArray[np.bool_]

MOST_CHARACTERS: Final = 1_000
"""A post is read up to here."""

_SCOPE: Final = 3
_EMPTY: Final = np.uint64(0)
_CUE_VIEWS: Final = ("any", "after_negation", "before_negation", "first", "last", "twice")
_FORM: Final = (
    "url", "begins_with_handle", "repost_mark", "ends_with_query", "many_query", "many_exclamation", "shouting",
    "words_0", "words_2", "words_5", "words_12", "words_25", "words_many", "digits_many",
)  # fmt: skip
_PAIRED_VIEWS: Final = ("any", "after_negation", "before_negation")


class FeatureSettings(NamedTuple):
    """What a model was trained with; part of its artifact."""

    bits: int = 18
    """2^bits hashed features."""
    hashed_scale: float = 2.0
    """Length of a row's hashed part against 1 for a cue feature."""
    stem: int = 5
    """Code points of a word that make its stem."""


class View(NamedTuple):
    """A batch of texts, read."""

    words: Words
    marks: Marks


class Features:
    """The features of one lexicon and one setting."""

    def __init__(self, lexicon: str, settings: FeatureSettings) -> None:
        """Compiles the lexicon; raises ValueError if it cannot be read."""
        self.settings = settings
        self.cues: CueTable = cue_table(lexicon)
        self.names = _names()
        self.dense_size = len(self.names)
        self._classes = character_classes()
        self._paired = _paired(self.names)
        first, second = np.triu_indices(len(self._paired), 1)
        self._first, self._second = self._paired[first], self._paired[second]
        self.size = self.dense_size + len(self._first) + (1 << settings.bits)

    def rows(self, texts: pl.Series, parents: pl.Series) -> sparse.csr_array:
        """(n, size) features of n texts and what they are read against; "" or null where there is nothing."""
        texts = texts.fill_null("").str.slice(0, MOST_CHARACTERS)
        view = self._view(texts)
        unique, which = _dictionary(parents.fill_null("").str.slice(0, MOST_CHARACTERS))
        parent = self._view(unique)
        seen = np.concatenate(
            [
                _cue_columns(view),
                _form_columns(texts, view.words, self._classes),
                parent_features(
                    view.words, view.marks, ParentView(parent.words, _row_marks(parent), which), _row_marks(view)
                ),
            ],
            axis=1,
        )
        seen = np.concatenate([seen, seen[:, self._first] & seen[:, self._second]], axis=1)
        return _assembled(seen, *self._hashed(view), view.words, self.settings)

    def _view(self, texts: pl.Series) -> View:
        read = read_words(words(without_links(fold(texts))))
        return View(read, self.cues.find(read))

    def _hashed(self, view: View) -> tuple[Hashes, Bools]:
        """(t, kinds) hashed features at each word, and which of them exist."""
        text = view.words
        count = len(text.hashes)
        followers = np.append(text.hashes[1:], _EMPTY)
        position = text.positions()
        follows = (position + 1) < text.counts[text.rows]
        scope = _distance(_has(view.marks, "negation"), text) <= _SCOPE
        kinds = [
            (text.hashes, np.ones(count, dtype=np.bool_)),
            (combine(text.hashes, followers), follows),
            (mix(text.prefixes(self.settings.stem) ^ np.uint64(0x5E)), text.lengths > self.settings.stem),
            (mix(text.hashes ^ np.uint64(0x4E)), scope & (position > 0)),
            (mix(text.hashes ^ np.uint64(0xF1)), position < 2),
        ]
        return np.stack([each for each, _ in kinds], axis=1), np.stack([each for _, each in kinds], axis=1)


def _names() -> tuple[str, ...]:
    cues = [f"{cue}:{view}" for view in _CUE_VIEWS for cue in CUES]
    return (*cues, *_FORM, *(f"char:{kind}" for kind in KINDS[1:]), *PARENT_FEATURES)


def _paired(names: tuple[str, ...]) -> npt.NDArray[np.intp]:
    chosen = [f"{cue}:{view}" for view in _PAIRED_VIEWS for cue in ("denial", "question", "celebration", "claim")]
    chosen += [f"{cue}:any" for cue in CUES if f"{cue}:any" not in chosen]
    chosen += ["words_2", "words_5", "words_12", "char:query", "char:exclamation", "begins_with_handle", "url"]
    chosen += ["parent", "parent:denial", "parent:negation", "parent:question", "parent:half", "negation_mismatch"]
    return np.array(sorted(names.index(name) for name in chosen), dtype=np.intp)


def _dictionary(values: pl.Series) -> tuple[pl.Series, npt.NDArray[np.int64]]:
    """The distinct values in order of appearance, and for each row which one it has."""
    ranks = values.rank("dense").to_numpy().astype(np.int64) - 1 if len(values) else np.zeros(0, dtype=np.int64)
    return values.unique().sort(), ranks


def _has(marks: Marks, cue: str) -> Bools:
    return (marks >> np.uint32(CUES.index(cue)) & np.uint32(1)).astype(np.bool_)


def _distance(flags: Bools, text: Words) -> npt.NDArray[np.int64]:
    """(t,) words since the last flagged word before this one in the same text; large where there is none."""
    places = np.arange(len(flags))
    last = np.maximum.accumulate(np.where(flags, places, -1)) if len(flags) else places
    last = np.append(-1, last[:-1]) if len(flags) else last
    return np.where(last >= text.starts[text.rows], places - last, 1 << 30)


def _row_marks(view: View) -> Marks:
    """(n,) the cues of each text."""
    return _joined(view.marks, view.words)


def _joined(marks: Marks, text: Words) -> Marks:
    joined = np.zeros(len(text.counts), dtype=np.uint32)
    filled = np.flatnonzero(text.counts)
    if len(filled):
        joined[filled] = np.bitwise_or.reduceat(marks, text.starts[filled])
    return joined


def _bits(marks: Marks) -> Bools:
    """(n, cues) one column per cue."""
    return (marks[:, None] >> np.arange(len(CUES), dtype=np.uint32) & np.uint32(1)).astype(np.bool_)


def _cue_columns(view: View) -> Bools:
    text, marks = view.words, view.marks
    negated = _has(marks, "negation")
    after = _distance(negated, text) <= _SCOPE
    position = text.positions()
    left = text.counts[text.rows] - position
    following = np.zeros(len(marks), dtype=np.bool_)
    for step in (1, 2):
        following[:-step] |= negated[step:] & (left[:-step] > step)
    none = np.uint32(0)
    earlier = np.zeros_like(marks)
    for step in (1, 2, 3, 4, 5, 6):
        earlier[step:] |= np.where(position[step:] >= step, marks[:-step], none)
    chosen = (
        marks,
        np.where(after, marks, none),
        np.where(following, marks, none),
        np.where(position < 3, marks, none),
        np.where(left <= 3, marks, none),
        marks & earlier,
    )
    return np.concatenate([_bits(_joined(each.astype(np.uint32), text)) for each in chosen], axis=1)


def _form_columns(texts: pl.Series, text: Words, classes: npt.NDArray[np.uint8]) -> Bools:
    counts = character_counts(texts, classes)
    kind = {name: counts[:, place] for place, name in enumerate(KINDS)}
    size = text.counts
    columns = [
        texts.str.contains("http", literal=True).to_numpy(),
        texts.str.starts_with("@").to_numpy(),
        texts.str.starts_with("RT @").to_numpy(),
        texts.str.contains(r"[?؟？][\s\"'»”]*(?:https?://\S+\s*)*$").to_numpy(),
        kind["query"] > 1,
        kind["exclamation"] > 1,
        (kind["upper"] > 9) & (kind["upper"] > kind["lower"]),
        size == 0,
        (size > 0) & (size <= 2),
        (size > 2) & (size <= 5),
        (size > 5) & (size <= 12),
        (size > 12) & (size <= 25),
        size > 25,
        kind["digit"] > 3,
    ]
    scripts = {"upper", "lower", "cyrillic", "perso_arabic", "devanagari", "han"}
    present = [kind[name] * 3 > counts.sum(axis=1) if name in scripts else kind[name] > 0 for name in KINDS[1:]]
    return np.stack([*columns, *present], axis=1).astype(np.bool_)


def _block(flags: Bools, offset: int) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Columns of the true cells, row after row, and their number per row."""
    return np.nonzero(flags)[1] + offset, flags.sum(axis=1)


def _assembled(seen: Bools, hashed: Hashes, exists: Bools, text: Words, settings: FeatureSettings) -> sparse.csr_array:
    """One row per text: the seen columns with value 1, then the hashed ones in the order of the words."""
    seen_columns, seen_counts = _block(seen, 0)
    buckets = (hashed[exists] & np.uint64((1 << settings.bits) - 1)).astype(np.int64) + seen.shape[1]
    per_word = exists.sum(axis=1)
    hashed_counts = np.bincount(text.rows, weights=per_word, minlength=len(seen)).astype(np.int64)
    ends = np.cumsum(seen_counts + hashed_counts)
    begins = ends - seen_counts - hashed_counts
    columns = np.empty(int(ends[-1]) if len(ends) else 0, dtype=np.int32)
    values = np.ones(len(columns))
    columns[_places(begins, seen_counts)] = seen_columns
    at = _places(begins + seen_counts, hashed_counts)
    columns[at] = buckets
    values[at] = np.repeat(settings.hashed_scale / np.sqrt(np.maximum(hashed_counts, 1)), hashed_counts)
    indptr = np.append(0, ends).astype(np.int32)
    return sparse.csr_array((values, columns, indptr), shape=(len(seen), seen.shape[1] + (1 << settings.bits)))


def _places(begins: npt.NDArray[np.int64], counts: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """begins[0], begins[0] + 1, … counts[0] times, then the same of the next row."""
    offsets = np.cumsum(counts) - counts
    return np.arange(int(counts.sum())) + np.repeat(begins - offsets, counts)
