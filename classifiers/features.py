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
from classifiers.hashing import Hashes, Numbers, Words, combine, mix, read_words
from classifiers.parents import PARENT_FEATURES, ParentView, parent_features
from classifiers.text import fold, without_links, words

__all__ = ["MOST_CHARACTERS", "FeatureSettings", "Features"]

Bools = npt.NDArray[np.bool_]

MOST_CHARACTERS: Final = 1_000
"""A post is read up to here."""

_SCOPE: Final = 3
_EDGE: Final = 3
_OPENING: Final = 2
_EMPTY: Final = np.uint64(0)
_SIZES: Final = (0, 2, 5, 12, 25)
_SHOUTED: Final = 10
_DIGITS: Final = 4
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
        self._first, self._second = first, second
        self.size = self.dense_size + len(self._first) + (1 << settings.bits)

    def rows(self, texts: pl.Series, parents: pl.Series) -> sparse.csr_array:
        """(n, size) features of n texts and what they are read against; "" or null where there is nothing."""
        return self.rows_and_silent(texts, parents)[0]

    def rows_and_silent(self, texts: pl.Series, parents: pl.Series) -> tuple[sparse.csr_array, Bools]:
        """The same, and (n,) which texts have no word at all."""
        seen, view = self._seen(_readable(texts), _readable(parents))
        paired = np.ascontiguousarray(seen[:, self._paired].T)
        pairs = paired[self._first] & paired[self._second]
        return _assembled(seen, pairs, self._hashed(view), view.words, self.settings), view.words.counts == 0

    def seen(self, texts: pl.Series, parents: pl.Series) -> Bools:
        """(n, dense_size) the observations alone, in the order of `names`."""
        return self._seen(_readable(texts), _readable(parents))[0]

    def _seen(self, texts: pl.Series, parents: pl.Series) -> tuple[Bools, View]:
        """Texts and their distinct parents are read in one go."""
        unique, which = _dictionary(parents)
        size = len(texts)
        read = read_words(words(without_links(fold(pl.concat([texts, unique.rename(texts.name)])))))
        marks = self.cues.find(read)
        text = read.part(0, size)
        parent = read.part(size, size + len(unique))
        view = View(text, marks[: len(text.hashes)])
        parent_marks = _joined(marks[len(text.hashes) :], parent)
        columns = (
            _cue_columns(view),
            _form_columns(texts, text, self._classes),
            parent_features(text, view.marks, ParentView(parent, parent_marks, which), _joined(view.marks, text)),
        )
        return np.concatenate(columns, axis=1), view

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
            (mix(text.hashes ^ np.uint64(0xF1)), position < _OPENING),
        ]
        return np.stack([each for each, _ in kinds], axis=1), np.stack([each for _, each in kinds], axis=1)


def _readable(texts: pl.Series) -> pl.Series:
    return texts.fill_null("").str.slice(0, MOST_CHARACTERS)


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
        np.where(position < _EDGE, marks, none),
        np.where(left <= _EDGE, marks, none),
        marks & earlier,
    )
    return np.concatenate([_bits(_joined(each.astype(np.uint32), text)) for each in chosen], axis=1)


def _form_columns(texts: pl.Series, text: Words, classes: npt.NDArray[np.uint8]) -> Bools:
    counts = character_counts(texts, classes)
    kind = {name: counts[:, place] for place, name in enumerate(KINDS)}
    size_class = np.searchsorted(_SIZES, text.counts)
    columns = [
        texts.str.contains("http", literal=True).to_numpy(),
        texts.str.starts_with("@").to_numpy(),
        texts.str.starts_with("RT @").to_numpy(),
        texts.str.contains(r"[?؟？][\s\"'»”]*(?:https?://\S+\s*)*$").to_numpy(),
        kind["query"] > 1,
        kind["exclamation"] > 1,
        (kind["upper"] >= _SHOUTED) & (kind["upper"] > kind["lower"]),
        *(size_class == place for place in range(len(_SIZES) + 1)),
        kind["digit"] >= _DIGITS,
    ]
    scripts = {"upper", "lower", "cyrillic", "perso_arabic", "devanagari", "han"}
    present = [kind[name] * 3 > counts.sum(axis=1) if name in scripts else kind[name] > 0 for name in KINDS[1:]]
    return np.stack([*columns, *present], axis=1).astype(np.bool_)


def _assembled(
    seen: Bools, pairs: Bools, hashed: tuple[Hashes, Bools], text: Words, settings: FeatureSettings
) -> sparse.csr_array:
    """One row per text: seen columns and pairs (as (pairs, n)) with value 1, then the hashed ones word by word."""
    hashes, exists = hashed
    rows, columns = np.divmod(np.flatnonzero(seen), seen.shape[1])
    kinds, which = np.divmod(np.flatnonzero(pairs), len(seen))
    per_word = exists.sum(axis=1)
    counts = np.bincount(text.rows, weights=per_word, minlength=len(seen)).astype(np.int64)
    scale = settings.hashed_scale / np.sqrt(np.maximum(counts, 1))
    buckets = (hashes[exists] & np.uint64((1 << settings.bits) - 1)).astype(np.int32)
    blocks = (
        _block(columns, np.bincount(rows, minlength=len(seen)), np.ones(len(columns)), seen.shape[1]),
        sparse.csc_array(
            (np.ones(len(which)), which, _indptr(np.bincount(kinds, minlength=len(pairs)))), shape=pairs.shape[::-1]
        ).tocsr(),
        _block(buckets, counts, np.repeat(scale, counts), 1 << settings.bits),
    )
    return sparse.csr_array(sparse.hstack(blocks, format="csr"))


def _block(
    columns: npt.NDArray[np.int32], counts: Numbers, values: npt.NDArray[np.float64], width: int
) -> sparse.csr_array:
    """A sparse block of the given columns, counts[i] of them in row i."""
    return sparse.csr_array((values, columns, _indptr(counts)), shape=(len(counts), width))


def _indptr(counts: Numbers) -> npt.NDArray[np.int32]:
    return np.append(0, np.cumsum(counts)).astype(np.int32)
