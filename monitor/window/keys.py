"""Which 64-bit keys were seen in the last days: an open-addressing table in numpy, 12 bytes a slot.

A key lives for a number of generations; a generation ends with its day, or earlier when it is full. Whether a key is
new depends on the order of ticks only, not on how they were cut into calls nor on the order within a tick.
"""

import itertools
from collections.abc import Mapping

import msgspec
import numpy as np
import numpy.typing as npt
import polars as pl

from monitor.saved import Ledger

Keys = npt.NDArray[np.uint64]
Ticks = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]

DAY = 86_400
_EMPTY = np.uint64(0)
_LONG_AGO = -(1 << 30)
_SMALLEST = 1 << 12
_META = "window/keys"
_KEYS = "window/keys/"
_GOLDEN = np.uint64(0x9E3779B97F4A7C15)


class SeenKeys:
    """A bounded set of keys: at most `life` + 1 generations of `room` keys (and what one tick adds)."""

    def __init__(self, *, life: int = 7, room: int = 500_000) -> None:
        self._life = life
        self._room = room
        self._generation = 0
        self._day: int | None = None
        self._filled = 0
        self._used = 0
        self._table = np.zeros(_SMALLEST, np.uint64)
        self._stamp = np.full(_SMALLEST, _LONG_AGO, np.int32)
        self._ledger = Ledger(_KEYS)

    def __len__(self) -> int:
        """Keys held, forgotten ones not yet swept included."""
        return self._used

    def add(self, ticks: Ticks, keys: Keys) -> Flags:
        """True where a key is new, at its first tick; `ticks` (seconds) do not go back from call to call.

        Equal keys stand in order of tick.
        """
        fresh = np.zeros(keys.size, np.bool_)
        if not keys.size:
            return fresh
        keys = np.where(keys == _EMPTY, np.uint64(1), keys)
        first, last = int(ticks.min()), int(ticks.max())
        if first // DAY == last // DAY and self._filled + keys.size <= self._room:
            self._turn_day(first // DAY)
            self._add_day(ticks, keys, fresh)
            return fresh
        order = np.argsort(ticks, kind="stable")
        fresh[order] = self._add_days(ticks[order], keys[order])
        return fresh

    def snapshot(self) -> dict[str, bytes]:
        """The state's rows that changed since the last call; an empty row is one to delete."""
        self._ledger.drop(self._generation - self._life)
        meta = {_META: msgspec.msgpack.encode((self._generation, self._day, self._filled))}
        return meta | self._ledger.changed()

    def restore(self, rows: Mapping[str, bytes]) -> None:
        """Takes up all rows of `snapshot`; rows of others are ignored."""
        if _META not in rows:
            return
        kept = self._ledger.load(rows)
        for generation, keys in kept.items():
            self._place(keys, generation)
        meta = msgspec.msgpack.decode(rows[_META], type=tuple[int, int | None, int])
        self._generation, self._day, self._filled = meta

    def _add_days(self, ticks: Ticks, keys: Keys) -> Flags:
        """Adds keys in order of tick, day by day."""
        fresh = np.zeros(keys.size, np.bool_)
        days = ticks // DAY
        cuts = [0, *(np.flatnonzero(np.diff(days)) + 1).tolist(), keys.size]
        for begin, end in itertools.pairwise(cuts):
            self._turn_day(int(days[begin]))
            self._add_day(ticks[begin:end], keys[begin:end], fresh[begin:end])
        return fresh

    def _turn_day(self, day: int) -> None:
        if self._day is not None and day > self._day:
            self._generation += min(day - self._day, self._life + 1)
            self._filled = 0
        self._day = day

    def _add_day(self, ticks: Ticks, keys: Keys, fresh: Flags) -> None:
        """Adds keys of one day, in pieces that end where a generation may be full."""
        if self._filled + keys.size > self._room and ticks[0] != ticks[-1]:
            middle = int(np.searchsorted(ticks, ticks[keys.size // 2]))
            if middle == 0:
                middle = int(np.searchsorted(ticks, ticks[0], side="right"))
            self._add_day(ticks[:middle], keys[:middle], fresh[:middle])
            self._add_day(ticks[middle:], keys[middle:], fresh[middle:])
            return
        first = pl.Series(keys).is_first_distinct().to_numpy()
        new = self._put(keys[first])
        fresh[np.flatnonzero(first)[new]] = True
        self._ledger.note(self._generation, keys[first][new])
        self._filled += int(np.count_nonzero(new))
        if self._filled >= self._room:
            self._generation += 1
            self._filled = 0

    def _put(self, keys: Keys) -> Flags:
        """Inserts distinct keys; True where one was not there, or is forgotten."""
        if (self._used + keys.size) * 3 > self._table.size * 2:
            self._sweep(keys.size)
        mask = np.uint64(self._table.size - 1)
        spread = keys * _GOLDEN
        at = spread >> np.uint64(65 - self._table.size.bit_length())
        step = spread | np.uint64(1)
        new = np.zeros(keys.size, np.bool_)
        waiting = np.arange(keys.size)
        while waiting.size:
            slot = at[waiting]
            empty = self._table[slot] == _EMPTY
            self._table[slot[empty]] = keys[waiting[empty]]
            mine = self._table[slot] == keys[waiting]
            self._used += int(np.count_nonzero(mine & empty))
            placed, there = waiting[mine], slot[mine]
            new[placed] = self._stamp[there] < self._generation - self._life
            self._stamp[there[new[placed]]] = self._generation
            waiting = waiting[~mine]
            at[waiting] = (at[waiting] + step[waiting]) & mask
        return new

    def _sweep(self, coming: int) -> None:
        """Leaves forgotten keys behind and makes the table as large as it must be."""
        kept = self._stamp >= self._generation - self._life
        keys, stamps = self._table[kept], self._stamp[kept]
        size = _SMALLEST
        while (keys.size + coming) * 2 > size:
            size *= 2
        self._table = np.zeros(size, np.uint64)
        self._stamp = np.full(size, _LONG_AGO, np.int32)
        self._used = 0
        for generation in np.unique(stamps).tolist():
            self._place(keys[stamps == generation], generation)

    def _place(self, keys: Keys, generation: int) -> None:
        now, self._generation = self._generation, generation
        self._put(keys)
        self._generation = now
