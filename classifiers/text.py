"""The one folding of text: what differs only in spelling, keyboard or trickery becomes equal.

A batch is joined into one string, read as an array of code points and sent through tables with one entry per code
point, so that no Python runs per post. In order:

* NFKD, and accents go: in Latin, Greek, Cyrillic, Arabic (harakat, hamza, madda) and Hebrew; vowel signs of Indic and
  Thai script stay, Hangul and kana stay composed;
* format characters go: zero-width joiners and spaces, bidi marks, soft hyphen, variation selectors, tag characters,
  tatweel, skin tones. ZWNJ joins, so that `پنج‌شیر` is `پنجشیر`;
* Arabic, Persian, Pashto, Urdu and Kurdish ways to write one letter become one: yeh, kaf, heh, alef, waw. Letters of
  their own stay (ښ ړ ټ ډ پ چ گ): that Arabic writes ب for پ is for the matcher, since پدر is not بدر;
* every decimal digit is ASCII, every space is one space, quotes and dashes are `'`, `"`, `-`;
* in a word that mixes Latin with Cyrillic or Greek, look-alikes become the script the word can be wholly written in;
  a word of one script is left alone;
* case is folded.

Hashtags keep `#` and handles `@`, urls stay: `without_links` and `words` say what becomes of them. Case is lost here,
so `hashtag_words` splits CamelCase hashtags before folding.
"""

import unicodedata
from functools import cache
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import polars as pl

Codes = npt.NDArray[np.uint32]

GROWTH = 18
"""A folded text has at most this many times the characters it had (one code point can stand for a phrase)."""

_ROW = 0x0A
_SPACE = 0x20
_GONE = 0xFFFF_FFFF
_FLAGGED = 0x8000_0000
_LATIN, _OTHER = 1, 2

_ACCENTS = (
    (0x0300, 0x036F), (0x0483, 0x0489), (0x0591, 0x05BD), (0x05BF, 0x05C7), (0x0610, 0x061A), (0x064B, 0x065F),
    (0x0670, 0x0670), (0x0674, 0x0674), (0x06D6, 0x06DC), (0x06DF, 0x06E4), (0x06E7, 0x06E8), (0x06EA, 0x06ED),
    (0x0897, 0x089F), (0x08CA, 0x08FF), (0x1AB0, 0x1AFF), (0x1DC0, 0x1DFF), (0x20D0, 0x20FF), (0xA66F, 0xA67D),
    (0xFE20, 0xFE2F),
)  # fmt: skip
_INVISIBLE = (
    (0x0640, 0x0640), (0x115F, 0x1160), (0x17B4, 0x17B5), (0x180B, 0x180F), (0x2065, 0x2065), (0x3164, 0x3164),
    (0xFE00, 0xFE0F), (0xFFA0, 0xFFA0), (0xFFF0, 0xFFF8), (0x1F3FB, 0x1F3FF), (0xE0000, 0xE0FFF),
)  # fmt: skip
_COMPOSED = ((0x3040, 0x30FF), (0xAC00, 0xD7A3))
"""Hangul and kana: kept as they are; the few posts that bring them in pieces are composed at the end."""
_PIECES = "[\u1160-\u11ff\u3099\u309a]"

_LETTERS = {
    "ی": "يىېۍئےێۑؠۓ",
    "ک": "كڪ",
    "گ": "ګ",
    "ه": "ەہھةۃۀۂ",
    "ا": "أإآٱٲٳ",
    "و": "ؤۇۆۈۉۄ",
    "a": "ᴀ", "b": "ʙ", "c": "ᴄ", "d": "ᴅđ", "e": "ᴇ", "f": "ꜰ", "g": "ɢɡ", "h": "ʜħ", "i": "ɪı", "j": "ᴊ", "k": "ᴋ",
    "l": "ʟł", "m": "ᴍ", "n": "ɴ", "o": "ᴏø", "p": "ᴘ", "r": "ʀ", "s": "ꜱ", "t": "ᴛŧ", "u": "ᴜ", "v": "ᴠ", "w": "ᴡ",
    "y": "ʏ", "z": "ᴢ", "D": "Đ", "H": "Ħ", "L": "Ł", "O": "Ø", "T": "Ŧ",
    "ss": "ßẞ", "ae": "æǽ", "AE": "ÆǼ", "oe": "œ", "OE": "Œ",
    "'": "‘’‚‛ʼʹ′`´ʻ", '"': "“”„‟«»″", "-": "‐‑‒–—―−", " ": "\u2800\u1680",
}  # fmt: skip

