"""Copies and near-copies → the original they repeat; one pass, bounded memory.

A text of five words or more is a copy of the first post with the same folded words; one of eight or more is a
near-copy with the same first number where 32 MinHashes over its words agree on 26 (an estimated Jaccard similarity of
0.8; Broder 1997), found through eight bands of four. Shorter texts are never joined by their words: people say "it is a
lie" independently.

What is known is a function of the last `size` mentions in their order, so it can be built again from the archive; only
of mentions whose text has changed since must the hashes be kept (`keep`).
"""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import NamedTuple

import msgspec
import numpy as np
import numpy.typing as npt
import polars as pl

from monitor.cluster.signatures import (
    BANDS,
    HASHES,
    NEAR_COPY_WORDS,
    SLOT_BITS,
    band_slots,
    signatures,
    word_keys,
)

AGREE = 26
_BLOCKS = 50

Ints = npt.NDArray[np.int64]
_PREFIX = "cluster/kept/"


class _Texts(NamedTuple):
    """The texts of a call: hash of the words, key and number of each."""

    keys: Sequence[int]
    ids: Sequence[str]
    numbers: Ints


class _Near(NamedTuple):
    """Texts that may have near-copies: their place in the call, first number, MinHashes, slots of their bands."""

    places: Ints
    figures: Ints
    """0 where there is none."""
    hashes: npt.NDArray[np.uint32]
    slots: Ints

    def alike(self, one: int, other: int) -> bool:
        """Whether two of them are near-copies."""
        alike = int((self.hashes[one] == self.hashes[other]).sum()) >= AGREE
        return alike and bool(_same(self.figures[one : one + 1], self.figures[other : other + 1])[0])


class _Kept(msgspec.Struct, array_like=True):
    """The hashes of a mention whose text has changed."""

    key: int
    signature: bytes
    figure: int = 0


