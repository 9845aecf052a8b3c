"""How a post relates to what it is read against: shared words, missing words, mismatched negation."""

from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from classifiers.cues import CUES, Marks
from classifiers.hashing import Numbers, Words

__all__ = ["PARENT_FEATURES", "ParentView", "parent_features"]

_PARENT_CUES: Final = ("denial", "negation", "question", "celebration", "claim", "relay", "hedge")
PARENT_FEATURES: Final = (
    "parent",
    *(f"parent:{cue}" for cue in _PARENT_CUES),
    *(f"parent_lacks:{cue}" for cue in _PARENT_CUES),
    "parent:none",
    "parent:some",
    "parent:half",
    "parent:most",
    "text:half",
    "text:most",
    "negation_mismatch",
    "denial_mismatch",
    "shared_after_negation",
    "shared_after_denial",
    "new_number",
)
_SLOTS: Final = 1 << 11
_CONTENT: Final = 4
_SOME, _HALF, _MOST = 0.25, 0.5, 0.8


class ParentView(NamedTuple):
    """The distinct parents of a batch, read."""

    words: Words
    marks: Marks
    """(parents,) cues of each."""
    which: Numbers
    """(n,) index of each row's parent."""


def parent_features(text: Words, marks: Marks, parent: ParentView, row_marks: Marks) -> npt.NDArray[np.bool_]:
    """(n, len(PARENT_FEATURES)) of texts with the cues at their words and of their rows.

    Words are compared in a table of 2,048 slots per parent: one in a hundred words counts as shared though it is not,
    the same ones in every batch.
    """
    content = text.lengths >= _CONTENT
    slot = (text.hashes & np.uint64(_SLOTS - 1)).astype(np.int64)
    table = np.zeros(len(parent.words.counts) * _SLOTS, dtype=np.bool_)
    parent_slot = (parent.words.hashes & np.uint64(_SLOTS - 1)).astype(np.int64)
    table[parent.words.rows * _SLOTS + parent_slot] = True
    shared = table[parent.which[text.rows] * _SLOTS + slot] & content
    n = len(text.counts)
    shared_count = np.bincount(text.rows[shared], minlength=n)
    own = np.bincount(text.rows[content], minlength=n)
    parent_content = parent.words.lengths >= _CONTENT
    theirs = np.bincount(parent.words.rows[parent_content], minlength=len(parent.words.counts))[parent.which]
    there = (parent.words.counts > 0)[parent.which]
    parent_marks = parent.marks[parent.which]
    covered = shared_count / np.maximum(theirs, 1)
    taken = shared_count / np.maximum(own, 1)
    near = _near(marks, text, _bit("negation"))
    denied = _near(marks, text, _bit("denial"))
    columns = [
        there,
        *(_has(parent_marks, cue) for cue in _PARENT_CUES),
        *(there & ~_has(parent_marks, cue) & _has(row_marks, cue) for cue in _PARENT_CUES),
        there & (shared_count == 0),
        there & (covered > 0) & (covered <= _SOME),
        there & (covered > _HALF),
        there & (covered > _MOST),
        there & (taken > _HALF),
        there & (taken > _MOST),
        there & (_has(parent_marks, "negation") != _has(row_marks, "negation")),
        there & (_has(parent_marks, "denial") != _has(row_marks, "denial")),
        np.bincount(text.rows[shared & near], minlength=n) > 0,
        np.bincount(text.rows[shared & denied], minlength=n) > 0,
        there & (shared_count * 2 < own),
    ]
    return np.stack(columns, axis=1).astype(np.bool_)


def _bit(cue: str) -> np.uint32:
    return np.uint32(1 << CUES.index(cue))


def _has(marks: Marks, cue: str) -> npt.NDArray[np.bool_]:
    return (marks & _bit(cue)) > 0


def _near(marks: Marks, text: Words, bit: np.uint32) -> npt.NDArray[np.bool_]:
    """(t,) whether one of the three words before has the cue."""
    flags = (marks & bit) > 0
    near = np.zeros(len(flags), dtype=np.bool_)
    position = text.positions()
    for step in (1, 2, 3):
        near[step:] |= flags[:-step] & (position[step:] >= step)
    return near
