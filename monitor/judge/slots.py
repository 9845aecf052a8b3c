"""Which row of a board a key has: a bounded table of keys that come and go; the coldest give way, and are counted.

A key is warm by its posts, of which half are forgotten in a day. A new key gets a free row, else that of the coldest
key not heard now, if it brings more posts than that one has left; else it is dropped. So a flood of keys with one post
each cannot push out those that somebody speaks of, and the table never grows.
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

Keys = npt.NDArray[np.uint64]
Ints = npt.NDArray[np.int64]

HALF_LIFE = 86_400
"""Seconds after which half of a key's posts are forgotten."""


class Placed(NamedTuple):
    """Where the keys of one call went."""

    rows: Ints
    """Per key, −1 where it was dropped."""
    fresh: Ints
    """Rows that belong to another key from now on: `Board.clear` them."""
    evicted: int
    """Keys that lost their row."""
    dropped: int
    """Distinct keys that got none."""


class Slots:
    """At most `room` keys, 64-bit hashes; 24 bytes a row."""

    def __init__(self, room: int) -> None:
        self._room = room
        self._keys = np.zeros(0, np.uint64)
        """Ascending."""
        self._rows = np.zeros(0, np.int64)
        self._heat = np.zeros(room)
        self._at = 0

    def __len__(self) -> int:
        """Keys that have a row."""
        return self._keys.size

    def place(self, at: int, keys: Keys, posts: Ints | None = None) -> Placed:
        """Rows for keys (any order, any number of times) that are heard at `at` (seconds), with their posts, else 1."""
        if at > self._at:
            self._heat *= 0.5 ** ((at - self._at) / HALF_LIFE)
            self._at = at
        distinct, inverse = np.unique(keys, return_inverse=True)
        heard = np.bincount(inverse, posts, distinct.size).astype(np.float64)
        rows = self._find(distinct)
        known = rows >= 0
        self._heat[rows[known]] += heard[known]
        taken, evicted = self._take(distinct, heard, rows)
        return Placed(rows[inverse], taken, evicted, int((rows < 0).sum()))

    def _find(self, distinct: Keys) -> Ints:
        rows = np.full(distinct.size, -1, np.int64)
        if self._keys.size:
            place = np.minimum(np.searchsorted(self._keys, distinct), self._keys.size - 1)
            here = self._keys[place] == distinct
            rows[here] = self._rows[place[here]]
        return rows

    def _take(self, distinct: Keys, heard: npt.NDArray[np.float64], rows: Ints) -> tuple[Ints, int]:
        """Gives rows to those new keys that are to have one, in `rows`; which, and how many were taken from others."""
        new = np.flatnonzero(rows < 0)
        if not new.size:
            return np.zeros(0, np.int64), 0
        new = new[np.argsort(-heard[new], kind="stable")][: self._room]
        free = np.arange(self._keys.size, min(self._room, self._keys.size + new.size))
        rest = new[free.size :]
        silent = np.setdiff1d(self._rows, rows)
        coldest = silent[np.argsort(self._heat[silent], kind="stable")][: rest.size]
        wins = heard[rest[: coldest.size]] > self._heat[coldest]
        lost = coldest[wins]
        taken = np.concatenate([free, lost])
        chosen = np.concatenate([new[: free.size], rest[: coldest.size][wins]])
        rows[chosen] = taken
        self._heat[taken] = heard[chosen]
        stays = ~np.isin(self._rows, lost)
        every = np.concatenate([self._keys[stays], distinct[chosen]])
        order = np.argsort(every)
        self._keys, self._rows = every[order], np.concatenate([self._rows[stays], taken])[order]
        return taken, int(lost.size)
