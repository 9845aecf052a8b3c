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

    def delete(self, post: _Post) -> None:
        """Drops a post."""
        if self.first is not None and self.first.post == post:
            self.first = None
        self.newest = [row for row in self.newest if row.post != post]

    @property
    def posts(self) -> set["_Post"]:
        """Those that are there."""
        return {row.post for row in (self.first, *self.newest) if row is not None}


class _Book:
    """What is held of each narrative and tag, and of which ones each post is."""

    def __init__(self) -> None:
        self.held: dict[_Key, _Held] = {}
        self._keys: dict[_Post, set[_Key]] = {}

    def put(self, held: _Held) -> None:
        """Takes in what is held of a key that was taken out, or is new."""
        self.held[held.key] = held
        for post in held.posts:
            self._keys.setdefault(post, set()).add(held.key)

    def take(self, key: _Key) -> _Held:
        """Takes out what is held of a key: nothing, of one that is new."""
        held = self.held.pop(key, None) or _Held(key)
        for post in held.posts:
            self._keys[post].discard(key)
            if not self._keys[post]:
                del self._keys[post]
        return held

    def keys(self, post: _Post) -> set[_Key]:
        """Where a post is held."""
        return set(self._keys.get(post, ()))

    def apply(self, steps: Iterable["_Step"], *, make: bool) -> set[_Key]:
        """Takes steps in, new keys only where `make` is said; gives the keys that changed."""
        changed = set[_Key]()
        for step in steps:
            if step.row is not None:
                key = step.row.event, step.row.narrative, step.row.tag
                if make or key in self.held:
                    held = self.take(key)
                    held.add(step.row)
                    self.put(held)
                    changed.add(key)
            elif step.gone is not None:
                lost = {(*step.gone, tag.value) for tag in SHOWN} & self.held.keys()
                for key in lost:
                    self.take(key)
                    self.put(_Held(key))
                changed |= lost
            else:
                found = self.keys(step.post)
                for key in found:
                    held = self.take(key)
                    held.delete(step.post)
                    self.put(held)
                changed |= found
        return changed


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
        self._book = _Book()
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
        book = _Book()
        for key in keys:
            known = self._book.held.get(key) or _Held(key)
            book.put(_Held(key, known.first, known.newest))
        book.apply((step for step in self._steps if step.at < at), make=False)
        held = [book.held[key] for key in keys]
        firsts = (one.first for one in held if one.first is not None)
        newest = [one.newest for one in held]
        rows = chain(firsts, chain.from_iterable(zip(*newest, strict=False)), chain.from_iterable(newest))
        found: dict[_Post, _Row] = {}
        for row in rows:
            if row.seen_at < at:
                found.setdefault(row.post, row)
        return tuple(_evidence(row) for row in list(found.values())[:MOST])

    def _fold(self) -> None:
        """Between batches only what is held of each key is kept, and nothing of a deleted post."""
        self._changed |= self._book.apply(self._steps, make=True)
        self._steps = []

    def forget(self, events: Collection[str]) -> None:
        """Drops what is known of these events."""
        self._fold()
        gone = {key for key in self._book.held if key[0] in events}
        for key in gone:
            self._book.take(key)
        self._changed |= gone

    def snapshot(self) -> dict[str, bytes]:
        """The state's rows that changed since the last call, an empty one to delete; earlier ticks are forgotten."""
        self._fold()
        rows: dict[str, bytes] = {}
        for key in sorted(self._changed):
            held = self._book.held.get(key)
            there = held is not None and held.posts
            if not there:
                self._book.take(key)
            rows[f"{_PREFIX}{key[0]}/{digest(*key)}"] = msgspec.msgpack.encode(held) if there else b""
        self._changed.clear()
        return rows

    def restore(self, rows: Mapping[str, bytes]) -> None:
        """Goes on where the memory that gave all these rows left off; rows of others are ignored."""
        for name in sorted(name for name in rows if name.startswith(_PREFIX) and rows[name]):
            self._book.put(msgspec.msgpack.decode(rows[name], type=_Held))


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
