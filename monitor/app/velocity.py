"""How fast narratives are: posts per minute over the last minutes, for people to watch; nothing is decided by it."""

from collections import Counter, deque
from collections.abc import Collection, Iterator
from datetime import datetime
from heapq import nsmallest
from typing import NamedTuple

import polars as pl

MINUTES = 5
"""Over which posts are counted."""
FASTEST = 5
"""Narratives of an event that are told of."""


class Fast(NamedTuple):
    """A narrative among the fastest of its event."""

    event: str
    narrative: str
    per_minute: float


class Velocity:
    """Counts of the last MINUTES of seen time; after a start they begin anew."""

    def __init__(self) -> None:
        self._minutes: deque[tuple[int, Counter[tuple[str, str]]]] = deque()

    def add(self, mentions: pl.DataFrame, upto: datetime) -> None:
        """Counts the creates among MENTIONS with a narrative, all as seen at `upto`."""
        minute = int(upto.timestamp()) // 60
        while self._minutes and self._minutes[0][0] <= minute - MINUTES:
            self._minutes.popleft()
        new = mentions.filter((pl.col("op") == "create") & (pl.col("narrative") != ""))
        counted = {(event, name): posts for event, name, posts in new.group_by("event", "narrative").len().iter_rows()}
        if not counted:
            return
        if not self._minutes or self._minutes[-1][0] < minute:
            self._minutes.append((minute, Counter()))
        self._minutes[-1][1].update(counted)

    def fastest(self, events: Collection[str]) -> Iterator[Fast]:
        """The fastest narratives of each of `events`, the fastest first; of equally fast ones the first by id."""
        total: Counter[tuple[str, str]] = Counter()
        for _, counted in self._minutes:
            total.update(counted)
        of: dict[str, list[tuple[int, str]]] = {}
        for (event, narrative), posts in total.items():
            of.setdefault(event, []).append((-posts, narrative))
        for event in events:
            for posts, narrative in nsmallest(FASTEST, of.get(event, ())):
                yield Fast(event, narrative, -posts / MINUTES)
