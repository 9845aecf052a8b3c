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

import re
import unicodedata
from collections.abc import Sequence
from functools import cache
from itertools import chain
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import polars as pl

Codes = npt.NDArray[np.uint32]

GROWTH = 18
"""A folded text has at most this many times the characters it had (one code point can stand for a phrase)."""

ROW = "\0"
"""Parts the rows of a joined batch; occurs in no folded text."""
AT_ONCE = 1024
"""Rows that are best folded at once: their arrays stay in the cache, which doubles the speed."""
_GONE = 0xFFFF_FFFF
_FLAGGED = 0x8000_0000

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
_PIECES = re.compile("[\u1160-\u11ff\u3099\u309a]")

HANDLE_PART, LINK_END = r"[\w.]", r"[\s\x{2e80}-\x{9fff}]"
LINK = rf"(?:https?://|www\.)[^{LINK_END[1:]}+|@{HANDLE_PART}+"
"""A url or a handle in folded text; what a handle consists of, what ends a url."""
_UNSPACED = r"\p{Han}\p{Hiragana}\p{Katakana}\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}"
_LETTER = rf"[[\p{{L}}\p{{M}}\p{{N}}]--[{_UNSPACED}]]"
_FLAG_PART, _PICTURE = r"\p{Regional_Indicator}", r"\p{Extended_Pictographic}"
_WORD = rf"{_LETTER}+(?:'t\b)?|[{_UNSPACED}]|{_FLAG_PART}{{2}}|{_PICTURE}"
WORD_PARTS = (_LETTER, rf"[{_UNSPACED}]|{_PICTURE}", _FLAG_PART, r"\w")
"""What `words` are made of: what joins, what stands alone, half of a flag; and what parts no word from what follows."""

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

_GREEK, _GREEK_AND_CYRILLIC = 0x0370, 0x0530 - 0x0370
"""Where the two begin, and for how many code points."""
_LOOKS_LATIN = dict(
    zip(
        "авеһіјкмнорсѕтухԁԛԝьӏгпиАВЕҺІЈКМНОРСЅТУХԀԚԜЬӀГПИ" "αβεζηικμνορτυχσςωγΑΒΕΖΗΙΚΜΝΟΡΤΥΧΣΩΓ",
        "abehijkmhopcstyxdqwblrnuABEHIJKMHOPCSTYXDQWBIRNU" "abeznikuvoptuxocwyABEZHIKMNOPTYXEOR",
        strict=True,
    )
)  # fmt: skip
_LOOKS_CYRILLIC = dict(zip("abcehijkmopstxyABCEHIJKMOPSTXY", "авсенијкморѕтхуАВСЕНІЈКМОРЅТХУ", strict=True))


class _Tables(NamedTuple):
    """One entry per code point."""

    plain: Codes
    """What stands for it, case folded; `_GONE`, or `_FLAGGED` + an index into `phrases`."""
    cased: Codes
    """The same before case."""
    phrases: tuple[str, ...]


class Joined(NamedTuple):
    """A folded batch as one string, for searches."""

    text: str
    """Rows parted by `ROW`."""
    codes: Codes
    """The same as code points."""


def fold(texts: pl.Series) -> pl.Series:
    """Folds a String column; null stays null. Folding twice changes nothing."""
    rows = [row for part in parts(texts) for row in fold_joined(part).text.split(ROW)]
    folded = pl.Series(texts.name, rows, dtype=pl.String)
    return folded.zip_with(texts.is_not_null(), pl.Series([None], dtype=pl.String)) if texts.null_count() else folded


def parts(texts: pl.Series) -> list[pl.Series]:
    """A column cut into pieces that are best folded at once."""
    return [texts.slice(first, AT_ONCE) for first in range(0, len(texts), AT_ONCE)]


def fold_joined(texts: pl.Series) -> Joined:
    """Folds a String column into one string; null becomes ""."""
    codes = fold_codes((texts.fill_null("") if texts.null_count() else texts).to_list())
    return Joined(str(codes.tobytes(), "utf-32-le"), codes)


