"""Splits texts into words column-wise: one pass over the code points of a folded batch, no string per post.

The words are those of `read_words(words(without_links(fold(texts))))`, whose regular expressions say what a word, a
link and a handle are: the table of code points is asked of them, and a property test compares the two.
"""

from collections.abc import Sequence
from functools import cache
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from classifiers.characters import characters
from classifiers.hashing import Numbers, Words, hashed_words
from classifiers.text import AT_ONCE, HANDLE_PART, LINK_END, ROW, WORD_PARTS, Codes, fold_codes

__all__ = ["links", "said_words"]

_Kinds = npt.NDArray[np.uint8]
_Bools = npt.NDArray[np.bool_]

_JOINS: Final = np.uint8(1)
"""Letters, marks and digits, of which words consist."""
_ALONE: Final = np.uint8(2)
"""Characters that are words by themselves."""
_FLAG: Final = np.uint8(4)
"""Regional indicators, two of which are a flag."""
_BOUND: Final = np.uint8(8)
"""What parts no word from the one before it."""
_HANDLE: Final = np.uint8(16)
"""What may stand in a handle."""
_ENDS: Final = np.uint8(32)
"""What ends a link."""
_ROW, _AT, _COLON, _SLASH, _DOT, _TICK = (ord(sign) for sign in (ROW, "@", ":", "/", ".", "'"))
_T, _W, _S = (ord(letter) for letter in "tws")
_SCHEME: Final = np.array([ord(letter) for letter in "http"])


class _Split(NamedTuple):
    """The words of some texts."""

    points: Codes
    lengths: Numbers
    counts: Numbers


def said_words(texts: Sequence[str]) -> Words:
    """The words of unfolded texts, without their links and handles."""
    parts = [texts[first : first + AT_ONCE] for first in range(0, len(texts), AT_ONCE)]
    told = [_split(fold_codes(part), len(part)) for part in parts]
    if not told:
        return hashed_words(np.zeros(0, np.uint32), np.zeros(0, np.int64), np.zeros(0, np.int64))
    return hashed_words(*(np.concatenate(column) for column in zip(*told, strict=True)))


def _split(codes: Codes, count: int) -> _Split:
    kinds = _kinds().take(codes)
    _unlink(codes, kinds)
    joins = (kinds & _JOINS).view(np.bool_)
    alone = (kinds & _ALONE) > 0
    begins = joins.copy()
    begins[1:] &= ~joins[:-1]
    begins |= alone
    inside = joins | alone
    _contract(codes, kinds, begins, inside)
    if (flags := np.flatnonzero(kinds & _FLAG)).size:
        first = _flags(flags)
        begins[first] = inside[first] = inside[first + 1] = True
    at = np.flatnonzero(begins)
    ends = np.append(at[1:], len(codes))
    held = np.append(0, np.cumsum(inside))
    rows = np.flatnonzero(codes == _ROW)
    return _Split(
        codes[inside],
        held[ends] - held[at],
        np.bincount(np.searchsorted(rows, at), minlength=count),
    )


def _unlink(codes: Codes, kinds: _Kinds) -> None:
    """Makes links and handles, from left to right, what separates words."""
    linked = links(codes)
    handles = np.flatnonzero(codes == _AT)
    if not linked.size and not handles.size:
        return
    begins, bodies = np.append(linked[:, 0], handles), np.append(linked[:, 1], handles + 1)
    ends = np.concatenate(
        (_ends(kinds, _ENDS, linked[:, 1], ends=True), _ends(kinds, _HANDLE, handles + 1, ends=False))
    )
    done = 0
    for place in np.argsort(begins).tolist():
        begin, end = int(begins[place]), int(ends[place])
        if begin >= done and end > bodies[place]:
            kinds[begin:end] = 0
            done = end


def links(codes: Codes) -> Numbers:
    """(links, 2) where a link may begin, and where what follows its `http://` or `www.` does."""
    colons = np.flatnonzero(codes == _COLON)
    colons = colons[(colons >= len(_SCHEME)) & (colons + 2 < len(codes))]
    colons = colons[(codes[colons + 1] == _SLASH) & (codes[colons + 2] == _SLASH)]
    secure = codes[colons - 1] == _S
    begins = colons - len(_SCHEME) - secure
    colons, begins = colons[begins >= 0], begins[begins >= 0]
    known = (codes[begins[:, None] + np.arange(len(_SCHEME))] == _SCHEME).all(axis=1)
    dots = np.flatnonzero(codes == _DOT)
    dots = dots[dots >= 3]  # noqa: PLR2004 - of www
    dots = dots[(codes[dots[:, None] - np.arange(1, 4)] == _W).all(axis=1)]
    return np.concatenate(
        (np.stack((begins[known], colons[known] + 3), axis=1), np.stack((dots - 3, dots + 1), axis=1))
    )


def _ends(kinds: _Kinds, kind: np.uint8, begins: Numbers, *, ends: bool) -> Numbers:
    """Where, from each beginning on, the first code point of the kind stands, or the first that is not of it."""
    if not begins.size:
        return begins
    stops = np.append(np.flatnonzero(((kinds & kind) > 0) == ends), len(kinds))
    return np.asarray(stops[np.searchsorted(stops, begins)], dtype=np.int64)


def _contract(codes: Codes, kinds: _Kinds, begins: _Bools, inside: _Bools) -> None:
    """Makes the 't of isn't part of the word before."""
    ticks = np.flatnonzero(codes == _TICK)
    ticks = ticks[(ticks > 0) & (ticks + 1 < len(codes))]
    ticks = ticks[(codes[ticks + 1] == _T) & ((kinds[ticks - 1] & _JOINS) > 0) & ((kinds[ticks + 1] & _JOINS) > 0)]
    after = np.append(kinds, np.uint8(0))[ticks + 2]
    done = -2
    for tick in ticks[(after & _BOUND) == 0].tolist():
        if tick == done + 2:  # the t before it is of another 't already
            continue
        inside[tick], begins[tick + 1] = True, False
        done = tick


def _flags(at: Numbers) -> Numbers:
    """The first of each two regional indicators that stand together."""
    places = np.arange(len(at))
    fresh = np.append(True, np.diff(at) > 1)
    odd = (places - np.maximum.accumulate(np.where(fresh, places, 0))) % 2
    return np.asarray(at[:-1][(odd[:-1] == 0) & ~fresh[1:]], dtype=np.int64)


@cache
def _kinds() -> _Kinds:
    """(0x110000,) bits of each code point."""
    kinds = np.zeros(0x11_0000, dtype=np.uint8)
    letter, alone, flag, bound = (f"^(?:{part})$" for part in WORD_PARTS)
    asked = (
        (_JOINS, letter),
        (_ALONE, alone),
        (_FLAG, flag),
        (_BOUND, bound),
        (_HANDLE, f"^{HANDLE_PART}$"),
        (_ENDS, f"^{LINK_END}$"),
    )
    for points, signs in characters():
        for bit, pattern in asked:
            kinds[points] |= np.where(signs.str.contains(pattern).to_numpy(), bit, np.uint8(0))
    kinds[(kinds & _JOINS) > 0] &= ~_ALONE
    kinds[_ROW] = _ENDS
    kinds[ord("_")] &= ~_BOUND
    kinds.setflags(write=False)
    return kinds
