"""What a post looks like and where its cues stand: columns that mean the same in every language."""

import re
from collections.abc import Callable, Sequence
from typing import Final

import numpy as np
import numpy.typing as npt

from classifiers.characters import KINDS, Classes, character_counts
from classifiers.cues import CUES, Marks
from classifiers.hashing import Words
from classifiers.reading import Bools, View, has, joined

__all__ = ["CUE_FEATURES", "FORM_FEATURES", "SCOPE", "cue_features", "distance", "form_features"]

Small = npt.NDArray[np.uint8]

SCOPE: Final = 3
"""Words after a negation that it may negate."""
_ASKS: Final = re.compile(r"[?؟？][\s\"'»”]*+(?:https?://\S++\s*+)*+\Z")
_SPEAKER: Final = re.compile(r"[^:：?!]{3,60}[:：] ")
_EDGE: Final = 3
_SHOUTED: Final = 10
_MOST: Final = 60
_MOST_SIGNS: Final = 20
_VIEWS: Final = ("any", "after_negation", "before_negation", "first", "last", "twice", "unnegated")
_SCRIPTS: Final = ("upper", "lower", "cyrillic", "perso_arabic", "devanagari", "han")
CUE_FEATURES: Final = (*(f"{cue}:{view}" for view in _VIEWS for cue in CUES), "cues", "negations")
FORM_FEATURES: Final = (
    "url", "begins_with_handle", "repost_mark", "ends_with_query", "quoted", "attribution", "shouting", "words",
    "characters", "handles", *(f"script:{kind}" for kind in _SCRIPTS), *(f"char:{kind}" for kind in KINDS[1:]),
)  # fmt: skip


def distance(flags: Bools, text: Words) -> npt.NDArray[np.int64]:
    """(t,) words since the last flagged word before this one in the same text; large where there is none."""
    places = np.arange(len(flags))
    if not len(flags):
        return places
    last = np.maximum.accumulate(np.where(flags, places, -1))
    last = np.append(-1, last[:-1])
    return np.where(last >= text.starts[text.rows], places - last, 1 << 30)


def cue_features(view: View) -> Small:
    """(n, len(CUE_FEATURES)) which cues stand where; a negation reaches three words on and two back."""
    text, marks = view.words, view.marks
    negated = has(marks, "negation")
    after = distance(negated, text) <= SCOPE
    position = text.positions()
    left = text.counts[text.rows] - position
    following = np.zeros(len(marks), dtype=np.bool_)
    for step in (1, 2):
        following[:-step] |= negated[step:] & (left[:-step] > step)
    none = np.uint32(0)
    earlier = np.zeros_like(marks)
    for step in range(1, 7):
        earlier[step:] |= np.where(position[step:] >= step, marks[:-step], none)
    chosen = (
        marks,
        np.where(after, marks, none),
        np.where(following, marks, none),
        np.where(position < _EDGE, marks, none),
        np.where(left <= _EDGE, marks, none),
        marks & earlier,
        np.where(after | following, none, marks),
    )
    shown = [_bits(joined(each.astype(np.uint32), text)) for each in chosen]
    rows = text.rows
    counts = [
        np.minimum(np.bincount(rows[which], minlength=len(text.counts)), _MOST)[:, None].astype(np.uint8)
        for which in (marks > 0, negated)
    ]
    return np.concatenate([*shown, *counts], axis=1)


def form_features(texts: Sequence[str], text: Words, classes: Classes) -> Small:
    """(n, len(FORM_FEATURES)) of unfolded texts and their words: form, kinds of character and their scripts."""
    counts = character_counts(texts, classes)
    kind = {name: counts[:, place] for place, name in enumerate(KINDS)}
    total = counts.sum(axis=1)
    columns = [
        _told(["http" in said for said in texts]),
        _told([said.startswith("@") for said in texts]),
        _told([said.startswith("RT @") for said in texts]),
        _found(_ASKS.search, texts, kind["query"] > 0),
        kind["quote"] > 1,
        _found(_SPEAKER.match, texts, kind["colon"] > 0),
        (kind["upper"] >= _SHOUTED) & (kind["upper"] > kind["lower"]),
        np.minimum(text.counts, _MOST),
        np.minimum(total // 5, _MOST),
        np.minimum(kind["at"], _MOST_SIGNS),
        *(kind[name] * 3 > total for name in _SCRIPTS),
        *(np.minimum(kind[name], _MOST_SIGNS) for name in KINDS[1:]),
    ]
    return np.stack([column.astype(np.uint8) for column in columns], axis=1)


def _told(flags: Sequence[bool]) -> Bools:
    return np.array(flags, dtype=np.bool_)


def _found(search: Callable[[str], object], texts: Sequence[str], among: Bools) -> Bools:
    """In which of some texts something is found."""
    found = among.copy()
    places = np.flatnonzero(among)
    found[places] = [search(texts[place]) is not None for place in places.tolist()]
    return found


def _bits(marks: Marks) -> Small:
    """(n, cues) one column per cue."""
    return (marks[:, None] >> np.arange(len(CUES), dtype=np.uint32) & np.uint32(1)).astype(np.uint8)
