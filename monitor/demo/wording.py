"""From stems to posts: slots filled, openers and tails put round, typos, case, emoji; and near-copies."""

import re
from collections import Counter
from enum import StrEnum
from random import Random
from typing import NamedTuple

from monitor.demo.texts import Book

_SLOT = re.compile(r"\{(\w+)\}")
_LONG_WORD = re.compile(r"(?<![\w{#@])[a-z]{6,}(?![\w}])")
_HEX = "0123456789abcdef"


class Dress(StrEnum):
    """What is put round a stem."""

    HEADLINE = "headline"
    """Nothing: a wire item."""
    POST = "post"
    ANSWER = "answer"
    ASIDE = "aside"
    """No tags of the event: a post off its topic."""


class Worded(NamedTuple):
    """A text and the stem it was made from."""

    text: str
    stem: str


class Wording:
    """Writes posts; no stem is used for more than `cap` posts while others are left."""

    def __init__(self, book: Book, random: Random, cap: int) -> None:
        self._book = book
        self._random = random
        self._cap = cap
        self._used: Counter[str] = Counter()

    def write(self, language: str, pool: str, tag: str, uses: int, dress: Dress) -> Worded:
        """A text of this pool, to be used `uses` times (reposts and copies included)."""
        stems = self._book.stems(language, pool)
        number = self._pick(f"{language}:{pool}", len(stems), uses)
        stem = f"{language}:{pool}:{number}"
        self._used[stem] += uses
        text = self._fill(self._typo(stems[number]), language)
        if dress is not Dress.HEADLINE:
            text = self._decorate(text, language, dress, tag)
        return Worded(text, stem)

    def _pick(self, where: str, size: int, uses: int) -> int:
        """The less used of two at random, or of all where both are used up."""
        if not size:
            why = f"no stems for {where}"
            raise KeyError(why)
        drawn = [int(self._random.random() * size) for _ in range(2)]
        best = min(drawn, key=lambda n: self._used[f"{where}:{n}"])
        if self._used[f"{where}:{best}"] + uses <= self._cap:
            return best
        return min(range(size), key=lambda n: self._used[f"{where}:{n}"])

    def _fill(self, text: str, language: str) -> str:
        return _SLOT.sub(lambda slot: self._slot(slot[1], language), text)

    def _slot(self, name: str, language: str) -> str:
        draw = self._random.random
        if name == "n":
            return str(3 + int(draw() ** 2 * 40))
        if name == "url":
            tail = "".join(_HEX[int(draw() * 16)] for _ in range(6))
            return f"https://{self._any('zxx', 'slot/host')}.example.org/{tail}"
        if name == "h":
            return f"{self._any('zxx', 'slot/handle')}{int(draw() * 90) + 7 if self._chance(0.6) else ''}"
        return self._any(language, f"slot/{name}")

    def _any(self, language: str, pool: str) -> str:
        stems = self._book.stems(language, pool)
        return stems[int(self._random.random() * len(stems))] if stems else ""

    def _chance(self, probability: float) -> bool:
        return self._random.random() < probability

    def _typo(self, stem: str) -> str:
        """Now and then swaps two letters of a long Latin word."""
        words = list(_LONG_WORD.finditer(stem)) if self._chance(0.05) else []
        if not words:
            return stem
        word = words[int(self._random.random() * len(words))]
        at = word.start() + 1 + int(self._random.random() * (len(word[0]) - 3))
        return stem[:at] + stem[at + 1] + stem[at] + stem[at + 2 :]

    def _decorate(self, text: str, language: str, dress: Dress, tag: str) -> str:
        answer = dress is Dress.ANSWER
        kind = tag if dress is Dress.POST else dress.value
        if self._chance(0.12):
            text = text.lower()
        elif tag == "claim" and self._chance(0.04):
            text = text.upper()
        elif self._chance(0.15):
            text = text.rstrip(".!۔")
        if self._chance(0.12 if answer else 0.45):
            text = f"{self._fill(self._any(language, f'open/{kind}'), language)} {text}"
        if self._chance(0.15 if answer else 0.4):
            text = f"{text} {self._fill(self._any(language, f'tail/{kind}'), language)}"
        if self._chance(0.25):
            text = f"{text} {self._any('zxx', f'emoji/{tag}')}"
        if not answer and self._chance(0.12):
            text = f"{text} {self._slot('url', language)}"
        return text.strip()

    def retouch(self, text: str, language: str, dress: Dress) -> str:
        """A near-copy of `text`: another tail, mark, emoji, spacing or handle, or none of these."""
        tag = "" if dress is Dress.ASIDE else self._slot("tag", language)
        near = (
            text,
            f"{text} {self._any('zxx', 'emoji/other')}",
            f"{text} {tag}".strip(),
            f"{text} (via @{self._slot('h', language)})",
            text.rstrip(" .!؟?۔") + "!!",
            f"{self._any('zxx', 'slot/mark')} {text}",
            text.replace(" ", "  ", 1),
            f"{text} {self._slot('url', language)}",
        )
        return near[int(self._random.random() * len(near))]

    def repost(self, text: str, *, bare: bool, forward: bool) -> str:
        """The text a repost carries: none, the original's, or the original's behind the old retweet mark."""
        if bare:
            return ""
        return text if forward else f"RT @{self._slot('h', 'zxx')}: {text}"
