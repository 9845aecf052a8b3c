"""What texts are compared by: a hash of the words for copies, MinHashes and their bands for near-copies."""

import re

import numpy as np
import numpy.typing as npt
import polars as pl
import xxhash

COPY_WORDS = 5
NEAR_COPY_WORDS = 8
HASHES = 32
BANDS = 8
SLOT_BITS = 19
"""A band's key is cut to so many bits: the place of the band in a table."""

Hashes = npt.NDArray[np.uint32]
Slots = npt.NDArray[np.int64]
_Unsigned = npt.NDArray[np.uint64]
_GENERATOR = np.random.default_rng(20210903)
_FACTORS: _Unsigned = _GENERATOR.integers(1, 2**63, HASHES, dtype=np.uint64) * np.uint64(2) + np.uint64(1)
_SHIFTS: _Unsigned = _GENERATOR.integers(1, 2**63, HASHES, dtype=np.uint64)
_NUMBER = re.compile(r"\d{1,9}")
_AT_ONCE = 2_048
"""Texts whose words are hashed at once."""


def word_keys(events: pl.Series, words: pl.Series) -> list[int]:
    """A hash of event and words per row, `words` being lists of folded words; 0 for a text too short to have copies."""
    enough = words.list.len() >= COPY_WORDS
    joined = words.list.join(" ")
    told = zip(events.to_list(), joined.to_list(), enough.to_list(), strict=True)
    digest = xxhash.xxh3_64_intdigest
    return [(digest(f"{event}\0{text}".encode()) or 1) if long else 0 for event, text, long in told]


def signatures(words: pl.Series) -> tuple[Hashes, Slots]:
    """MinHashes of each row's words, shape (rows, HASHES), and its first number of one to nine digits, plus 1, else 0.

    Rows must not be empty.
    """
    parts = [_signatures(words.slice(at, _AT_ONCE)) for at in range(0, len(words), _AT_ONCE)]
    hashes, numbers = zip(*parts, strict=True) if parts else ((), ())
    return np.concatenate([np.zeros((0, HASHES), np.uint32), *hashes]), np.concatenate(
        [np.zeros(0, np.int64), *numbers]
    )


def _signatures(words: pl.Series) -> tuple[Hashes, Slots]:
    exploded = words.explode()
    vocabulary = exploded.unique(maintain_order=True)
    table = pl.DataFrame({"word": vocabulary, "place": pl.int_range(len(vocabulary), eager=True)})
    place = exploded.to_frame("word").join(table, on="word", how="left", maintain_order="left")["place"].to_numpy()
    known = vocabulary.to_list()
    hashes = np.array([xxhash.xxh3_64_intdigest(word.encode()) for word in known], np.uint64)
    lengths = words.list.len().to_numpy().astype(np.int64)
    starts = np.cumsum(lengths) - lengths
    mixed = ((hashes[:, None] * _FACTORS + _SHIFTS) >> np.uint64(32)).astype(np.uint32)
    smallest: Hashes = np.minimum.reduceat(mixed[place], starts, axis=0)
    values = np.array([int(word) + 1 if _NUMBER.fullmatch(word) else 0 for word in known], np.int64)[place]
    stated = np.flatnonzero(values)
    rows, first = np.unique(np.searchsorted(starts, stated, side="right") - 1, return_index=True)
    numbers = np.zeros(lengths.size, np.int64)
    numbers[rows] = values[stated[first]]
    return smallest, numbers


def band_slots(events: pl.Series, hashes: Hashes) -> Slots:
    """The places of each row's bands in the table of all bands, shape (rows, BANDS)."""
    salt = {name: xxhash.xxh3_64_intdigest(name.encode()) for name in events.unique()}
    salts = np.array([salt[name] for name in events.to_list()], np.uint64)
    grouped = hashes.reshape(len(hashes), BANDS, HASHES // BANDS).astype(np.uint64)
    keys = np.full((len(hashes), BANDS), np.uint64(14695981039346656037))
    keys ^= np.arange(BANDS, dtype=np.uint64)
    for column in range(HASHES // BANDS):
        keys = (keys ^ grouped[:, :, column]) * np.uint64(1099511628211)
    mixed = (keys ^ salts[:, None]) * np.uint64(0x9E3779B97F4A7C15)
    slots: Slots = (mixed >> np.uint64(64 - SLOT_BITS)).astype(np.int64)
    return slots + (np.arange(BANDS, dtype=np.int64) << SLOT_BITS)
