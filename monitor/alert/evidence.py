"""Which posts a card shows: the first claim and denial of a narrative's present run, and the newest of each tag.

Pure. Only posts seen before the tick of the card count, and what was deleted before it is gone, so the card does not
depend on how the stream was cut.
"""

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime, timedelta
from itertools import chain
from typing import NamedTuple

import msgspec
import polars as pl

from monitor.alert.lifecycle import digest
from monitor.frames import Tag
from monitor.records import Evidence

NEWEST = 2
"""Newest originals kept per narrative and tag, beside the first."""
SHOWN = (Tag.CLAIM, Tag.DENIAL, Tag.CELEBRATION)
MOST = 5
SURE = 0.8
"""A post is shown only where the tagger gives its tag at least this probability."""
PAUSE = timedelta(hours=1)
"""After so long without a post of a tag that could be shown, the next one is the first: others are old stories."""

_COLUMNS = (
    "event",
    "narrative",
    "tag",
    "seen_at",
    "platform",
    "id",
    "posted_at",
    "text",
    "url",
    "author",
    "cues",
    "payload_sha256",
    "voice",
)


class _Row(NamedTuple):
    """An original, as it is kept."""

    event: str
    narrative: str
    tag: str
    seen_at: datetime
    platform: str
    id: str
    posted_at: datetime
    text: str
    url: str | None
    author: str | None
    cues: str | None = None
    """Absent in rows of earlier versions, as is what follows."""
    payload_sha256: str | None = None
    voice: str | None = None

    @property
    def post(self) -> "_Post":
        """Which post it is."""
        return self.platform, self.id


_Key = tuple[str, str, str]
_Post = tuple[str, str]
_PREFIX = "alert/evidence/"


class _Held(msgspec.Struct, array_like=True):
    """What is known of one narrative and tag."""

    key: _Key
    first: _Row | None = None
    newest: list[_Row] = []

    def add(self, row: _Row) -> None:
        """Takes an original; after a pause it begins anew."""
        if self.newest and row.seen_at - self.newest[-1].seen_at > PAUSE:
            self.first, self.newest = None, []
        self.first = self.first or row
        self.newest = [*self.newest, row][-NEWEST:]

    def delete(self, post: _Post) -> bool:
        """Drops a post; says whether it was there."""
        there = False
        if self.first is not None and self.first.post == post:
            self.first, there = None, True
        if any(row.post == post for row in self.newest):
            self.newest, there = [row for row in self.newest if row.post != post], True
        return there


class _Step(NamedTuple):
    """What one row of the stream does."""

    at: datetime
    row: _Row | None
    """None for a deletion."""
    post: _Post
    gone: tuple[str, str] | None = None
    """Event and narrative that are forgotten; then it is of no post."""