def fold_codes(texts: Sequence[str]) -> Codes:
    """The code points of `fold_joined`."""
    codes = _fold_codes(_codes(joined(texts)))
    if _holds(codes, 0x1160, 0x00A0) or _holds(codes, 0x3099, 2):
        folded = str(codes.tobytes(), "utf-32-le").split(ROW)
        codes = _codes(ROW.join([unicodedata.normalize("NFC", row) if _PIECES.search(row) else row for row in folded]))
    return codes


def joined(texts: Sequence[str]) -> str:
    """The texts as one, parted by `ROW`, which becomes a space where it stands in one."""
    told = ROW.join(texts)
    return told if told.count(ROW) < max(len(texts), 1) else ROW.join([text.replace(ROW, " ") for text in texts])


def fold_one(text: str) -> str:
    """Folds one text, exactly as `fold` does."""
    return str(fold(pl.Series([text], dtype=pl.String)).item())


def without_links(folded: pl.Series) -> pl.Series:
    """What a folded text says: urls and handles removed; a hashtag's `#` goes and its `_` parts words."""
    return folded.str.replace_all(LINK, " ").str.replace_all("[#_]", " ")


def words(folded: pl.Series) -> pl.Series:
    """The words of folded texts as a List[String] column: letters, marks and digits in any script.

    `_` parts words; `isn't` is one; Han, kana and Thai letters, which no space parts, and emoji stand alone.
    """
    return folded.str.extract_all(_WORD)


def hashtag_words(texts: pl.Series) -> pl.Series:
    """The CamelCase hashtags of unfolded texts with `_` between their words, joined by spaces; "" where none is."""
    tags = texts.str.extract_all(r"[#＃]\w*\p{Ll}\p{Lu}\w*").list.join(" ").fill_null("")
    return tags.str.replace_all(r"(\p{Ll})(\p{Lu})", "${1}_${2}")


def _fold_codes(raw: Codes) -> Codes:
    tables = _tables()
    codes = _spelled(tables.plain.take(raw), tables.phrases)
    if _holds(codes, _GREEK, _GREEK_AND_CYRILLIC):
        codes = _unmixed(_spelled(tables.cased.take(raw), tables.phrases))
        codes = _spelled(tables.plain.take(codes), tables.phrases)
    return single_spaced(codes)


def _codes(text: str) -> Codes:
    return np.frombuffer(text.encode("utf-32-le"), dtype="<u4")


def _holds(codes: Codes, first: int, count: int) -> bool:
    """Whether one of `count` code points from `first` on occurs (below `first` the subtraction wraps around)."""
    return bool((codes - np.uint32(first) < np.uint32(count)).any())


def _spelled(codes: Codes, phrases: tuple[str, ...]) -> Codes:
    """Takes out what is gone and puts phrases in the place of the code points that stand for them."""
    if not codes.size or codes.max() < _FLAGGED:
        return codes
    codes = codes[codes != _GONE]
    at = np.flatnonzero(codes >= _FLAGGED)
    if not at.size:
        return codes
    kinds, kind = np.unique(codes[at] - _FLAGGED, return_inverse=True)
    spelled = [phrases[each] for each in kinds]
    lengths = np.array([len(each) for each in spelled])[kind]
    rest = "".join([spelled[each][1:] for each in kind])
    codes[at] = np.array([ord(each[0]) for each in spelled], dtype=np.uint32)[kind]
    return np.insert(codes, np.repeat(at + 1, lengths - 1), _codes(rest))


def _unmixed(codes: Codes) -> Codes:
    """Rewrites the words in which a Latin letter stands beside a Cyrillic or Greek one; words keep their length."""
    other = codes - np.uint32(_GREEK) < np.uint32(_GREEK_AND_CYRILLIC)
    latin = (codes | 0x20) - np.uint32(ord("a")) < np.uint32(26)
    script = other.view(np.int8) - latin.view(np.int8)
    edges = np.flatnonzero(script[1:] * script[:-1] < 0)
    done = -1
    for edge in edges.tolist():
        if edge < done:
            continue
        begin, done = edge, edge + 1
        while begin and script[begin - 1]:
            begin -= 1
        while done < script.size and script[done]:
            done += 1
        word = str(codes[begin:done].tobytes(), "utf-32-le")
        codes[begin:done] = _codes(_one_script(word))
    return codes


