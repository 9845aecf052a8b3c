"""Hashes words by the thousand, the same on every machine and in every version.

A word's hash is a polynomial over its code points modulo 2^64, mixed by splitmix64's last step (Steele et al. 2014).
One running sum over all code points of a batch gives the hash of every word and of every prefix of it.
"""

from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt
import polars as pl

__all__ = ["HASH_NAME", "Hashes", "Numbers", "Words", "combine", "hashed_words", "mix", "read_words", "word_hash"]

HASH_NAME: Final = "poly64-splitmix/1"
_RADIX: Final = np.uint64(0x9E3779B97F4A7C15)
_INVERSE: Final = np.uint64(pow(0x9E3779B97F4A7C15, -1, 1 << 64))
"""Takes the radix off a code point again."""

_SPELLED: Final = 4
_LETTERS: Final = 26
_VOWELS: Final = np.array([chr(point) in "aeiouwy" for point in range(128)])

Hashes = npt.NDArray[np.uint64]
Numbers = npt.NDArray[np.int64]


class Words(NamedTuple):
    """The words of n texts in one row: t words, text after text."""

    hashes: Hashes
    """(t,) hash of each word."""
    rows: Numbers
    """(t,) index of the text a word stands in."""
    counts: Numbers
    """(n,) words per text."""
    starts: Numbers
    """(n,) index of a text's first word."""
    lengths: Numbers
    """(t,) code points per word."""
    begins: Numbers
    """(t,) where a word begins among all code points."""
    sums: Hashes
    """(code points + 1,) the running sum the hashes are differences of."""
    points: Hashes
    """(code points,) the words, one after the other."""

    def prefixes(self, length: int) -> Hashes:
        """(t,) hash of each word's first `length` code points; of the whole word where it is shorter."""
        return self.some_prefixes(slice(None), length)

    def some_prefixes(self, which: Numbers | slice, length: int) -> Hashes:
        """The same for the words at some places only."""
        begins = self.begins[which]
        return mix(self.sums[begins + np.minimum(self.lengths[which], length)] - self.sums[begins])

    def digits(self) -> npt.NDArray[np.bool_]:
        """(t,) which words begin with a digit of folded text."""
        first = (self.sums[self.begins + 1] - self.sums[self.begins]) * _INVERSE
        return first - np.uint64(ord("0")) < np.uint64(10)

    def part(self, first: int, last: int) -> "Words":
        """The words of the texts from `first` up to, but without, `last`."""
        begin = int(self.counts[:first].sum())
        end = begin + int(self.counts[first:last].sum())
        return Words(
            self.hashes[begin:end],
            self.rows[begin:end] - first,
            self.counts[first:last],
            self.starts[first:last] - begin,
            self.lengths[begin:end],
            self.begins[begin:end],
            self.sums,
            self.points,
        )

    def skeletons(self) -> tuple[Hashes, npt.NDArray[np.bool_]]:
        """(t,) hash of each word without its vowels and doubled letters, and which words have one.

        Those of at least four letters, all a to z: a transliteration is spelled in many ways (khushali, khoshaali), and
        mostly its consonants stay.
        """
        hashes = np.zeros(len(self.hashes), dtype=np.uint64)
        there = self.lengths >= _SPELLED
        if not there.any():
            return hashes, there
        first = int(self.begins[0])
        points = self.points[first : int(self.begins[-1] + self.lengths[-1])]
        begins = self.begins - first
        there &= np.logical_and.reduceat(points - np.uint64(ord("a")) < np.uint64(_LETTERS), begins)
        word = np.repeat(np.arange(len(there)), self.lengths)
        opening = np.zeros(len(points), dtype=np.bool_)
        opening[begins] = True
        at = np.flatnonzero((opening | ~_VOWELS.take(points, mode="clip")) & there[word])
        again = (points[at][1:] == points[at][:-1]) & (word[at][1:] == word[at][:-1])
        at = at[np.append(True, ~again)[: len(at)]]
        counts = np.bincount(word[at], minlength=len(there))
        starts = np.cumsum(counts) - counts
        sums = np.zeros(len(at) + 1, dtype=np.uint64)
        np.cumsum(points[at] * _powers(int(counts.max()))[np.arange(len(at)) - starts[word[at]]], out=sums[1:])
        there &= counts > 1
        return mix(sums[starts + counts] - sums[starts]), there

    def positions(self) -> Numbers:
        """(t,) place of each word in its text, from 0."""
        return np.arange(len(self.rows)) - self.starts[self.rows]


def mix(values: Hashes) -> Hashes:
    """Spreads every bit of 64 over all others (the last step of splitmix64)."""
    mixed = values ^ (values >> np.uint64(30))
    mixed *= np.uint64(0xBF58476D1CE4E5B9)
    mixed ^= mixed >> np.uint64(27)
    mixed *= np.uint64(0x94D049BB133111EB)
    mixed ^= mixed >> np.uint64(31)
    return mixed


def combine(first: Hashes, second: Hashes) -> Hashes:
    """Hash of a pair of hashes; the order matters."""
    return mix(first * np.uint64(3) + second * _RADIX)


def read_words(words: pl.Series) -> Words:
    """Hashes a column of word lists (List of String, no null)."""
    counts = words.list.len().to_numpy().astype(np.int64)
    flat = words.filter(words.list.len() > 0).explode()
    lengths = flat.str.len_chars().to_numpy().astype(np.int64)
    joined = flat.str.join("").item() if len(flat) else ""
    return hashed_words(np.frombuffer(joined.encode("utf-32-le", "surrogatepass"), dtype="<u4"), lengths, counts)


def hashed_words(codes: npt.NDArray[np.uint32], lengths: Numbers, counts: Numbers) -> Words:
    """Hashes words that stand one after the other: their code points, code points per word, words per text."""
    points = codes.astype(np.uint64)
    begins = np.cumsum(lengths) - lengths
    places = np.arange(len(points)) - np.repeat(begins, lengths)
    sums = np.zeros(len(points) + 1, dtype=np.uint64)
    np.cumsum(points * _powers(int(lengths.max(initial=0)))[places], out=sums[1:])
    hashes = mix(sums[begins + lengths] - sums[begins])
    starts = np.cumsum(counts) - counts
    return Words(hashes, np.repeat(np.arange(len(counts)), counts), counts, starts, lengths, begins, sums, points)


def _powers(longest: int) -> Hashes:
    return np.cumprod(np.full(longest + 1, _RADIX, dtype=np.uint64), dtype=np.uint64)


def word_hash(word: str) -> int:
    """Hash of one word, as `read_words` gives it; for check vectors and tables."""
    return int(read_words(pl.Series([[word]])).hashes[0])
