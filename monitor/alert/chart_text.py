"""Text for a picture: only letters that its fonts have, in lines of a width, each in its own direction. Pure.

The fonts have Latin, Greek, Cyrillic, Arabic script with all letters of Farsi, Dari, Pashto and Urdu, and Devanagari.
Where a text is written in anything else it is left out, whole: no boxes, and no sentence with holes in it.
"""

import unicodedata
from html import escape

from monitor.alert.harmless import harmless

COVERED = (
    range(0x20, 0x7F),
    range(0xA0, 0x250),
    range(0x300, 0x3E2),
    range(0x3F0, 0x530),
    range(0x600, 0x700),
    range(0x750, 0x780),
    range(0x8A0, 0x980),
    range(0x1E00, 0x2000),
    range(0x200C, 0x200D),
    range(0x2010, 0x2028),
    range(0x2030, 0x205F),
    range(0x20A0, 0x20C1),
    range(0x2100, 0x2150),
    range(0xFB50, 0xFE00),
    range(0xFE70, 0xFEFD),
)
"""Where every assigned character has a glyph."""
_MOST = 400
_STANDS_FOR = str.maketrans({"＠": "@", "�": "?", "␛": "?"})
_RTL = frozenset({"R", "AL"})
_NARROW = frozenset("iljtfrI.,:;'|!()[]{}/\\·‹›\"`- ")
_WIDE = frozenset("mwMW@%—…‰ѠѡШЩЖЮЫшщжюыФ")
_ISOLATE_RTL, _ISOLATE_LTR, _END = "\u2067", "\u2066", "\u2069"


def drawn(text: str) -> str:
    """The text in one line, without symbols that the fonts do not have; "" if it has letters they do not have."""
    plain = harmless(text, _MOST).translate(_STANDS_FOR)
    kept = "".join(char for char in plain if _covered(char))
    lost = sum(char.isalpha() for char in plain) - sum(char.isalpha() for char in kept)
    return "" if lost else " ".join(kept.split())


def lines(text: str, width: float, most: int) -> list[str]:
    """At most `most` lines of words, none wider than `width` em; what is left out shows as …."""
    made = [""]
    for word in text.split(" "):
        longer = f"{made[-1]} {word}".strip()
        if breadth(longer) <= width:
            made[-1] = longer
        elif len(made) < most:
            made.append(word)
        else:
            made[-1] = f"{longer}…"
            break
    return [_cut(line, width) for line in made if line]


def breadth(text: str) -> float:
    """About how wide it will be, in em, and rather more than less."""
    return sum(map(_advance, text))


def is_rtl(text: str) -> bool:
    """Whether its first letter is one of a script that runs from right to left."""
    kinds = (unicodedata.bidirectional(char) for char in text)
    return next((kind in _RTL for kind in kinds if kind in _RTL or kind == "L"), False)


def markup(text: str) -> str:
    """The text for an element of the picture: escaped, and a sentence by itself whatever stands beside it."""
    return f"{_ISOLATE_RTL if is_rtl(text) else _ISOLATE_LTR}{escape(text)}{_END}"


def _covered(char: str) -> bool:
    return any(ord(char) in span for span in COVERED) and unicodedata.category(char) != "Cn"


def _cut(line: str, width: float) -> str:
    """The line, shortened to the width: at a word, or between two letters of a long one."""
    if breadth(line) <= width:
        return line
    end = len(line)
    while end and (breadth(line[:end]) + 1.0 > width or unicodedata.category(line[end : end + 1] or " ")[0] == "M"):
        end -= 1
    line = line[:end]
    space = line.rfind(" ")
    line = line[:space] if space > len(line) // 2 else line
    return f"{line.rstrip(' …')}…"


def _advance(char: str) -> float:
    kind = unicodedata.category(char)
    if kind in {"Mn", "Me", "Cf"}:
        return 0.0
    if char in _WIDE or "\ufdf0" <= char <= "\ufdff" or char in "ضصشسؽ":
        return 1.0
    if char in _NARROW:
        return 0.4
    if "\u0600" <= char <= "\u08ff" or char >= "\ufb50":
        return 0.56
    return 0.74 if kind == "Lu" else 0.62
