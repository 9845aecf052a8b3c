"""What a post says of an event beyond the event's names: the words of its wordings that are none of its names.

Most posts that name a watched bank or singer are about something else. Whether a post shares the names only, or what
is asserted of them too, means the same in every language.
"""

from typing import Final

import numpy as np
import numpy.typing as npt

from classifiers.hashing import Hashes, Numbers, Words
from classifiers.reading import Bools, Other, Reading

__all__ = ["ASSERTS_FEATURES", "asserts_features"]

Small = npt.NDArray[np.uint8]

ASSERTS_FEATURES: Final = (
    "names:shared",
    "names:opening",
    "asserts:shared",
    "asserts:near",
    "asserts:parts",
    "names:only",
    "beside:words",
)
_STEM: Final = 4
_SLOTS: Final = 1 << 11
_MOST: Final = 20
_PARTS: Final = 10
_NEAR: Final = 4
_LATIN: Final = 0x250
_JOINED: Final = 0x3000


def asserts_features(reading: Reading) -> Small:
    """(n, len(ASSERTS_FEATURES)); a post of which no names are known shares none and asserts nothing.

    How many words are the event's names and whether one opens the post; how many are words of its wordings but no
    names, whether one stands within four words of a name, their share of all words that are no names in tenths;
    whether there are names and nothing asserted; and how many words are neither.
    """
    text = reading.text.words
    n = len(text.counts)
    content = _content(text)
    named = _stems_of(text, reading.names) & content
    asserted = _stems_of(text, reading.wordings) & content & ~named
    rows = text.rows
    names, asserts, words = (np.bincount(rows[which], minlength=n) for which in (named, asserted, content))
    opening = np.bincount(rows[named & (text.positions() < _NEAR)], minlength=n) > 0
    near = np.bincount(rows[asserted & _within(named, text)], minlength=n) > 0
    rest = words - names
    columns = [
        np.minimum(names, _MOST),
        opening,
        np.minimum(asserts, _MOST),
        near,
        asserts * _PARTS // np.maximum(rest, 1),
        (names > 0) & (asserts == 0),
        np.minimum(rest - asserts, _MOST),
    ]
    return np.stack([column.astype(np.uint8) for column in columns], axis=1)


def _content(words: Words) -> Bools:
    """(t,) words of four letters, of three outside the alphabets of Europe, of one where words are not spaced."""
    if not len(words.begins):
        return np.zeros(0, dtype=np.bool_)
    first = words.points[words.begins]
    least = np.where(first >= _JOINED, 1, np.where(first >= _LATIN, 3, _STEM))
    return np.asarray(words.lengths >= least, dtype=np.bool_)


def _stems_of(text: Words, other: Other) -> Bools:
    """(t,) which words share their first four letters with a word of the text's other."""
    mask = np.uint64(_SLOTS - 1)
    theirs = other.view.words
    table = np.zeros(len(theirs.counts) * _SLOTS, dtype=np.bool_)
    chosen = _content(theirs)
    table[theirs.rows[chosen] * _SLOTS + _slot(theirs.prefixes(_STEM)[chosen], mask)] = True
    found: Bools = table[other.which[text.rows] * _SLOTS + _slot(text.prefixes(_STEM), mask)]
    return found


def _slot(hashes: Hashes, mask: np.uint64) -> Numbers:
    return (hashes & mask).astype(np.int64)


def _within(flags: Bools, text: Words) -> Bools:
    """(t,) whether a flagged word stands at most `_NEAR` words away in the same text."""
    found = np.zeros(len(flags), dtype=np.bool_)
    position = text.positions()
    left = text.counts[text.rows] - position
    for step in range(1, _NEAR + 1):
        found[step:] |= flags[:-step] & (position[step:] >= step)
        found[:-step] |= flags[step:] & (left[:-step] > step)
    return found
