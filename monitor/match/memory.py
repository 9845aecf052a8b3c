"""What threads are made of: the mentions that are known, and the posts that wait for their target; both bounded.

Every change is made by a post in its place in the stream, never by the end of a batch, so no cut of the stream shows.
"""

from collections import OrderedDict
from collections.abc import Collection, Iterator
from itertools import takewhile

import msgspec

Key = tuple[str, str]
"""platform, id"""


class Post(msgspec.Struct, frozen=True, gc=False):
    """The columns of a post that threads are made of."""

    row: int
    """Index into the batch."""
    key: Key
    """Its identity."""
    op: str
    seen_at: int
    """Microseconds since 1970."""
    text: str | None
    parent_text: str | None
    root: str | None
    repost_of: str | None
    reply_to: str | None
    quote_of: str | None
    aims: bool
    """Whether it reposts, answers or quotes a post."""

    def targets(self) -> list[tuple[str, str]]:
        """(via, id) of what it reposts, answers, quotes, in the order that decides."""
        own, found = self.key[1], []
        if self.repost_of is not None and self.repost_of != own:
            found.append(("repost", self.repost_of))
        if self.reply_to is not None and self.reply_to != own:
            found.append(("reply", self.reply_to))
        if self.quote_of is not None and self.quote_of != own:
            found.append(("quote", self.quote_of))
        return found


class Known(msgspec.Struct, frozen=True, gc=False):
    """What is remembered of a mention of one event."""

    event: str
    root: str
    text: str | None
    """None once it is deleted."""
    reposts: str | None
    """The mention whose text it has where it has none of its own."""


class Mentions:
    """The posts that were made mentions, or referred to by one, among the last `size` mentions made."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._known: dict[Key, tuple[int, tuple[Known, ...]]] = {}
        self.made = 0
        """Mentions made so far."""

    def of(self, key: Key) -> tuple[Known, ...]:
        """What is known of a post, one per event."""
        found = self._known.get(key)
        return found[1] if found is not None and found[0] > self.made - self._size else ()

    def refer(self, key: Key) -> None:
        """The mention about to be made refers to a known one, which stays longer for it."""
        found = self._known.get(key)
        if found is not None and found[0] > self.made - self._size:
            self.put(self.made + 1, key, found[1])

    def add(self, key: Key, known: tuple[Known, ...], made: int) -> None:
        """Remembers what a post is known as, `made` mentions of it newly made."""
        self.made += made
        self.put(self.made, key, known)

    def sweep(self) -> None:
        """Frees what is forgotten."""
        oldest = self.made - self._size
        forgotten = list(takewhile(lambda key: self._known[key][0] <= oldest, self._known))
        for key in forgotten:
            del self._known[key]

    def put(self, number: int, key: Key, known: tuple[Known, ...]) -> None:
        """Remembers a post as made or referred to by mention `number`; numbers do not fall."""
        self._known.pop(key, None)
        self._known[key] = number, known

    def reword(self, key: Key, text: str | None) -> None:
        """The post has another text now, or none any more; what has none stays without."""
        number, knowns = self._known[key]
        reworded = [k if k.text is None else msgspec.structs.replace(k, text=text) for k in knowns]
        self._known[key] = number, tuple(reworded)

    def text(self, key: Key, event: str) -> str | None:
        """The text of a mention, a bare repost's being its original's; None if not known."""
        for known in self.of(key):
            if known.event == event:
                return known.text or self.carried(key[0], known)
        return None

    def carried(self, platform: str, known: Known) -> str | None:
        """The text that a mention without one of its own has from what it reposts."""
        return self.text((platform, known.reposts), known.event) if known.reposts else None

    def forget(self, events: Collection[str]) -> None:
        """Drops these events' mentions."""
        for key, (number, knowns) in list(self._known.items()):
            kept = tuple([known for known in knowns if known.event not in events])
            if not kept:
                del self._known[key]
            elif len(kept) < len(knowns):
                self._known[key] = number, kept


class Waiting:
    """Posts whose targets are unknown, each for `wait` microseconds and no more than `most` at once."""

    def __init__(self, wait: int, most: int) -> None:
        self._wait = wait
        self._most = most
        self._line: OrderedDict[Key, tuple[int, Post]] = OrderedDict()
        self._by_target: dict[Key, dict[Key, None]] = {}
        self._number = 0
        self.overflowed = 0
        """Posts that could not wait as long as they should because too many did, so far."""

    def __bool__(self) -> bool:
        """Whether any post waits."""
        return bool(self._line)

    def resume(self, number: int) -> None:
        """The next to come has this number."""
        self._number = number

    def add(self, post: Post) -> int | None:
        """Lets a post wait; gives its number in the line, None if it waits there already."""
        self.expire(post.seen_at)
        if post.key in self._line:
            return None
        if len(self._line) >= self._most:
            self.take(next(iter(self._line)))
            self.overflowed += 1
        self._line[post.key] = self._number, post
        for _, target in post.targets():
            self._by_target.setdefault((post.key[0], target), {})[post.key] = None
        self._number += 1
        return self._number - 1

    def expire(self, now: int) -> None:
        """Those that waited too long go."""
        while self._line:
            key, (_, post) = next(iter(self._line.items()))
            if now - post.seen_at <= self._wait:
                return
            self.take(key)

    def take(self, key: Key) -> tuple[int, Post] | None:
        """Takes a post out of the line."""
        found = self._line.pop(key, None)
        if found is not None:
            for _, target in found[1].targets():
                waiting = self._by_target.get((key[0], target), {})
                waiting.pop(key, None)
                if not waiting:
                    self._by_target.pop((key[0], target), None)
        return found

    def children(self, target: Key, at: int) -> Iterator[tuple[int, Post]]:
        """Takes out those that wait for `target`, in the order they came, and gives those still in time."""
        for key in tuple(self._by_target.get(target, ())):
            found = self.take(key)
            if found is not None and at - found[1].seen_at <= self._wait:
                yield found

    @property
    def first(self) -> int:
        """The number of the first in the line; with none waiting, of the next to come."""
        return next(iter(self._line.values()))[0] if self._line else self._number
