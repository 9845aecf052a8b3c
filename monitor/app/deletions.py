"""Deletions that name no post: of an account with all that it wrote, or by an id that only the source's server knows.

Both are looked up here and are deletions of posts from then on, whatever was known before a restart.
"""

from collections import OrderedDict
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

import msgspec
import polars as pl

from monitor.app.pseudonyms import Pseudonyms
from monitor.collect.parsed import Parsed
from monitor.frames import TIME
from monitor.store.authors import Written, deletions, written_by
from monitor.store.store import Store

MOST = 50_000
"""Mentions that are known by an id of their source's server: the last ones."""
_RECENT = 10_000
"""Posts that may still become mentions, since they wait for what they answer."""
_LONGEST = 64
_PREFIX = "local/"
_POST = ("platform", "id")

_Local = tuple[str, str]
"""A source, and what its server calls a post."""
_Post = tuple[str, str]
"""platform, id"""


class _Row(NamedTuple):
    """A post that its source's server calls by an id of its own, as it is kept."""

    platform: str
    id: str
    number: int = 0
    """The order in which they came; the first version kept none."""


class Deletions:
    """Looks up what is deleted; remembers what sources' servers call the mentions that they brought."""

    def __init__(self, store: Store, pseudonyms: Pseudonyms, most: int = MOST) -> None:
        self._store = store
        self._pseudonyms = pseudonyms
        self._most = most
        self._posts: OrderedDict[_Local, _Post] = OrderedDict()
        """The last that came is the last."""
        self._locals: dict[_Post, tuple[_Local, ...]] = {}
        self._number = 0
        """How many came."""
        self._recent: OrderedDict[tuple[str, str], str] = OrderedDict()
        """Source and id of the last posts → what the server calls them."""
        self._left: dict[str, bytes] = {}
        """Rows of sources that are no more."""

    def restore(self, rows: Mapping[str, bytes], sources: Collection[str]) -> None:
        """Takes up all rows that were ever given of these sources, those of others go; other rows are ignored."""
        kept: list[tuple[int, _Local, _Post]] = []
        for key in sorted(key for key, row in rows.items() if row and key.startswith(_PREFIX)):
            source, _, local = key.removeprefix(_PREFIX).partition("/")
            if source not in sources:
                self._left[key] = b""
                continue
            row = msgspec.msgpack.decode(rows[key], type=_Row)
            kept.append((row.number, (source, local), (row.platform, row.id)))
        for number, place, post in sorted(kept):
            self._keep(place, post)
            self._number = number

    def of(self, parsed: Parsed, source: str, at: datetime, waiting: pl.DataFrame) -> Written:
        """What a source's payloads delete so, told by it at a time, of mentions and of what is `waiting` to be one.

        Raises StoreError before anything has changed.
        """
        for name, local in parsed.local.items():
            if _is_plain(local):
                self._recent[source, name] = local
                self._recent.move_to_end((source, name))
        while len(self._recent) > _RECENT:
            self._recent.popitem(last=False)
        keys: Sequence[int] = ()
        posts = deletions(
            (source, *post) for local in parsed.unnamed if (post := self._posts.get((source, local))) is not None
        )
        if parsed.gone:
            authors = {(one.platform, name) for one in parsed.gone for name in self._pseudonyms.names(*one)}
            keys, theirs = self._store.change(lambda connection: written_by(connection, authors))
            posts = pl.concat([theirs, _waiting_by(waiting, authors), posts]).unique(_POST, maintain_order=True)
        told = (pl.lit(source).alias("source"), pl.lit(at).cast(TIME).alias("seen_at"))
        return Written(keys, posts.with_columns(told))

    def note(self, mentions: pl.DataFrame) -> dict[str, bytes]:
        """Remembers which posts became mentions (CLUSTERED), forgets which were deleted.

        Gives the rows that change, an empty one is to delete.
        """
        rows, self._left = self._left, {}
        if not self._recent and not self._posts:
            return rows
        told = mentions.filter(pl.col("op").is_in(["create", "delete"])).select("op", "source", *_POST)
        for op, source, platform, post in told.iter_rows():
            if op == "delete":
                rows |= self._forget((platform, post))
            elif (local := self._recent.get((source, post))) is not None:
                self._number += 1
                self._keep((source, local), (platform, post))
                rows[_key(source, local)] = msgspec.msgpack.encode(_Row(platform, post, self._number))
        while len(self._posts) > self._most:
            rows |= self._drop(next(iter(self._posts)))
        return rows

    def forget(self, posts: pl.DataFrame) -> dict[str, bytes]:
        """Forgets posts (POSTS) whose texts go; gives the rows to delete."""
        rows = dict[str, bytes]()
        for platform, post in posts.select(_POST).iter_rows():
            rows |= self._forget((platform, post))
        return rows

    def _keep(self, local: _Local, post: _Post) -> None:
        self._drop(local)
        self._posts[local] = post
        self._locals[post] = (*self._locals.get(post, ()), local)

    def _forget(self, post: _Post) -> dict[str, bytes]:
        rows = dict[str, bytes]()
        for local in self._locals.get(post, ()):
            rows |= self._drop(local)
        return rows

    def _drop(self, local: _Local) -> dict[str, bytes]:
        post = self._posts.pop(local, None)
        if post is not None:
            others = tuple(one for one in self._locals.pop(post) if one != local)
            if others:
                self._locals[post] = others
        return {_key(*local): b""}


def _key(source: str, local: str) -> str:
    return f"{_PREFIX}{source}/{local}"


def _waiting_by(waiting: pl.DataFrame, authors: Collection[tuple[str, str]]) -> pl.DataFrame:
    """POSTS without times: the deletion of what waits by these (platform, author)."""
    found = waiting.filter(pl.col("author").is_in([author for _, author in authors]))
    written = found.select("source", *_POST, "author").iter_rows()
    return deletions((source, on, post) for source, on, post, author in written if (on, author) in authors)


def _is_plain(local: str) -> bool:
    return 0 < len(local) <= _LONGEST and local.isascii() and local.isalnum()
