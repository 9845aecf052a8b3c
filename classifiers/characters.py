"""Counts kinds of characters in unfolded texts: punctuation, case, scripts, letters that tell languages apart."""

from collections.abc import Iterator, Sequence
from typing import Final

import numpy as np
import numpy.typing as npt
import polars as pl

__all__ = ["KINDS", "Classes", "character_classes", "character_counts", "characters"]

Classes = npt.NDArray[np.uint8]

_SIGNS: Final = {
    "query": "?؟？",
    "exclamation": "!！",
    "quote": '"“”„«»',
    "ellipsis": "…",
    "hash": "#",
    "at": "@",
    "colon": ":：",
    "laugh": "😂🤣😆😹😅",
    "party": "🎉🎊🥳🎆🎇🍾🥂💃🕺👏🙌✌🏆🎶🎈🪩🎺🥁",
    "sad": "🙏😢😭💔😔🕊🤲😞🥺",
    "doubt": "🤔🧐🤨🙄🤷",
    "cross": "❌🚫⛔🤥🧢",
    "check": "✅✔☑💯",
    "siren": "🚨🔴⚡‼📢",
    "persian": "پچژگ",
    "urdu": "ٹڈڑںےۓ",
    "pashto": "ټډړښږڅځېۍڼړګ",
    "arabic": "ةىأإؤئ",
    "turkish": "ışğİŞĞ",
}
_RANGES: Final = {
    "upper": ((0x41, 0x5A),),
    "lower": ((0x61, 0x7A), (0xC0, 0x24F)),
    "digit": ((0x30, 0x39), (0x660, 0x669), (0x6F0, 0x6F9)),
    "cyrillic": ((0x400, 0x4FF),),
    "perso_arabic": ((0x600, 0x6FF), (0x750, 0x77F), (0xFB50, 0xFDFF), (0xFE70, 0xFEFE)),
    "devanagari": ((0x900, 0x97F),),
    "han": ((0x4E00, 0x9FFF), (0x3400, 0x4DBF)),
}
_LAST: Final = 0x32400
_AT_ONCE: Final = 0x2000
_SURROGATES: Final = np.arange(0xD800, 0xE000)
KINDS: Final = ("none", *_RANGES, *_SIGNS)
"""The kinds counted; a character is of one kind, signs before ranges."""


def character_classes() -> Classes:
    """(0x110000,) the index in `KINDS` of each code point."""
    classes = np.zeros(0x110000, dtype=np.uint8)
    for kind, ranges in _RANGES.items():
        for first, last in ranges:
            classes[first : last + 1] = KINDS.index(kind)
    for kind, signs in _SIGNS.items():
        classes[[ord(sign) for sign in signs]] = KINDS.index(kind)
    return classes


def character_counts(texts: Sequence[str], classes: Classes) -> npt.NDArray[np.int64]:
    """(n, len(KINDS)) how many characters of each kind each text has."""
    lengths = np.array([len(text) for text in texts], dtype=np.int64)
    points = np.frombuffer("".join(texts).encode("utf-32-le"), dtype="<u4")
    cells = np.repeat(np.arange(len(texts)) * len(KINDS), lengths) + classes[points]
    return np.bincount(cells, minlength=len(texts) * len(KINDS)).reshape(len(texts), len(KINDS))


def characters() -> Iterator[tuple[npt.NDArray[np.uint32], pl.Series]]:
    """Code points before the last letters that have a meaning, each as a text of its own, some thousand at a time."""
    for first in range(0, _LAST, _AT_ONCE):
        points = np.arange(first, first + _AT_ONCE, dtype=np.uint32)
        points = points[~np.isin(points, _SURROGATES)]
        if points.size:
            yield points, pl.Series(list(str(points.tobytes(), "utf-32-le")))