def _one_script(word: str) -> str:
    """The mixed word in Latin if it can be written so, else in Cyrillic if it can, else as it is."""
    latin = "".join([_LOOKS_LATIN.get(letter, letter) for letter in word])
    if latin.isascii():
        return latin
    cyrillic = "".join([_LOOKS_CYRILLIC.get(letter, letter) for letter in word])
    return word if any(letter.isascii() for letter in cyrillic) else cyrillic


def single_spaced(codes: Codes) -> Codes:
    """One space for a run of spaces, none at either end of a row."""
    if not codes.size:
        return codes
    padded = np.concatenate((codes, np.zeros(1, dtype=np.uint32)))  # the row's end after the last and before the first
    spaces = np.flatnonzero(padded == ord(" "))
    before = padded[spaces - 1]
    padded = np.delete(padded, spaces[(before == ord(" ")) | (before == ord(ROW))])
    spaces = np.flatnonzero(padded == ord(" "))
    return np.delete(padded, spaces[padded[spaces + 1] == ord(ROW)])[:-1]


def _points(*ranges: tuple[int, int]) -> frozenset[int]:
    return frozenset(chain.from_iterable(range(first, last + 1) for first, last in ranges))


@cache
def _spellings() -> dict[int, str]:
    """Code point → what stands for it before case, where that is not itself; "" if nothing does."""
    told = {ord(variant): letter for letter, variants in _LETTERS.items() for variant in variants}
    for first in (0x1F150, 0x1F170):  # letters in black circles and squares
        told |= {first + place: chr(ord("A") + place) for place in range(26)}
    composed = _points(*_COMPOSED)
    told |= dict.fromkeys(_points(*_ACCENTS, *_INVISIBLE), "")

    def spelling(code: int) -> str:
        if code in told:
            return told[code]
        char = chr(code)
        category = unicodedata.category(char)
        if category == "Cf":
            return ""
        if category in {"Cc", "Zs", "Zl", "Zp"}:
            return " "
        if category == "Nd":
            return str(unicodedata.decimal(char))
        apart = char if code in composed else unicodedata.normalize("NFKD", char)
        return char if apart == char else "".join([spelling(ord(each)) for each in apart])

    points = _points((0, 0x33FF), (0x4DC0, 0x4DFF), (0xA000, 0xABFF), (0xD7B0, 0xD7FF), (0xF900, 0x1FFFF))
    points |= _points((0x2F800, 0x2FA1F), (0xE0000, 0xE0FFF))  # compatibility ideographs; tags, variation selectors
    return {code: said for code in sorted(points) if (said := spelling(code)) != chr(code)}


@cache
def _tables() -> _Tables:
    spellings = _spellings()
    phrases: dict[str, int] = {}
    plain = np.arange(0x11_0000, dtype=np.uint32)
    cased = np.arange(0x11_0000, dtype=np.uint32)

    def entry(said: str) -> int:
        if len(said) == 1:
            return ord(said)
        return _FLAGGED + phrases.setdefault(said, len(phrases)) if said else _GONE

    for code in chain(range(0x3400), range(0xA000, 0xAC00), range(0xF900, 0x20000)):
        folded = chr(code).casefold()
        if folded != chr(code) and code not in spellings:
            plain[code] = entry("".join([spellings.get(ord(each), each) for each in folded]))
    for code, said in spellings.items():
        cased[code] = entry(said)
        plain[code] = entry("".join([spellings.get(ord(each), each) for each in said.casefold()]))
    plain[ord(ROW)] = cased[ord(ROW)] = ord(ROW)
    for table in (plain, cased):
        table.setflags(write=False)
    return _Tables(plain, cased, tuple(phrases))
