"""Copies and near-copies → the original they repeat; one pass, bounded memory.

A text of five words or more is a copy of the first post with the same folded words; one of eight or more is a near-copy
where 32 MinHashes over its words agree on 26 (an estimated Jaccard similarity of 0.8; Broder 1997), found through eight
bands of four. Shorter texts are never joined by their words: people say "it is a lie" independently.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import polars as pl
import xxhash

COPY_WORDS = 5
NEAR_COPY_WORDS = 8
HASHES = 32
BANDS = 8
AGREE = 26

_Unsigned = npt.NDArray[np.uint64]
_GENERATOR = np.random.default_rng(20210903)
_FACTORS: _Unsigned = _GENERATOR.integers(1, 2**63, HASHES, dtype=np.uint64) * np.uint64(2) + np.uint64(1)
_SHIFTS: _Unsigned = _GENERATOR.integers(1, 2**63, HASHES, dtype=np.uint64)


class Texts(NamedTuple):
    """The distinct texts of a batch that may have copies, and what they are compared by."""

    keys: list[int]
    """Hash of event and words, one per row; 0 where a text is too short to have copies."""
    signatures: dict[int, tuple[_Unsigned, list[int]]]
    """Key → MinHashes and band keys, for texts long enough for near-copies."""


class Copies:
    """Remembers the last `size` originals; answers depend on their order only, not on how they came in batches."""

    def __init__(self, *, size: int = 200_000) -> None:
        self._size = size
        self._count = 0
        self._exact: dict[int, int] = {}
        self._bands: dict[int, int] = {}
        self._signatures = np.zeros((1024, HASHES), dtype=np.uint64)
        self._ids: list[str] = []

    def originals(self, events: pl.Series, words: pl.Series, ids: Sequence[str]) -> list[str | None]:
        """For each row the id of the original it repeats, None for an original; rows in order of the stream."""
        texts = describe(events, words)
        found: list[str | None] = []
        for key, post in zip(texts.keys, ids, strict=True):
            if not key:
                found.append(None)
                continue
            known = self._exact.get(key, -1)
            if known >= 0 and known > self._count - self._size:
                original = self._ids[known % self._size]
                found.append(original if original != post else None)
                continue
            found.append(self._place(key, post, texts.signatures.get(key)))
        return found

    def _place(self, key: int, post: str, signature: tuple[_Unsigned, list[int]] | None) -> str | None:
        """Joins a new text to a near-copy, or remembers it as an original."""
        if signature is not None:
            numbers = dict.fromkeys(self._bands[band] for band in signature[1] if band in self._bands)
            for number in numbers:
                if number <= self._count - self._size:
                    continue
                row = number % self._size
                if int((self._signatures[row] == signature[0]).sum()) >= AGREE:
                    self._exact[key] = number
                    return self._ids[row]
        self._remember(key, post, signature)
        return None

    def _remember(self, key: int, post: str, signature: tuple[_Unsigned, list[int]] | None) -> None:
        number, row = self._count, self._count % self._size
        self._count += 1
        self._exact[key] = number
        if row == len(self._ids):
            self._ids.append(post)
        else:
            self._ids[row] = post
        if row >= len(self._signatures):
            self._signatures = np.concatenate([self._signatures, np.zeros_like(self._signatures)])
        self._signatures[row] = 0 if signature is None else signature[0]
        if signature is not None:
            for band in signature[1]:
                self._bands[band] = number
        if self._count % self._size == 0:
            self._forget()

    def _forget(self) -> None:
        """Frees what no answer uses any more."""
        oldest = self._count - self._size
        self._exact = {key: known for key, known in self._exact.items() if known > oldest}
        self._bands = {band: number for band, number in self._bands.items() if number > oldest}


def describe(events: pl.Series, words: pl.Series) -> Texts:
    """Keys of all rows, signatures of the distinct long texts; `words` is a List(String) column of folded words.

    The keys are compared within one process only, so the hash that is quick here serves.
    """
    frame = pl.DataFrame({"event": events, "words": words, "length": words.list.len()}).with_columns(
        pl.when(pl.col("length") >= COPY_WORDS)
        .then(pl.concat_str("event", pl.col("words").list.join(" "), separator="\0").hash())
        .otherwise(0)
        .alias("key")
    )
    keys = frame["key"].to_list()
    long = frame.filter((pl.col("length") >= NEAR_COPY_WORDS) & (pl.col("key") != 0))
    long = long.unique("key", keep="first", maintain_order=True)
    if long.is_empty():
        return Texts(keys, {})
    hashes = minhash(long["words"])
    salt = np.array([xxhash.xxh3_64_intdigest(event.encode()) for event in long["event"].to_list()], dtype=np.uint64)
    bands = _bands(hashes) ^ salt[:, None]
    return Texts(keys, dict(zip(long["key"].to_list(), zip(hashes, bands.tolist(), strict=True), strict=True)))


def minhash(words: pl.Series) -> _Unsigned:
    """MinHashes of each row's words, shape (rows, HASHES); rows must not be empty."""
    exploded = words.explode()
    vocabulary = exploded.unique(maintain_order=True)
    table = pl.DataFrame(
        {
            "word": vocabulary,
            "hash": pl.Series([xxhash.xxh3_64_intdigest(word.encode()) for word in vocabulary], dtype=pl.UInt64),
        }
    )
    hashes = exploded.to_frame("word").join(table, on="word", how="left", maintain_order="left")["hash"].to_numpy()
    lengths = words.list.len().to_numpy().astype(np.int64)
    starts = np.cumsum(lengths) - lengths
    mixed = (hashes[:, None] * _FACTORS + _SHIFTS) >> np.uint64(32)
    smallest: _Unsigned = np.minimum.reduceat(mixed, starts, axis=0)
    return smallest


def _bands(hashes: _Unsigned) -> _Unsigned:
    """One key per row and band, shape (rows, BANDS)."""
    grouped = hashes.reshape(len(hashes), BANDS, HASHES // BANDS)
    keys = np.full((len(hashes), BANDS), np.uint64(14695981039346656037))
    keys ^= np.arange(BANDS, dtype=np.uint64)
    for column in range(HASHES // BANDS):
        keys = (keys ^ grouped[:, :, column]) * np.uint64(1099511628211)
    return keys
