"""The rows of the posts that wait for their target, and how they outlive the process."""

from collections import deque
from collections.abc import Iterable, Mapping

import msgspec
import numpy as np
import polars as pl

from monitor.frames import POSTS
from monitor.saved import packed, unpacked

_LINE = "match/line"
_POSTS = "match/waiting/"
_GONE = "match/gone/"


class Kept:
    """POSTS rows of those that wait, numbered as in the line; those before the line's first are forgotten."""

    def __init__(self) -> None:
        self.frame = pl.DataFrame(schema=POSTS)
        self.first = 0
        """The number of the first row."""
        self._parts: deque[tuple[int, int]] = deque()
        """First and last number of what each batch added."""
        self._gone: dict[int, list[int]] = {}
        """First number of a part → those of it that left the line out of turn."""
        self._changed: dict[str, bytes] = {}

    @property
    def next(self) -> int:
        """The number of the next to come."""
        return self.first + self.frame.height

    def leave(self, numbers: Iterable[int]) -> None:
        """These left the line before their turn."""
        touched = set()
        for number in numbers:
            part = next((one for one in reversed(self._parts) if one[0] <= number), None)
            if part is not None:
                self._gone.setdefault(part[0], []).append(number)
                touched.add(part[0])
        self._changed |= {f"{_GONE}{part}": np.array(self._gone[part], np.int64).tobytes() for part in touched}

    def advance(self, posts: pl.DataFrame, first: int) -> None:
        """Adds the posts newly in the line, and forgets those before `first`."""
        if posts.height and self.next + posts.height > first:
            self._parts.append((self.next, self.next + posts.height - 1))
            self._changed[f"{_POSTS}{self.next}"] = packed(posts)
        elif not posts.height and first == self.first:
            return
        self.frame = pl.concat([self.frame, posts]).slice(first - self.first).rechunk()
        self.first = first
        while self._parts and self._parts[0][1] < first:
            part, _ = self._parts.popleft()
            self._changed[f"{_POSTS}{part}"] = b""
            if self._gone.pop(part, None):
                self._changed[f"{_GONE}{part}"] = b""
        self._changed[_LINE] = msgspec.msgpack.encode(first)

    def snapshot(self) -> dict[str, bytes]:
        """The rows that changed since the last call; an empty one is to delete."""
        rows, self._changed = self._changed, {}
        return rows

    def restore(self, rows: Mapping[str, bytes]) -> frozenset[int]:
        """Takes up all rows of `snapshot`; gives the numbers of those that left the line."""
        if _LINE not in rows:
            return frozenset()
        self.first = msgspec.msgpack.decode(rows[_LINE], type=int)
        starts = sorted(int(key.removeprefix(_POSTS)) for key, row in rows.items() if key.startswith(_POSTS) and row)
        frames = [unpacked(rows[f"{_POSTS}{start}"]) for start in starts]
        self._parts = deque((start, start + frame.height - 1) for start, frame in zip(starts, frames, strict=True))
        whole = pl.concat([self.frame, *frames])
        self.frame = whole.slice(self.first - starts[0]) if starts else whole
        gone = {start: rows.get(f"{_GONE}{start}", b"") for start in starts}
        self._gone = {start: np.frombuffer(row, np.int64).tolist() for start, row in gone.items() if row}
        return frozenset(number for numbers in self._gone.values() for number in numbers)
