"""Deletions that name no post: of an account with all that it wrote, or by an id that only the source's server knows.

Both are looked up here and are deletions of posts from then on, whatever was known before a restart.
"""

from collections import OrderedDict
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime

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


class Deletions:
    """Looks up what is deleted; remembers what sources' servers call the mentions that they brought."""

    def __init__(self, store: Store, pseudonyms: Pseudonyms, most: int = MOST) -> None:
        self._store = store
        self._pseudonyms = pseudonyms
        self._most = most
        self._posts: OrderedDict[_Local, _Post] = OrderedDict()
        self._recent: OrderedDict[tuple[str, str], str] = OrderedDict()
        """Source and id of the last posts → what the server calls them."""

    def restore(self, rows: Mapping[str, bytes]) -> None:
        """Takes up all rows that `note` ever gave; rows of others are ignored."""
        places = [(key.removeprefix(_PREFIX), row) for key, row in rows.items() if row and key.startswith(_PREFIX)]
        for place, row in sorted(places, key=lambda one: (len(one[0]), one[0])):  # ids of servers grow
            source, _, local = place.partition("/")
            self._posts[source, local] = msgspec.msgpack.decode(row, type=_Post)

    def of(self, parsed: Parsed, source: str, at: datetime, waiting: pl.DataFrame) -> Written:
        """What a source's payloads delete so, told by it at a time, of mentions and of what is `waiting` to be one.

        Raises StoreError before anything has changed.
        """
        self._recent.update({(source, name): local for name, local in parsed.local.items() if _is_plain(local)})
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
        """Remembers which posts became mentions (CLUSTERED); gives the rows that change, an empty one is to delete."""
        if not self._recent:
            return {}
        rows = dict[str, bytes]()
        made = mentions.filter(pl.col("op") == "create").select("source", "platform", "id")
        for source, platform, post in made.iter_rows():
            local = self._recent.get((source, post))
            if local is not None:
                self._posts[source, local] = platform, post
                rows[f"{_PREFIX}{source}/{local}"] = msgspec.msgpack.encode((platform, post))
        while len(self._posts) > self._most:
            (source, local), _ = self._posts.popitem(last=False)
            rows[f"{_PREFIX}{source}/{local}"] = b""
        return rows


def _waiting_by(waiting: pl.DataFrame, authors: Collection[tuple[str, str]]) -> pl.DataFrame:
    """POSTS without times: the deletion of what waits by these (platform, author)."""
    found = waiting.filter(pl.col("author").is_in([author for _, author in authors]))
    written = found.select("source", *_POST, "author").iter_rows()
    return deletions((source, on, post) for source, on, post, author in written if (on, author) in authors)


def _is_plain(local: str) -> bool:
    return 0 < len(local) <= _LONGEST and local.isascii() and local.isalnum()
