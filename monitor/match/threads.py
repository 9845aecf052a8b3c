"""Who answers a known mention is a mention too: replies, quotes and reposts, down the thread and across batches.

Only 10–40 % of the denials under a claim name the event, so the thread is what finds them. A post without a term whose
target is unknown waits a bounded seen time; when its target becomes a mention at time t, it becomes one as of t. Edits
and counts make no mention: they pass for mentions that are known.
"""

from collections import deque
from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from sys import intern
from typing import NamedTuple

import msgspec
import numpy as np
import polars as pl

from monitor.frames import MENTIONS, ORDER, POSTS, TIME
from monitor.match.identities import ROOM, Identities
from monitor.match.kept import Kept
from monitor.match.memory import Key, Known, Mentions, Post, Waiting

_MICROSECOND = timedelta(microseconds=1)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_TARGETS = ("repost_of", "reply_to", "quote_of")
_MADE = "match/made"
_AIMS = pl.any_horizontal(pl.col(_TARGETS).is_not_null())


_Found = tuple[int, str, int, str, str | None, str | None, str | None, str | None, str | None]
"""A mention: what it adds to a row of the posts at hand; the columns of _FOUND."""
_ADDS = ("event", "seen_at", "via", "term", "parent", "parent_text", "root", "root_text")
_FOUND = {"row": pl.Int64} | {name: MENTIONS[name] for name in _ADDS} | {"seen_at": pl.Int64}


class _Thread(NamedTuple):
    """What a post reposts, answers or quotes."""

    via: str
    target: str
    known: Known


_NO_THREADS: Mapping[str, _Thread] = {}
_NO_TERMS: Mapping[str, str] = {}