class Copies:
    """Remembers the originals among the last `size` mentions; mentions are numbered from 1 on."""

    def __init__(self, *, size: int = 200_000) -> None:
        self._size = size
        self._block = max(1, size // _BLOCKS)
        """Mentions that know the same originals of before: what is known is cut off once a block."""
        self._exact: dict[int, int] = {}
        self._bands = np.zeros(BANDS << SLOT_BITS, np.uint32)
        """Slot → the last 32 bits of the number of the last original there."""
        self._signatures = np.zeros((size, HASHES), np.uint32)
        self._figures = np.zeros(size, np.int64)
        self._keys = np.zeros(size, np.uint64)
        self._ids = [""] * size
        self._swept = 0
        self._kept: dict[int, bytes] = {}
        self._changed: dict[str, bytes] = {}

    def originals(self, events: pl.Series, words: pl.Series, ids: Sequence[str], numbers: Ints) -> list[str | None]:
        """For each row the key of the original it repeats, None for an original; rows in order of the stream.

        `words` are lists of folded words, `ids` the keys of the mentions and `numbers` their numbers, ascending.
        """
        found: list[str | None] = []
        block = (numbers - 1) // self._block
        cuts = [0, *(np.flatnonzero(np.diff(block)) + 1).tolist(), len(ids)]
        for begin, end in pairwise(cuts):
            if begin < end:
                oldest = max(int(block[begin] + 1) * self._block - self._size, 0)
                part = slice(begin, end)
                found += self._originals(events[part], words[part], (ids[part], numbers[part]), oldest)
        return found

    def _originals(
        self, events: pl.Series, words: pl.Series, named: tuple[Sequence[str], Ints], oldest: int
    ) -> list[str | None]:
        """The same for mentions of one block, which know the originals after number `oldest`."""
        ids, numbers = named
        keys = word_keys(events, words)
        places: dict[int, int] = {}
        for place, key in enumerate(keys):
            if key:
                places.setdefault(key, place)
        if not places:
            return [None] * len(ids)
        fresh = [place for key, place in places.items() if self._exact.get(key, 0) <= oldest]
        near = self._near_texts(events, words, fresh)
        found = self._nearest(near, numbers, oldest)
        self._take(_Texts(keys, ids, numbers), near, dict(zip(near.places.tolist(), found, strict=True)), fresh)
        mine = [self._exact[key] if key else number for key, number in zip(keys, numbers.tolist(), strict=True)]
        self._sweep(int(numbers[-1]))
        answers = ((self._ids[number % self._size], number) for number in mine)
        return [
            original if number != own and original != post else None
            for (original, number), own, post in zip(answers, numbers.tolist(), ids, strict=True)
        ]

    def _near_texts(self, events: pl.Series, words: pl.Series, fresh: Sequence[int]) -> _Near:
        """The texts among `fresh` that are long enough."""
        places = np.array(fresh, np.int64)
        places = places[(words.list.len() >= NEAR_COPY_WORDS).to_numpy()[places]]
        hashes, figures = signatures(words.gather(places))
        return _Near(places, figures, hashes, band_slots(events.gather(places), hashes))

    def _nearest(self, near: _Near, numbers: Ints, oldest: int) -> list[int]:
        """The number of the original that each repeats, 0 where there is none."""
        if not near.places.size:
            return []
        own = numbers[near.places]
        match = self._matches(near, own, oldest)
        found = match[np.arange(own.size), (match > 0).argmax(axis=1)]
        _, slot, times = np.unique(near.slots, return_inverse=True, return_counts=True)
        shared = np.flatnonzero((times[slot].reshape(near.slots.shape) > 1).any(axis=1))
        here: dict[int, int] = {}
        for row in shared.tolist():
            found[row] = 0
            for slot_at, before in zip(near.slots[row].tolist(), match[row].tolist(), strict=True):
                other = here.get(slot_at)
                if other is not None and near.alike(other, row):
                    before = int(own[other])  # noqa: PLW2901 -- the original of this call stands in the slot
                elif other is not None:
                    continue
                if before:
                    found[row] = before
                    break
            if not found[row]:
                here |= dict.fromkeys(near.slots[row].tolist(), row)
        nearest: list[int] = found.tolist()
        return nearest

    def _matches(self, near: _Near, own: Ints, oldest: int) -> Ints:
        """Per row and band the number of the original there if it is repeated, else 0."""
        held = self._bands[near.slots]
        number = own[:, None] - ((own[:, None] - held.astype(np.int64)) & 0xFFFF_FFFF)
        row, band = np.nonzero((held > 0) & (number > oldest))
        number = number[row, band]
        agree = (self._signatures[number % self._size] == near.hashes[row]).sum(axis=1) >= AGREE
        agree &= _same(self._figures[number % self._size], near.figures[row])
        match = np.zeros(held.shape, np.int64)
        match[row[agree], band[agree]] = number[agree]
        return match

    def _take(self, texts: _Texts, near: _Near, found: Mapping[int, int], fresh: Sequence[int]) -> None:
        """Takes note of a call's texts."""
        keys, ids, numbers = texts
        self._keys[numbers % self._size] = np.array(keys, np.uint64)
        size, originals = self._size, []
        for place, number in zip(fresh, numbers[fresh].tolist(), strict=True):
            before = found.get(place)
            self._exact[keys[place]] = before or number
            if not before:
                self._ids[number % size] = ids[place]
                originals.append(number % size)
        self._signatures[originals] = 0
        own = numbers[near.places]
        new = np.array([not found[place] for place in near.places.tolist()], np.bool_)
        self._signatures[own[new] % self._size] = near.hashes[new]
        self._figures[own[new] % self._size] = near.figures[new]
        self._bands[near.slots[new]] = own[new].astype(np.uint32)[:, None]

    def _sweep(self, last: int) -> None:
        """Frees what no answer uses any more."""
        if last // self._size != self._swept:
            self._swept = last // self._size
            self._exact = {key: number for key, number in self._exact.items() if number > last - self._size}

    def keep(self, number: int, made: int) -> None:
        """The text of mention `number` of `made` changes: what it was compared by is kept as a row."""
        if number <= made - self._size:
            return
        key = int(self._keys[number % self._size])
        if not key or number in self._kept:
            return
        own = self._exact.get(key) == number
        place = number % self._size
        row = _Kept(key, self._signatures[place].tobytes(), int(self._figures[place])) if own else _Kept(key, b"")
        self._kept[number] = self._changed[f"{_PREFIX}{number}"] = msgspec.msgpack.encode(row)

    def snapshot(self, made: int) -> dict[str, bytes]:
        """The state's rows that changed since the last call; an empty row is one to delete."""
        for number in [one for one in self._kept if one <= made - self._size]:
            del self._kept[number]
            self._changed[f"{_PREFIX}{number}"] = b""
        rows, self._changed = self._changed, {}
        return rows

    def restore(self, rows: Mapping[str, bytes], mentions: pl.DataFrame, words: pl.Series) -> None:
        """Builds the memory again: `mentions` have number, event, platform, id, copy_of; `words` are of their texts."""
        kept = {int(key.removeprefix(_PREFIX)): row for key, row in rows.items() if key.startswith(_PREFIX) and row}
        self._kept = kept
        changed = {number: msgspec.msgpack.decode(row, type=_Kept) for number, row in kept.items()}
        numbers = mentions["number"].to_numpy()
        keys = word_keys(mentions["event"], words)
        keys = [changed[n].key if n in changed else key for n, key in zip(numbers.tolist(), keys, strict=True)]
        self._keys[numbers % self._size] = np.array(keys, np.uint64)
        columns = (mentions[name].to_list() for name in ("number", "event", "platform", "id", "copy_of"))
        of: dict[tuple[str, str], dict[str, int]] = {}
        for key, number, event, platform, post, original in zip(keys, *columns, strict=True):
            if original is None:
                of.setdefault((event, post), {})[platform] = number
                self._ids[number % self._size] = f"{platform}\0{event}\0{post}"
            named = {platform: number} if original is None else of.get((event, original), {})
            if key and named and self._exact.get(key) not in named.values():
                self._exact[key] = named.get(platform, max(named.values()))
        self._swept = int(numbers[-1]) // self._size if numbers.size else 0
        self._restore_near(mentions, words, changed)

    def _restore_near(self, mentions: pl.DataFrame, words: pl.Series, changed: Mapping[int, _Kept]) -> None:
        numbers = mentions["number"].to_numpy()
        own = mentions["copy_of"].is_null().to_numpy()
        again = np.isin(numbers, np.array(list(changed), np.int64))
        near = self._near_texts(mentions["event"], words, np.flatnonzero(own & ~again).tolist())
        hashes = np.zeros((numbers.size, HASHES), np.uint32)
        figures = np.zeros(numbers.size, np.int64)
        hashes[near.places], figures[near.places] = near.hashes, near.figures
        for place in np.flatnonzero(own & again).tolist():
            signature = changed[int(numbers[place])].signature
            if signature:
                hashes[place] = np.frombuffer(signature, np.uint32)
                figures[place] = changed[int(numbers[place])].figure
        there = np.flatnonzero(hashes.any(axis=1))
        self._signatures[numbers[there] % self._size] = hashes[there]
        self._figures[numbers[there] % self._size] = figures[there]
        slots = band_slots(mentions["event"].gather(there), hashes[there])
        self._bands[slots] = numbers[there].astype(np.uint32)[:, None]


def _same(ones: Ints, others: Ints) -> npt.NDArray[np.bool_]:
    """Where no other number is stated: one has none, or both have the same."""
    same: npt.NDArray[np.bool_] = (ones == others) | (ones == 0) | (others == 0)
    return same
