"""Turns posts into numbers: observations (what is done, in any language) and hashed words (what is said).

Observations are small whole numbers – cues and their scope, form, likeness to parent and root, what comes with the
post – and `Features.names` names each; but for the language they mean the same in every one. Hashed features are words,
word pairs, stems, words in the scope of a negation and first words, scaled by the row's number of features, so that
long posts weigh like short ones. Nothing here depends on the other rows of a batch.
"""

from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt
from scipy import sparse

from classifiers.asserts import ASSERTS_FEATURES, asserts_features
from classifiers.characters import KINDS, character_classes
from classifiers.cues import CueTable, cue_table
from classifiers.form import CUE_FEATURES, FORM_FEATURES, SCOPE, cue_features, distance, form_features
from classifiers.hashing import Hashes, combine, mix
from classifiers.lexicon import by_lexicon
from classifiers.origin import ORIGIN_FEATURES, SURE, origin_features
from classifiers.parents import PARENT_FEATURES, ROOT_FEATURES, SCALE, parent_features, root_features
from classifiers.reading import Bools, Posts, View, bit, has, read
from classifiers.tags import TAGS

__all__ = ["FeatureSettings", "Features", "Seen"]

_OPENING: Final = 2
_EMPTY: Final = np.uint64(0)
_READ: Final = (*CUE_FEATURES, *FORM_FEATURES, *PARENT_FEATURES, *ROOT_FEATURES)
_RULES: Final = tuple(f"{kind}:{tag}" for kind in ("rule", "rule_of_answer") for tag in TAGS)
_NAMES: Final = (*_READ, *_RULES, *ORIGIN_FEATURES, *ASSERTS_FEATURES)
_UNTELLING: Final = ("quote", "ellipsis", "hash", "at", "colon", "laugh", "sad", "doubt", "siren")
_TELLING: Final = [_NAMES.index(f"char:{kind}") for kind in KINDS[1:] if kind not in _UNTELLING]
"""Kinds of character of which a text must have one to be read, if no cue is in it."""
_COUNTED: Final = 60.0
_SIGNS: Final = 20.0
_TENTHS: Final = 10.0
_FEW: Final = 5.0
_FEWER: Final = ("names:shared", "asserts:shared", "beside:words")


class FeatureSettings(NamedTuple):
    """What a model was trained with; part of its artifact."""

    bits: int = 18
    """2^bits hashed features."""
    hashed_scale: float = 2.0
    """Length of a row's hashed part against 1 for an observation."""
    stem: int = 5
    """Code points of a word that make its stem."""


class Seen(NamedTuple):
    """A batch as numbers."""

    observed: npt.NDArray[np.uint8]
    """(n, len(names))"""
    hashed: sparse.csr_array
    """(n, 2^bits)"""
    silent: Bools
    """(n,) which texts hold nothing that can be read: no word, or neither a cue nor a letter of a known script."""
    view: View
    """The texts' words and cues."""


class Features:
    """The features of one lexicon and one setting."""

    names: Final = _NAMES

    def __init__(self, lexicon: str, settings: FeatureSettings) -> None:
        """Compiles the lexicon; raises ValueError if it cannot be read."""
        self.settings = settings
        self.cues: CueTable = cue_table(lexicon)
        self.hashed_size = 1 << settings.bits
        self._classes = character_classes()

    @property
    def scale(self) -> npt.NDArray[np.float64]:
        """(len(names),) what each observation is divided by for a linear model: about its largest usual value."""
        return np.array([_scale(name) for name in self.names])

    def see(self, batch: Posts) -> Seen:
        """Everything about a batch."""
        reading = read(batch, self.cues)
        observed = (
            cue_features(reading.text),
            form_features(batch.texts, reading.text.words, self._classes),
            parent_features(reading),
            root_features(reading),
        )
        read_out = np.concatenate(observed, axis=1)
        ruled = (by_lexicon(read_out, _READ)[:, None] == np.arange(len(TAGS))).astype(np.uint8)
        answered = ruled * batch.answers[:, None]
        seen = np.concatenate(
            (read_out, ruled, answered, origin_features(batch.origin), asserts_features(reading)), axis=1
        )
        untold = ~seen[:, _TELLING].any(axis=1) & ((reading.text.row_marks & ~bit("laugh")) == 0)
        silent = (reading.text.words.counts == 0) | untold
        return Seen(seen, self._hashed(reading.text), silent, reading.text)

    def _hashed(self, view: View) -> sparse.csr_array:
        text = view.words
        position = text.positions()
        follows = (position + 1) < text.counts[text.rows]
        scope = distance(has(view.marks, "negation"), text) <= SCOPE
        kinds: tuple[tuple[Hashes, Bools], ...] = (
            (text.hashes, np.ones(len(text.hashes), dtype=np.bool_)),
            (combine(text.hashes, np.append(text.hashes[1:], _EMPTY)), follows),
            (mix(text.prefixes(self.settings.stem) ^ np.uint64(0x5E)), text.lengths > self.settings.stem),
            (mix(text.hashes ^ np.uint64(0x4E)), scope & (position > 0)),
            (mix(text.hashes ^ np.uint64(0xF1)), position < _OPENING),
        )
        skeletons, spelled = text.skeletons()
        kinds += ((skeletons ^ np.uint64(0x5C), spelled),)
        hashes: Hashes = np.stack([each for each, _ in kinds], axis=1)
        exists = np.stack([each for _, each in kinds], axis=1)
        n = len(text.counts)
        counts = np.bincount(text.rows, weights=exists.sum(axis=1), minlength=n).astype(np.int64)
        scale = (self.settings.hashed_scale / np.sqrt(np.maximum(counts, 1))).astype(np.float32)
        buckets = (hashes[exists] & np.uint64(self.hashed_size - 1)).astype(np.int32)
        starts = np.append(0, np.cumsum(counts)).astype(np.int32)
        return sparse.csr_array((np.repeat(scale, counts), buckets, starts), shape=(n, self.hashed_size))


def _scale(name: str) -> float:
    if name.endswith((":covered", ":taken", "cosine")):
        return float(SCALE)
    if name == "language:sure":
        return float(SURE)
    if name.startswith(("names:", "asserts:")) or name == "beside:words":
        return _TENTHS if name == "asserts:parts" else _FEW if name in _FEWER else 1.0
    if name.endswith(("words", "shared")) or name in {"characters", "cues", "negations"}:
        return _COUNTED
    return _SIGNS if name.startswith("char:") or name == "handles" else 1.0
