"""Which posts a card shows: the first claim and denial of a narrative, and the newest originals of each tag.

Pure. Only posts seen before the tick of the card count, so the card does not depend on how the stream was cut.
"""

from datetime import datetime
from itertools import chain

import polars as pl

from monitor.frames import Tag
from monitor.records import Evidence

NEWEST = 2
"""Newest originals kept per narrative and tag, beside the first."""
SHOWN = (Tag.CLAIM, Tag.DENIAL, Tag.CELEBRATION)
MOST = 5
SURE = 0.6
"""A post is shown only where the tagger gives its tag at least this probability."""

_COLUMNS = ("event", "narrative", "tag", "seen_at", "platform", "id", "posted_at", "text", "url", "author")
_Row = tuple[str, str, str, datetime, str, str, datetime, str, str | None, str | None]


class EvidenceMemory:
    """Remembers, per narrative and tag, the first original and the newest ones; bounded by the number of narratives."""

    def __init__(self) -> None:
        self._first: dict[tuple[str, str, str], _Row] = {}
        self._newest: dict[tuple[str, str, str], list[_Row]] = {}
        self._deleted: dict[tuple[str, str], datetime] = {}

    def add(self, clustered: pl.DataFrame) -> None:
        """Takes a batch's originals and deletions; CLUSTERED, in order."""
        self._forget()
        deletes = clustered.filter(pl.col("op") == "delete").select("platform", "id", "seen_at")
        for platform, post, seen_at in deletes.iter_rows():
            self._deleted.setdefault((platform, post), seen_at)
        originals = clustered.filter(
            (pl.col("op") == "create")
            & pl.col("copy_of").is_null()
            & pl.col("narrative").is_not_null()
            & (pl.max_horizontal("p_claim", "p_denial", "p_celebration") >= SURE)
        ).select(_COLUMNS)
        originals = originals.filter(pl.col("tag").cast(pl.String).is_in([tag.value for tag in SHOWN]))
        for row in originals.iter_rows():
            key = (row[0], row[1], row[2])
            self._first.setdefault(key, row)
            self._newest.setdefault(key, []).append(row)

    def of(self, event: str, narrative: str, at: datetime) -> tuple[Evidence, ...]:
        """At most MOST posts of the narrative seen before `at`: the first of each tag, then the newest."""
        found: dict[tuple[str, str], _Row] = {}
        keys = [(event, narrative, tag.value) for tag in SHOWN]
        firsts = (self._first[key] for key in keys if key in self._first)
        seen_before = [[row for row in self._newest.get(key, []) if row[3] < at][-NEWEST:] for key in keys]
        for row in chain(
            firsts, chain.from_iterable(zip(*seen_before, strict=False)), chain.from_iterable(seen_before)
        ):
            if row[3] < at <= self._deleted.get((row[4], row[5]), at):
                found.setdefault((row[4], row[5]), row)
        return tuple(_evidence(row) for row in list(found.values())[:MOST])

    def _forget(self) -> None:
        """Between batches only the newest of each key are kept, and nothing of a deleted post."""
        gone, self._deleted = self._deleted, {}
        if gone:
            self._first = {key: row for key, row in self._first.items() if (row[4], row[5]) not in gone}
        for key, rows in self._newest.items():
            if gone or len(rows) > NEWEST:
                self._newest[key] = [row for row in rows if (row[4], row[5]) not in gone][-NEWEST:]


def _evidence(row: _Row) -> Evidence:
    return Evidence(platform=row[4], id=row[5], tag=row[2], posted_at=row[6], text=row[7], url=row[8], author=row[9])
