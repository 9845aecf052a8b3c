"""Who answers a known mention is a mention too: replies, quotes and reposts, down the thread and across batches.

Only 10–40 % of the denials under a claim name the event, so the thread is what finds them. A post without a term whose
target is unknown waits a bounded seen time; when its target becomes a mention at time t, it becomes one as of t.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import NamedTuple

import polars as pl

from monitor.frames import MENTIONS, ORDER, POSTS

_Key = tuple[str, str]
"""platform, id"""
_VIA = ("repost", "reply", "quote")
_TARGETS = {"repost": "repost_of", "reply": "reply_to", "quote": "quote_of"}


class _Known(NamedTuple):
    """What is remembered of a mention."""

    number: int
    root: str
    text: str | None
    root_text: str | None


class _Found(NamedTuple):
    """A mention made in this call; `row` is its index in the posts at hand."""

    row: int
    event: str
    seen_at: datetime
    via: str
    term: str | None
    parent: str | None
    parent_text: str | None
    root: str | None
    root_text: str | None


class Threads:
    """A bounded memory of mentions; `size` counts mentions, and answers depend on their order only."""

    def __init__(
        self, *, size: int = 200_000, wait: timedelta = timedelta(seconds=10), most_waiting: int = 100_000
    ) -> None:
        self._size = size
        self._wait = wait
        self._most_waiting = most_waiting
        self._count = 0
        self._known: dict[_Key, dict[str, _Known]] = {}
        self._waiting = pl.DataFrame(schema=POSTS)
        self.duplicates = 0
        """Mentions that had been seen before, so far."""
        self.overflowed = 0
        """Posts that could not wait for their parent because too many did, so far."""

    def follow(self, posts: pl.DataFrame, hits: pl.DataFrame, upto: datetime) -> pl.DataFrame:
        """POSTS and their matches → MENTIONS, in ORDER."""
        terms: dict[int, dict[str, str]] = {}
        offset = self._waiting.height
        for row, event, term in hits.iter_rows():
            terms.setdefault(row + offset, {})[event] = term
        at_hand = pl.concat([self._waiting, posts])
        found, children = self._walk(at_hand, terms)
        self._keep_waiting(at_hand, children, {mention.row for mention in found}, upto)
        return _mentions(at_hand, found)

    def remember(self, mentions: pl.DataFrame) -> None:
        """Refills the memory from archived mentions, in order."""
        columns = ("platform", "id", "event", "text", "root", "root_text")
        for platform, post, event, text, root, root_text in mentions.select(columns).iter_rows():
            self._remember((platform, post), event, _Known(self._count, root or post, text, root_text))

    def _walk(self, posts: pl.DataFrame, terms: dict[int, dict[str, str]]) -> tuple[list[_Found], list[int]]:
        """The mentions among `posts`, and the rows whose target is not known (yet)."""
        related = posts.select(
            pl.int_range(pl.len()).alias("row"), "platform", "id", "op", "seen_at", "text", "parent_text", "root",
            *_TARGETS.values(),
        ).filter(
            pl.col("row").is_in(list(terms))
            | pl.any_horizontal(pl.col(*_TARGETS.values()).is_not_null())
            | (pl.col("op") != "create")
        )  # fmt: skip
        found: list[_Found] = []
        lost: dict[_Key, list[_Row]] = {}
        children: list[int] = []
        for row in map(_Row._make, related.iter_rows()):
            made = self._mention(row, terms.get(row.row, {}), row.seen_at)
            if not made and row.op == "create":
                children.append(row.row)
                for target in row.targets():
                    lost.setdefault(target, []).append(row)
            found += made
            if made:
                found += self._adopt(row, row.seen_at, lost)
        return found, children

    def _adopt(self, parent: "_Row", at: datetime, lost: dict[_Key, list["_Row"]]) -> Iterator[_Found]:
        """The waiting children of a new mention, and theirs."""
        for child in lost.pop((parent.platform, parent.id), ()):
            if at - child.seen_at <= self._wait and not self._recall((child.platform, child.id)):
                made = self._mention(child, {}, at)
                yield from made
                if made:
                    yield from self._adopt(child, at, lost)

    def _mention(self, row: "_Row", terms: dict[str, str], at: datetime) -> list[_Found]:
        """The mentions `row` makes, one per event; remembers them."""
        key = (row.platform, row.id)
        mine = self._recall(key)
        if row.op != "create":
            return [self._again(row, event, known) for event, known in mine.items()]
        parents = {via: self._recall((row.platform, target)) for via, target in row.by_via() if target}
        events = {event: None for known in parents.values() for event in known} | dict.fromkeys(terms)
        made = []
        for event in sorted(events):
            if event in mine:
                self.duplicates += 1
                continue
            via, parent, known = next(
                (
                    (via, target, parents[via][event])
                    for via, target in row.by_via()
                    if target and event in parents[via]
                ),
                ("term", None, None),
            )
            text = row.parent_text or (known.text if known else None)
            root = known.root if known else row.root
            root_text = (known.root_text or known.text) if known else None
            kind = "term" if event in terms and via != "repost" else via
            made.append(_Found(row.row, event, at, kind, terms.get(event), parent, text, root, root_text))
            own_text = row.text or (text if via == "repost" else row.text)
            self._remember(key, event, _Known(self._count, root or row.id, own_text, root_text))
        return made

    def _again(self, row: "_Row", event: str, known: _Known) -> _Found:
        """An update, delete or counts of a known mention."""
        if row.op != "counts":
            self._known[row.platform, row.id][event] = known._replace(text=row.text)
        return _Found(row.row, event, row.seen_at, "known", None, None, row.parent_text, known.root, known.root_text)

    def _recall(self, key: _Key) -> dict[str, _Known]:
        known = self._known.get(key)
        if known is None:
            return {}
        oldest = self._count - self._size
        return {event: mention for event, mention in known.items() if mention.number >= oldest}

    def _remember(self, key: _Key, event: str, known: _Known) -> None:
        self._known.setdefault(key, {})[event] = known
        self._count += 1
        if self._count % self._size == 0:
            oldest = self._count - self._size
            kept = (
                (key, {name: one for name, one in events.items() if one.number >= oldest})
                for key, events in self._known.items()
            )
            self._known = {key: events for key, events in kept if events}

    def _keep_waiting(self, posts: pl.DataFrame, children: list[int], found: set[int], upto: datetime) -> None:
        """Children that may still find their parent wait for the next batch."""
        waiting = posts[[row for row in children if row not in found]]
        waiting = waiting.filter(pl.col("seen_at") >= upto - self._wait)
        self.overflowed += max(0, waiting.height - self._most_waiting)
        self._waiting = waiting.tail(self._most_waiting)


class _Row(NamedTuple):
    """The columns of a post that threads are made of."""

    row: int
    platform: str
    id: str
    op: str
    seen_at: datetime
    text: str | None
    parent_text: str | None
    root: str | None
    repost_of: str | None
    reply_to: str | None
    quote_of: str | None

    def by_via(self) -> tuple[tuple[str, str | None], ...]:
        """What it reposts, answers, quotes, in the order that decides."""
        return (("repost", self.repost_of), ("reply", self.reply_to), ("quote", self.quote_of))

    def targets(self) -> set[_Key]:
        """The posts it reposts, answers or quotes."""
        return {(self.platform, target) for _, target in self.by_via() if target}


def _mentions(posts: pl.DataFrame, found: list[_Found]) -> pl.DataFrame:
    """The frame of what was found."""
    columns = list(zip(*found, strict=True)) or [() for _ in _Found._fields]
    made = dict(zip(_Found._fields, columns, strict=True))
    frame = posts[list(made.pop("row"))].with_columns(
        pl.Series(name, values, dtype=MENTIONS[name]) for name, values in made.items()
    )
    return (
        frame.with_columns(event_time=pl.min_horizontal("posted_at", "seen_at"))
        .select(MENTIONS.keys())
        .sort(ORDER, maintain_order=True)
    )