class EvidenceMemory:
    """Remembers, per narrative and tag, the first original and the newest ones, until the narrative is gone."""

    def __init__(self) -> None:
        self._held: dict[_Key, _Held] = {}
        """As it was before the last batch."""
        self._steps: list[_Step] = []
        """What the last batch does to it."""
        self._changed: set[_Key] = set()

    def add(self, clustered: pl.DataFrame, gone: Iterable[tuple[datetime, str, str]] = ()) -> None:
        """Takes a batch's originals and deletions; CLUSTERED, in order. `gone`: when which narrative of what event is.

        A narrative that is gone is forgotten.
        """
        self._fold()
        delete = pl.col("op") == "delete"
        sure = pl.max_horizontal("p_claim", "p_denial", "p_celebration") >= SURE
        shown = pl.col("tag").cast(pl.String).is_in([tag.value for tag in SHOWN])
        own = (pl.col("op") == "create") & pl.col("copy_of").is_null() & pl.col("narrative").is_not_null()
        rows = clustered.filter(delete | (own & sure & shown)).select(*_COLUMNS, delete.alias("deleted"))
        for *told, deleted in rows.iter_rows():
            row = _Row(*told)
            self._steps.append(_Step(row.seen_at, None if deleted else row, row.post))
        forgotten = [_Step(at, None, ("", ""), (event, narrative)) for at, event, narrative in gone]
        if forgotten:
            self._steps = sorted([*self._steps, *forgotten], key=lambda step: step.at)

    def of(self, event: str, narrative: str, at: datetime) -> tuple[Evidence, ...]:
        """At most MOST posts of the narrative seen before `at`: the first of each tag, then the newest."""
        keys = [(event, narrative, tag.value) for tag in SHOWN]
        held = {key: _Held(key) for key in keys}
        for key in keys:
            known = self._held.get(key)
            if known is not None:
                held[key] = _Held(key, known.first, known.newest)
        _apply((step for step in self._steps if step.at < at), held, make=False)
        firsts = (one.first for one in held.values() if one.first is not None)
        newest = [one.newest for one in held.values()]
        rows = chain(firsts, chain.from_iterable(zip(*newest, strict=False)), chain.from_iterable(newest))
        found: dict[_Post, _Row] = {}
        for row in rows:
            if row.seen_at < at:
                found.setdefault(row.post, row)
        return tuple(_evidence(row) for row in list(found.values())[:MOST])

    def _fold(self) -> None:
        """Between batches only what is held of each key is kept, and nothing of a deleted post."""
        self._changed |= _apply(self._steps, self._held, make=True)
        self._steps = []

    def forget(self, events: Collection[str]) -> None:
        """Drops what is known of these events."""
        self._fold()
        gone = {key for key in self._held if key[0] in events}
        self._held = {key: held for key, held in self._held.items() if key not in gone}
        self._changed |= gone

    def snapshot(self) -> dict[str, bytes]:
        """The state's rows that changed since the last call, an empty one to delete; earlier ticks are forgotten."""
        self._fold()
        rows: dict[str, bytes] = {}
        for key in sorted(self._changed):
            held = self._held.get(key)
            there = held is not None and (held.first is not None or held.newest)
            if not there:
                self._held.pop(key, None)
            rows[f"{_PREFIX}{key[0]}/{digest(*key)}"] = msgspec.msgpack.encode(held) if there else b""
        self._changed.clear()
        return rows

    def restore(self, rows: Mapping[str, bytes]) -> None:
        """Goes on where the memory that gave all these rows left off; rows of others are ignored."""
        for name in sorted(name for name in rows if name.startswith(_PREFIX) and rows[name]):
            held = msgspec.msgpack.decode(rows[name], type=_Held)
            self._held[held.key] = held


def _apply(steps: Iterable[_Step], held: dict[_Key, _Held], *, make: bool) -> set[_Key]:
    """Takes steps into what is held, new keys only where `make` is said; gives the keys that changed."""
    changed = set()
    posts: set[_Post] | None = None
    for step in steps:
        if step.row is not None:
            key = step.row.event, step.row.narrative, step.row.tag
            if make or key in held:
                held.setdefault(key, _Held(key)).add(step.row)
                changed.add(key)
                if posts is not None:
                    posts.add(step.post)
            continue
        if step.gone is not None:
            lost = {(*step.gone, tag.value) for tag in SHOWN} & held.keys()
            held.update({key: _Held(key) for key in lost})
            changed |= lost
            continue
        if posts is None:
            posts = {row.post for one in held.values() for row in (one.first, *one.newest) if row is not None}
        if step.post in posts:
            changed |= {key for key, one in held.items() if one.delete(step.post)}
    return changed


def _evidence(row: _Row) -> Evidence:
    return Evidence(
        platform=row.platform,
        id=row.id,
        tag=row.tag,
        posted_at=row.posted_at,
        text=row.text,
        url=row.url,
        author=row.author,
        cues=row.cues,
        payload_sha256=row.payload_sha256,
        seen_at=row.seen_at,
        voice=row.voice,
    )