_IS_LATIN = ((0x0000, 0x024F), (0x1E00, 0x1EFF), (0x2C60, 0x2C7F), (0xA720, 0xA7FF))
_IS_OTHER = ((0x0370, 0x052F), (0x1C80, 0x1C8F), (0x1F00, 0x1FFF), (0xA640, 0xA69F))
"""Cyrillic and Greek."""
_LOOKS_LATIN = {
    "а": "a", "в": "b", "е": "e", "һ": "h", "і": "i", "ј": "j", "к": "k", "м": "m", "н": "h", "о": "o", "р": "p",
    "с": "c", "ѕ": "s", "т": "t", "у": "y", "х": "x", "ԁ": "d", "ԛ": "q", "ԝ": "w", "ь": "b", "ӏ": "l", "г": "r",
    "п": "n", "и": "u",
    "А": "A", "В": "B", "Е": "E", "Һ": "H", "І": "I", "Ј": "J", "К": "K", "М": "M", "Н": "H", "О": "O", "Р": "P",
    "С": "C", "Ѕ": "S", "Т": "T", "У": "Y", "Х": "X", "Ԁ": "D", "Ԛ": "Q", "Ԝ": "W", "Ь": "B", "Ӏ": "I", "Г": "R",
    "П": "N", "И": "U",
    "α": "a", "β": "b", "ε": "e", "ζ": "z", "η": "n", "ι": "i", "κ": "k", "μ": "u", "ν": "v", "ο": "o", "ρ": "p",
    "τ": "t", "υ": "u", "χ": "x", "σ": "o", "ς": "c", "ω": "w", "γ": "y",
    "Α": "A", "Β": "B", "Ε": "E", "Ζ": "Z", "Η": "H", "Ι": "I", "Κ": "K", "Μ": "M", "Ν": "N", "Ο": "O", "Ρ": "P",
    "Τ": "T", "Υ": "Y", "Χ": "X", "Σ": "E", "Ω": "O", "Γ": "R",
}  # fmt: skip
_LOOKS_CYRILLIC = dict(zip("abcehijkmopstxyABCEHIJKMOPSTXY", "авсенијкморѕтхуАВСЕНІЈКМОРЅТХУ", strict=True))


class _Tables(NamedTuple):
    """One entry per code point."""

    letter: Codes
    """What stands for it; `_GONE`, or `_FLAGGED` + an index into `phrases`."""
    phrases: tuple[str, ...]
    case: Codes
    script: npt.NDArray[np.uint8]


def fold(texts: pl.Series) -> pl.Series:
    """Folds a String column; null stays null. Folding twice changes nothing."""
    if texts.is_empty():
        return texts
    filled = texts.fill_null("").str.replace_all("\n", " ", literal=True)
    codes = np.frombuffer(str(filled.str.join("\n").item()).encode("utf-32-le"), dtype="<u4")
    joined = _fold_codes(codes).tobytes().decode("utf-32-le")
    folded = pl.Series(texts.name, joined.split("\n"), dtype=pl.String)
    pieces = folded.str.contains(_PIECES)
    if pieces.any():
        folded = folded.zip_with(~pieces, folded.str.normalize("NFC"))
    return (
        folded if texts.null_count() == 0 else folded.zip_with(texts.is_not_null(), pl.Series([None], dtype=pl.String))
    )


def fold_one(text: str) -> str:
    """Folds one text, exactly as `fold` does."""
    return str(fold(pl.Series([text], dtype=pl.String)).item())


def without_links(folded: pl.Series) -> pl.Series:
    """What a folded text says: urls and handles removed; a hashtag's `#` goes and its `_` parts words."""
    return folded.str.replace_all(r"(?:https?://|www\.)\S+|@[\w.]+", " ").str.replace_all("[#_]", " ")


def words(folded: pl.Series) -> pl.Series:
    """The words of folded texts as a List[String] column: letters, marks and digits in any script.

    `_` parts words; `isn't` is one; Han, kana and Thai letters, which no space parts, and emoji stand alone.
    """
    return folded.str.extract_all(_WORD)


_UNSPACED = r"\p{Han}\p{Hiragana}\p{Katakana}\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}"
_WORD = rf"[[\p{{L}}\p{{M}}\p{{N}}]--[{_UNSPACED}]]+(?:'t\b)?|[{_UNSPACED}]|\p{{Regional_Indicator}}{{2}}|\p{{Extended_Pictographic}}"


def hashtag_words(texts: pl.Series) -> pl.Series:
    """The CamelCase hashtags of unfolded texts with `_` between their words, joined by spaces; "" where there are none."""
    tags = texts.str.extract_all(r"#\w*\p{Ll}\p{Lu}\w*").list.join(" ").fill_null("")
    return tags.str.replace_all(r"(\p{Ll})(\p{Lu})", "${1}_${2}")


def _fold_codes(codes: Codes) -> Codes:
    tables = _tables()
    codes = tables.letter[codes]
    if codes.size and codes.max() >= _FLAGGED:
        codes = _expanded(codes[codes != _GONE], tables.phrases)
    codes = tables.case[_unmixed(codes, tables.script)]
    return _single_spaced(codes)