class Threads:
    """A bounded memory of mentions, and of posts that wait for the one they answer."""

    def __init__(
        self,
        *,
        size: int = 200_000,
        wait: timedelta = timedelta(seconds=10),
        most_waiting: int = 100_000,
        room: int = ROOM,
    ) -> None:
        """`size` mentions are known with their text, at least `room` by their identity."""
        self._size = size
        self._mentions = Mentions(size)
        self._identities = Identities(room=room)
        self._waiting = Waiting(wait // _MICROSECOND, most_waiting)
        self._kept = Kept()
        self._found: list[_Found] = []
        self._newly: list[int] = []
        self._left: list[int] = []
        self.duplicates = 0
        """Creates that came again for an event they were known to mention, so far."""

    @property
    def overflowed(self) -> int:
        """Posts that could not wait as long as they should because too many did, so far."""
        return self._waiting.overflowed

    @property
    def waiting(self) -> pl.DataFrame:
        """POSTS that wait for their target, or did until just now."""
        return self._kept.frame

    def follow(self, posts: pl.DataFrame, hits: pl.DataFrame, upto: datetime) -> pl.DataFrame:
        """POSTS in ORDER and their matches (`Matcher.find`) → MENTIONS in ORDER; nothing before `upto` follows."""
        terms = _terms(hits)
        self._found, self._newly, self._left = [], [], []
        for post in _related(posts, hits["row"]):
            self._read(post, terms.get(post.row, _NO_TERMS))
        posts = posts.select(POSTS.keys())
        mentions = _mentions(self._kept.frame, posts, self._found)
        self._waiting.expire((upto - _EPOCH) // _MICROSECOND)
        self._kept.advance(posts[self._newly], self._waiting.first)
        self._kept.leave(self._left)
        self._mentions.sweep()
        return mentions

    @property
    def made(self) -> int:
        """Mentions made so far."""
        return self._mentions.made

    @staticmethod
    def made_of(rows: Mapping[str, bytes]) -> int:
        """How many mentions the threads that gave these rows had made."""
        return msgspec.msgpack.decode(rows[_MADE], type=int) if _MADE in rows else 0

    def forget(self, events: Collection[str]) -> None:
        """Drops what is known of these events' mentions; that they were made stays known."""
        self._mentions.forget(events)

    def snapshot(self) -> dict[str, bytes]:
        """The state's rows that changed since the last call; an empty row is one to delete."""
        made = {_MADE: msgspec.msgpack.encode(self.made)}
        return made | self._kept.snapshot() | self._identities.snapshot()

    def restore(self, rows: Mapping[str, bytes], remembered: pl.DataFrame) -> None:
        """Goes on where the threads that gave all these rows left off; `remembered`: REMEMBERED with `number`."""
        self._mentions.made = self.made_of(rows)
        self._identities.restore(rows)
        gone = self._kept.restore(rows)
        self._waiting.resume(self._kept.first)
        line = self._kept.frame
        for number, post in enumerate(_related(line, pl.Series([], dtype=pl.UInt32)), self._kept.first):
            self._waiting.add(post)
            if number in gone:
                self._waiting.take(post.key)
        self._remember(remembered)

    def _remember(self, remembered: pl.DataFrame) -> None:
        """Refills the memory of mentions: each post as last made or referred to."""
        referred = remembered.filter(~pl.col("older")).select("platform", pl.col("parent").alias("id"), "number")
        made = remembered.select("platform", "id", "number")
        last = pl.concat([made, referred.drop_nulls("id")]).group_by("platform", "id").agg(pl.col("number").max())
        ordered = remembered.drop("number").join(last, on=["platform", "id"], maintain_order="left")
        ordered = ordered.sort("number", "platform", "id", maintain_order=True)
        columns = ("platform", "id", "number", "event", "text", "parent", "root", "repost_of")
        for part in ordered.select(columns).iter_slices():
            lists = (column.to_list() for column in part)
            for platform, post, number, event, text, parent, root, repost_of in zip(*lists, strict=True):
                key, reposts = (intern(platform), post), parent if parent == repost_of else None
                known = Known(intern(event), post if root is None else root, text, reposts)
                self._mentions.put(number, key, (*self._mentions.of(key), known))

    def _read(self, post: Post, terms: Mapping[str, str]) -> None:
        """One post of the stream in its turn."""
        if post.op != "create":
            self._again(post)
            return
        if self._admitted(post, terms, post.row, post.seen_at):
            if self._waiting:
                self._leave(post.key)
                self._adopt(post)
        elif post.aims and not self._mentions.of(post.key) and self._waiting.add(post) is not None:
            self._newly.append(post.row)

    def _again(self, post: Post) -> None:
        """An update, delete or counts: passes for what is known."""
        known = self._mentions.of(post.key)
        if post.op == "delete":
            self._leave(post.key)
        if known and (post.op == "delete" or (post.op == "update" and post.text is not None)):
            self._mentions.reword(post.key, post.text if post.op == "update" else None)
        platform, own = post.key
        for one in known:
            root_text = self._mentions.text((platform, one.root), one.event) if one.root != own else None
            named = one.root if one.root != own else post.root
            self._found.append(
                (post.row, one.event, post.seen_at, "known", None, None, post.parent_text, named, root_text)
            )

    def _admitted(self, post: Post, terms: Mapping[str, str], row: int, at: int) -> bool:
        """Makes the post a mention of every event that it or its target speaks of; says whether it became one."""
        mine = self._mentions.of(post.key)
        threads = self._threads(post) if post.aims else _NO_THREADS
        events: Collection[str] = {**threads, **terms} if threads else terms
        if mine:
            had = {known.event for known in mine}
            again = len(had.intersection(events)) if events else len(had)
            self.duplicates += again
            events = [event for event in events if event not in had]
        new = [event for event in events if self._identities.add(*post.key, event)]
        self.duplicates += len(events) - len(new)
        if not new:
            return False
        made = [self._made(post, event, terms.get(event), threads.get(event), row=row, at=at) for event in new]
        self._mentions.add(post.key, (*mine, *made), len(made))
        return True

    def _threads(self, post: Post) -> Mapping[str, _Thread]:
        """Event → what the post reposts, answers or quotes there."""
        threads: dict[str, _Thread] = {}
        for via, target in post.targets():
            for known in self._mentions.of((post.key[0], target)):
                threads.setdefault(known.event, _Thread(via, target, known))
        return threads

    def _made(self, post: Post, event: str, term: str | None, thread: _Thread | None, *, row: int, at: int) -> Known:
        """Notes a mention; gives what to remember of it."""
        root, (platform, own), mentions = post.root, post.key, self._mentions
        if thread is None:
            root_text = None if root is None else mentions.text((platform, root), event)
            self._found.append((row, event, at, "term", term, None, post.parent_text, root, root_text))
            return Known(event, root or own, post.text or "", None)
        via, parent, known = thread
        mentions.refer((platform, parent))
        text, root = known.text or mentions.carried(platform, known), known.root
        root_text = text if root == parent else mentions.text((platform, root), event)
        how = via if term is None else "term"
        self._found.append((row, event, at, how, term, parent, post.parent_text or text, root, root_text))
        return Known(event, root or own, post.text or "", parent if via == "repost" else None)

    def _leave(self, key: Key) -> None:
        """Takes a post out of the line, out of turn."""
        found = self._waiting.take(key)
        if found is not None:
            self._left.append(found[0])

    def _adopt(self, parent: Post) -> None:
        """Those that waited for a new mention become mentions as of its time, and so do those that waited for them."""
        parents = deque([parent])
        while parents:
            for number, child in self._waiting.children(parents.popleft().key, parent.seen_at):
                self._left.append(number)
                place = number - self._kept.next
                row = self._newly[place] if place >= 0 else place
                if self._admitted(child, {}, row, parent.seen_at):
                    parents.append(child)


def _terms(hits: pl.DataFrame) -> Mapping[int, Mapping[str, str]]:
    """Row → event → the term by which it is one of the event's."""
    alone: dict[tuple[str, str], Mapping[str, str]] = {}
    terms: dict[int, Mapping[str, str]] = {}
    for row, event, term in zip(*(hits[name].to_list() for name in ("row", "event", "term")), strict=True):
        named = alone.get((event, term))
        if named is None:
            named = alone[event, term] = {intern(event): term}
        terms[row] = {**terms[row], **named} if row in terms else named
    return terms


def _related(posts: pl.DataFrame, named: pl.Series) -> Iterator[Post]:
    """The posts that can be mentions: by a term, by a target or by being known."""
    rows = pl.Series("row", range(posts.height), dtype=pl.UInt32)
    if named.n_unique() < posts.height:
        linked = posts.select(_AIMS | (pl.col("op") != "create")).to_series()
        rows = rows.filter(linked | rows.is_in(named.implode()))
        posts = posts[rows]
    columns = posts.select(
        "platform",
        "id",
        "op",
        pl.col("seen_at").cast(pl.Int64),
        "text",
        "parent_text",
        "root",
        *_TARGETS,
        _AIMS.alias("aims"),
    )
    platform, identity, *others = (column.to_list() for column in columns)
    keys = zip(map(intern, platform), identity, strict=True)
    return map(Post, rows.to_list(), keys, *others)


def _mentions(kept: pl.DataFrame, posts: pl.DataFrame, found: Sequence[_Found]) -> pl.DataFrame:
    """The frame of what was found; a row below 0 is one of those kept, counted from their end."""
    columns = zip(_FOUND.items(), zip(*found, strict=True) if found else [()] * len(_FOUND), strict=True)
    row, *rest = [pl.Series(name, values, dtype=dtype) for (name, dtype), values in columns]
    rows = row.to_numpy()
    in_order = rows.size == 0 or bool((rows >= 0).all() and (np.diff(rows) >= 0).all())
    at_hand = posts[rows] if in_order else pl.concat([kept, posts])[rows + kept.height]
    whole = pl.col("op").is_in(["create", "update"])
    event_time = pl.when(whole).then(pl.min_horizontal("posted_at", "seen_at")).otherwise("seen_at")
    made = (
        at_hand.with_columns(rest)
        .with_columns(pl.col("seen_at").cast(TIME))
        .select(
            pl.when(pl.col("op") != "delete").then("text").alias("text")
            if name == "text"
            else event_time.alias("event_time")
            if name == "event_time"
            else pl.lit(None, pl.String).alias("voice")
            if name == "voice"
            else pl.col(name)
            for name in MENTIONS
        )
    )
    return made if in_order else made.sort(ORDER, maintain_order=True)
