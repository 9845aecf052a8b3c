"""What a text asserts, as numbers: the slots of its words that say what is the case, and not who says or doubts it.

Words of stance (denial, negation, doubt, relaying, agreeing, asking: `classifiers/lexica/cues.tsv`) say nothing of what
is asserted, nor do urls and handles, which the words given here are free of. So a denial has the slots of the claim
that it contests. Endings of Latin words and the Arabic article go, numbers in words become digits, a hashtag in
CamelCase is its words.
"""

import re
from collections.abc import Sequence
from functools import cache
from importlib import resources
from itertools import chain
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt
import polars as pl
import xxhash

from classifiers.cues import lexicon_text
from classifiers.text import fold, fold_one, without_links, words

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

WORD_SLOTS: Final = 7 << 10
"""Words share so many slots; numbers have those from here on to SLOTS."""
SLOTS: Final = 8 << 10
_STANCE: Final = frozenset({"denial", "negation", "hedge", "relay", "affirm", "question", "wh"})
_ENDINGS: Final = ("ings", "ing", "edly", "ied", "ies", "ers", "er", "ed", "es", "s", "e")
_SHORTEST_STEM: Final = 4
_LONGEST_KNOWN: Final = 100_000
_COUNTED = re.compile(r"(\d{1,6})(\D{3,})?$")
_YEAR = re.compile(r"(?:19|20)\d\d$")
_CAMEL = r"(\p{Ll})(\p{Lu})"
_GROUPED: Final = r"(\d)[,.](\d{3})\b"
_MAY_GROUP: Final = r"[0-9][,.][0-9]{3}"
"""Far faster to look for."""
_NOTHING: Ints = np.zeros(0, np.int64)


class Said(NamedTuple):
    """One text."""

    slots: Ints
    """The slots of what it asserts, each once, in order of the text; empty for one that asserts nothing of its own."""
    words: int
    """How many words it has in all."""


class _Lexicon(NamedTuple):
    stance: frozenset[str]
    stance_stems: tuple[str, ...]
    numbers: dict[str, str]
    ordinary: dict[str, float]


class _Slots(dict[str, tuple[int, ...]]):
    """Folded word → its slots: none for one of stance; read once."""

    def __init__(self) -> None:
        super().__init__()
        self._lexicon = _lexicon()

    def __missing__(self, word: str) -> tuple[int, ...]:
        slots = self[word] = self._of(word)
        return slots

    def _of(self, word: str) -> tuple[int, ...]:
        lexicon = self._lexicon
        word = lexicon.numbers.get(word, word)
        counted = _COUNTED.match(word)
        if counted is not None and not _YEAR.match(word):
            number = WORD_SLOTS + int(counted[1]) % (SLOTS - WORD_SLOTS)
            return (number, *(self._of(counted[2]) if counted[2] else ()))
        if word in lexicon.stance or word.startswith(lexicon.stance_stems):
            return ()
        if len(word) == 1 and word.isascii():
            return ()
        return (word_slot(word),)


class Asserter:
    """Reads texts; knows the slots of the words it read lately."""

    def __init__(self) -> None:
        self._known = _Slots()

    def read(self, texts: pl.Series, words: Sequence[list[str]] | None = None) -> list[Said]:
        """What each text (String) asserts; `words`: `asserted_words` of the folded texts, where they are known."""
        if len(self._known) > _LONGEST_KNOWN:
            self._known.clear()
        filled = texts.fill_null("")
        camel = filled.str.contains(_CAMEL) if words is not None else filled.is_not_null()
        places = camel.arg_true()
        parted = filled.gather(places).str.replace_all(_CAMEL, "${1} ${2}")
        found = list(words) if words is not None else [[]] * len(filled)
        for place, other in zip(places.to_list(), asserted_words(fold(parted)).to_list(), strict=True):
            found[place] = other
        return [self._said(one) for one in found]

    def _said(self, words: list[str]) -> Said:
        slots = dict.fromkeys(chain.from_iterable(map(self._known.__getitem__, words)))
        return Said(np.fromiter(slots, np.int64, len(slots)) if slots else _NOTHING, len(words))


def asserted_words(folded: pl.Series) -> pl.Series:
    """The words that folded texts are compared by: without urls and handles, `40,000` as one number."""
    told = without_links(folded)
    grouped = told.str.contains(_MAY_GROUP).arg_true()
    if grouped.len():
        told = told.scatter(grouped, told.gather(grouped).str.replace_all(_GROUPED, "${1}${2}"))
    return words(told)


def word_slot(word: str) -> int:
    """The slot of a folded word, whatever its ending."""
    return xxhash.xxh3_64_intdigest(stem(word).encode()) % WORD_SLOTS


def stem(word: str) -> str:
    """A folded word without its ending (Latin script) or its article (Arabic)."""
    if word.startswith("ال") and len(word) > _SHORTEST_STEM:
        return word[2:]
    if word.isascii():
        for ending in _ENDINGS:
            if word.endswith(ending) and len(word) - len(ending) >= _SHORTEST_STEM - (len(ending) < 2):  # noqa: PLR2004
                return word[: -len(ending)]
    return word


def ordinary_shares() -> Floats:
    """(SLOTS,) the share of ordinary posts that hold a word of each slot, for the words that many hold."""
    shares = np.zeros(SLOTS)
    for word, share in _lexicon().ordinary.items():
        shares[word_slot(word)] += share
    return np.minimum(shares, 1.0)


@cache
def _lexicon() -> _Lexicon:
    stance: list[str] = []
    for line in lexicon_text().splitlines()[1:]:
        cue, _, phrases = line.split("\t")
        stance += phrases.split(" | ") if cue in _STANCE else []
    single = [fold_one(phrase) for phrase in stance if " " not in phrase]
    stems = {phrase.removesuffix("*") for phrase in single if phrase.endswith("*")}
    return _Lexicon(
        frozenset(phrase for phrase in single if not phrase.endswith("*")),
        tuple(sorted(stem for stem in stems if len(stem) >= _SHORTEST_STEM)),
        {fold_one(word): number for number, told in _table("numbers") for word in told.split()},
        {word: float(share) for word, share in _table("ordinary")},
    )


def _table(name: str) -> list[list[str]]:
    text = resources.files("monitor.cluster").joinpath(f"{name}.tsv").read_text(encoding="utf-8")
    return [line.split("\t") for line in text.splitlines()]