def _expanded(codes: Codes, phrases: tuple[str, ...]) -> Codes:
    """Puts phrases in the place of the code points that stand for them."""
    at = np.flatnonzero(codes >= _FLAGGED)
    if not at.size:
        return codes
    kinds, kind = np.unique(codes[at] - _FLAGGED, return_inverse=True)
    spelled = [phrases[each] for each in kinds]
    lengths = np.array([len(each) for each in spelled])[kind]
    rest = "".join([spelled[each][1:] for each in kind])
    codes[at] = np.array([ord(each[0]) for each in spelled], dtype=np.uint32)[kind]
    return np.insert(codes, np.repeat(at + 1, lengths - 1), np.frombuffer(rest.encode("utf-32-le"), dtype="<u4"))


def _unmixed(codes: Codes, scripts: npt.NDArray[np.uint8]) -> Codes:
    """Rewrites the words in which a Latin letter stands beside a Cyrillic or Greek one."""
    script = scripts[codes]
    if not (script == _OTHER).any():
        return codes
    at = np.flatnonzero(script[1:] + script[:-1] == _LATIN + _OTHER)
    at = at[(script[at] != 0) & (script[at + 1] != 0)]
    done = -1
    for first in at.tolist():
        if first < done:
            continue
        begin, done = first, first + 1
        while begin and script[begin - 1]:
            begin -= 1
        while done < script.size and script[done]:
            done += 1
        word = codes[begin:done].tobytes().decode("utf-32-le")
        codes[begin:done] = np.frombuffer(_one_script(word).encode("utf-32-le"), dtype="<u4")
    return codes


def _one_script(word: str) -> str:
    """The mixed word in Latin if it can be written so, else in Cyrillic if it can, else as it is."""
    for look_alikes, kept in ((_LOOKS_LATIN, _LATIN), (_LOOKS_CYRILLIC, _OTHER)):
        rewritten = "".join(look_alikes.get(letter, letter) for letter in word)
        if all(_script(ord(letter)) == kept for letter in rewritten):
            return rewritten
    return word


def _single_spaced(codes: Codes) -> Codes:
    """One space for a run of spaces, none at either end of a row."""
    space = codes == _SPACE
    blank = space | (codes == _ROW)
    after_blank = np.empty_like(blank)
    after_blank[:1] = True
    after_blank[1:] = blank[:-1]
    codes = codes[~(space & after_blank)]
    before_row = np.empty(codes.size, dtype=bool)
    before_row[-1:] = True
    before_row[:-1] = codes[1:] == _ROW
    return codes[~((codes == _SPACE) & before_row)]


def _script(code: int) -> int:
    """Whether the code point is a letter of Latin, or of Cyrillic or Greek; 0 if of neither."""
    if not chr(code).isalpha():
        return 0
    return _LATIN if _within(code, _IS_LATIN) else _OTHER if _within(code, _IS_OTHER) else 0


def _within(code: int, ranges: tuple[tuple[int, int], ...]) -> bool:
    return any(first <= code <= last for first, last in ranges)


def _spelling(code: int, letters: dict[str, str]) -> str:
    """What stands for one code point, before case; "" if nothing does."""
    char = chr(code)
    category = unicodedata.category(char)
    if category in {"Cc", "Zs", "Zl", "Zp"}:
        return " "
    if category == "Cf" or _within(code, _INVISIBLE) or _within(code, _ACCENTS):
        return ""
    if char in letters:
        return letters[char]
    if category == "Nd":
        return str(unicodedata.decimal(char))
    if 0x1F150 <= code <= 0x1F189:  # letters in black circles and squares
        return chr(ord("A") + (code - 0x1F150) % 32) if (code - 0x1F150) % 32 < 26 else char
    if _within(code, _COMPOSED):
        return char
    apart = unicodedata.normalize("NFKD", char)
    return char if apart == char else "".join(_spelling(ord(each), letters) for each in apart)


@cache
def _tables() -> _Tables:
    """Builds the tables; planes above the second hold nothing that folds but tags and compatibility ideographs."""
    letters = {variant: letter for letter, variants in _LETTERS.items() for variant in variants}
    letter = np.arange(0x11_0000, dtype=np.uint32)
    case = np.arange(0x11_0000, dtype=np.uint32)
    script = np.zeros(0x11_0000, dtype=np.uint8)
    phrases: dict[str, int] = {}
    folding = (
        range(0x3400),
        range(0x4DC0, 0x4E00),
        range(0xA000, 0xAC00),
        range(0xD7B0, 0xD800),
        range(0xF900, 0x20000),
    )
    for code in (*(code for part in folding for code in part), *range(0x2F800, 0x2FA20), *range(0xE0000, 0xE1000)):
        spelling = _spelling(code, letters)
        if len(spelling) > 1:
            letter[code] = _FLAGGED + phrases.setdefault(spelling, len(phrases))
        else:
            letter[code] = ord(spelling) if spelling else _GONE
        folded = chr(code).casefold()
        folded = letters.get(folded, folded)
        case[code] = ord(folded) if len(folded) == 1 else code
        script[code] = _script(code)
    letter[_ROW] = _ROW
    for table in (letter, case, script):
        table.setflags(write=False)
    return _Tables(letter, tuple(phrases), case, script)
