"""Which mentions there were: the 64-bit hashes of the last million and more, so that none is made twice.

Two generations of open-addressing tables; what is new depends on the order of the mentions and on nothing else. Among
a million mentions a new one is taken for an old one with a chance of 1 in 10¹³.
"""

from collections.abc import Mapping

import msgspec
import numpy as np
import xxhash

from monitor.saved import Keys, Ledger

ROOM = 1_000_000
"""Mentions that are remembered at least; twice as many at most."""

_SMALLEST = 1 << 12
_META = "match/identities"
_KEYS = "match/identities/"


class Identities:
    """The mentions that were made: platform, id and event of each."""

    def __init__(self, *, room: int = ROOM) -> None:
        self._room = room
        self._generation = 0
        self._young, self._old = _Table(), _Table()
        self._ledger = Ledger(_KEYS)
        self._new: list[int] = []

    def add(self, platform: str, post: str, event: str) -> bool:
        """Takes note of a mention; False if it was there."""
        key = xxhash.xxh3_64_intdigest(f"{platform}\0{post}\0{event}".encode()) or 1
        if (self._old.used and self._old.holds(key)) or not self._young.put(key):
            return False
        self._new.append(key)
        if self._young.used >= self._room:
            self._note()
            self._young, self._old = _Table(), self._young
            self._generation += 1
            self._ledger.drop(self._generation - 1)
        return True

    def snapshot(self) -> dict[str, bytes]:
        """The rows that changed since the last call; an empty one is to delete."""
        self._note()
        rows = self._ledger.changed()
        return rows | {_META: msgspec.msgpack.encode(self._generation)} if rows else rows

    def restore(self, rows: Mapping[str, bytes]) -> None:
        """Takes up all rows of `snapshot`; rows of others are ignored."""
        if _META not in rows:
            return
        self._generation = msgspec.msgpack.decode(rows[_META], type=int)
        for generation, keys in self._ledger.load(rows).items():
            (self._young if generation == self._generation else self._old).fill(keys)

    def _note(self) -> None:
        self._ledger.note(self._generation, np.array(self._new, np.uint64))
        self._new = []


class _Table:
    """A set of keys; half of its slots stay empty."""

    def __init__(self) -> None:
        self.used = 0
        self._make(_SMALLEST)

    def _make(self, size: int) -> None:
        self._slots = np.zeros(size, np.uint64)
        self._view = self._slots.data
        self._mask = size - 1

    def holds(self, key: int) -> bool:
        """Whether it is there."""
        view, mask, at = self._view, self._mask, key & self._mask
        while found := view[at]:
            if found == key:
                return True
            at = (at + 1) & mask
        return False

    def put(self, key: int) -> bool:
        """Adds one; False if it is there."""
        view, mask, at = self._view, self._mask, key & self._mask
        while found := view[at]:
            if found == key:
                return False
            at = (at + 1) & mask
        view[at] = key
        self.used += 1
        if self.used * 2 > mask:
            keys = self._slots[self._slots != 0]
            self.used = 0
            self.fill(keys)
        return True

    def fill(self, keys: Keys) -> None:
        """Adds many that are not there."""
        kept = self._slots[self._slots != 0] if self.used else keys[:0]
        self.used += keys.size
        size = self._slots.size
        while size <= self.used * 2:
            size *= 2
        self._make(size)
        waiting = np.concatenate([kept, keys])
        at = (waiting & np.uint64(self._mask)).astype(np.int64)
        while waiting.size:
            empty = self._slots[at] == 0
            self._slots[at[empty]] = waiting[empty]
            left = self._slots[at] != waiting
            waiting, at = waiting[left], (at[left] + 1) & self._mask
