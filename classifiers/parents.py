"""How a post relates to what it is read against: shared words, missing words, mismatched negation."""

from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from classifiers.hashing import Hashes, Numbers
from classifiers.reading import Bools, Other, Reading, View, bit, has

__all__ = ["PARENT_FEATURES", "ROOT_FEATURES", "SCALE", "parent_features", "root_features"]

Small = npt.NDArray[np.uint8]

_CUES: Final = ("denial", "negation", "question", "celebration", "claim", "relay", "hedge", "contest", "still", "old")
_LIKENESS: Final = ("shared", "covered", "taken", "cosine", "stem_shared", "stem_cosine")
PARENT_FEATURES: Final = (
    "answer",
    "proposition",
    "parent",
    *(f"parent:{cue}" for cue in _CUES),
    *(f"parent_lacks:{cue}" for cue in _CUES),
    "parent:none",
    "negation_mismatch",
    "denial_mismatch",
    "shared_after_negation",
    "shared_after_denial",
    "new_number",
    *(f"parent:{name}" for name in _LIKENESS),
    "parent:words",
    "parent:first_shared",
)
ROOT_FEATURES: Final = (
    "deep",
    *(f"root:{cue}" for cue in ("denial", "negation", "question", "claim", "relay")),
    *(f"root:{name}" for name in _LIKENESS),
)
SCALE: Final = 20
"""What a likeness of 1 is stored as."""
_SLOTS: Final = 1 << 11
_CONTENT: Final = 4
_STEM: Final = 4
_NEAR: Final = (1, 2, 3)
_MOST: Final = 60


class _Likeness(NamedTuple):
    """(n,) each, and (t,) which words are shared."""

    columns: list[Small]
    """In the order of `_LIKENESS`."""
    at: Bools
    own: Numbers
    shared: Numbers


def parent_features(reading: Reading) -> Small:
    """(n, len(PARENT_FEATURES)): 0 or 1, likenesses in steps of 1/`SCALE`, numbers of words.

    Words are compared in a table of 2,048 slots per parent: one in a hundred words counts as shared though it is not,
    the same ones in every batch.
    """
    text, parent = reading.text, reading.parent
    n = len(text.words.counts)
    there = (parent.view.words.counts > 0)[parent.which]
    marks = parent.view.row_marks[parent.which]
    like = _likeness(text, parent)
    rows = text.words.rows
    shared_after = [
        np.bincount(rows[like.at & _near(text, bit(cue))], minlength=n) > 0 for cue in ("negation", "denial")
    ]
    first = np.full(n, _MOST, dtype=np.int64)
    shared_rows, begins = np.unique(rows[like.at], return_index=True)
    first[shared_rows] = text.words.positions()[like.at][begins]
    columns = [
        reading.posts.answers,
        there & ~reading.posts.answers,
        there,
        *(has(marks, cue) for cue in _CUES),
        *(there & ~has(marks, cue) & has(text.row_marks, cue) for cue in _CUES),
        there & (like.shared == 0),
        *(there & (has(marks, cue) != has(text.row_marks, cue)) for cue in ("negation", "denial")),
        *shared_after,
        there & _new_number(text, parent),
        *like.columns,
        np.minimum(parent.view.words.counts[parent.which], _MOST),
        np.minimum(first, _MOST),
    ]
    return np.stack([column.astype(np.uint8) for column in columns], axis=1)


def root_features(reading: Reading) -> Small:
    """(n, len(ROOT_FEATURES)) against the thread's first post."""
    root = reading.root
    marks = root.view.row_marks[root.which]
    columns = [
        (root.view.words.counts > 0)[root.which],
        *(has(marks, cue) for cue in ("denial", "negation", "question", "claim", "relay")),
        *_likeness(reading.text, root).columns,
    ]
    return np.stack([column.astype(np.uint8) for column in columns], axis=1)


def _likeness(text: View, other: Other) -> _Likeness:
    n = len(text.words.counts)
    content = text.words.lengths >= _CONTENT
    theirs_content = other.view.words.lengths >= _CONTENT
    rows = text.words.rows
    own = np.bincount(rows[content], minlength=n)
    theirs = np.bincount(other.view.words.rows[theirs_content], minlength=len(other.view.words.counts))[other.which]
    at = _common(text, other, text.words.hashes, other.view.words.hashes) & content
    stem_at = _common(text, other, text.words.prefixes(_STEM), other.view.words.prefixes(_STEM)) & content
    shared = np.bincount(rows[at], minlength=n)
    stems = np.bincount(rows[stem_at], minlength=n)
    length = np.sqrt(np.maximum(own * theirs, 1))
    columns = [
        np.minimum(shared, _MOST),
        _scaled(shared / np.maximum(theirs, 1)),
        _scaled(shared / np.maximum(own, 1)),
        _scaled(shared / length),
        np.minimum(stems, _MOST),
        _scaled(stems / length),
    ]
    return _Likeness([column.astype(np.uint8) for column in columns], at, own, shared)


def _scaled(share: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    return np.asarray(np.rint(np.minimum(share, 1.5) * SCALE), dtype=np.float64)


def _common(text: View, other: Other, mine: Hashes, theirs: Hashes) -> Bools:
    """(t,) which words occur in the text's other."""
    mask = np.uint64(_SLOTS - 1)
    table = np.zeros(len(other.view.words.counts) * _SLOTS, dtype=np.bool_)
    table[other.view.words.rows * _SLOTS + (theirs & mask).astype(np.int64)] = True
    return table[other.which[text.words.rows] * _SLOTS + (mine & mask).astype(np.int64)]


def _new_number(text: View, other: Other) -> Bools:
    """Whether a text has a number its other lacks, by the words that begin with a digit."""
    digits = text.words.digits()
    fresh = digits & ~_common(text, other, text.words.hashes, other.view.words.hashes)
    return np.bincount(text.words.rows[fresh], minlength=len(text.words.counts)) > 0


def _near(text: View, cue: np.uint32) -> Bools:
    """(t,) whether one of the three words before has the cue."""
    flags = (text.marks & cue) > 0
    near = np.zeros(len(flags), dtype=np.bool_)
    position = text.words.positions()
    for step in _NEAR:
        near[step:] |= flags[:-step] & (position[step:] >= step)
    return near
