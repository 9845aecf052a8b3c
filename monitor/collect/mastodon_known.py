"""What is known of the posts of one server: their addresses, what came already, and what was deleted."""

import re
from collections import OrderedDict
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from monitor.clock import Clock
from monitor.collect.mastodon_wire import Status

BURIED = timedelta(minutes=10)
"""How long a delete is remembered: the server sends it at once, but the post itself through a queue."""
_DATED = 15
"""Digits from which on an id has a time in it."""


class Known:
    """The last `most` posts, by the ids of the server `instance`."""

    def __init__(self, most: int, clock: Clock, instance: str) -> None:
        self._most = most
        self._clock = clock
        self._own = re.compile(re.escape(instance) + r"/(?:users|ap/users)/[^/]+/statuses/(\d{1,20})")
        """The address of a post of the server itself, in which its id stands."""
        self._uris: OrderedDict[str, str] = OrderedDict()
        self._said: OrderedDict[tuple[str, str | None], None] = OrderedDict()
        """Id and time of the last edit of what was handed on."""
        self._buried: OrderedDict[str, float] = OrderedDict()

    def news(self, found: Status) -> bool:
        """Whether a status says something that did not come before; remembers it."""
        self._exhume()
        key = (found.id, found.edited_at)
        if found.id in self._buried or key in self._said:
            return False
        self._said[key] = None
        self._learn(found.id, found.uri)
        if len(self._said) > self._most:
            self._said.popitem(last=False)
        return True

    def again(self, found: Status) -> bool:
        """Whether a status may be handed on though it came before: unless it was deleted; remembers it."""
        self.news(found)
        return found.id not in self._buried

    def bury(self, name: str) -> str | None:
        """This id was deleted: the post's address, if it is known; a status that comes late is no news."""
        self._exhume()
        self._buried[name] = self._clock.monotonic()
        return self._uris.get(name)

    def uri(self, name: str) -> str | None:
        """The address of a post, of its id."""
        return self._uris.get(name)

    def ids(self, uris: Sequence[str]) -> list[str]:
        """The ids of posts, of their addresses; those that are known, as the server's own are from now on."""
        for uri in uris:
            if (own := self._own.fullmatch(uri)) is not None and own[1] not in self._uris:
                self._learn(own[1], uri)
        wanted = set(uris)
        return [name for name, uri in self._uris.items() if uri in wanted]

    def answered(self, found: Iterable[Status]) -> dict[str, str]:
        """Id → address of the posts that these answer, of those that are known."""
        ids = [one.in_reply_to_id for one in found if one.in_reply_to_id is not None]
        return {name: uri for name in ids if (uri := self._uris.get(name)) is not None}

    def _learn(self, name: str, uri: str) -> None:
        self._uris[name] = uri
        if len(self._uris) > self._most:
            self._uris.popitem(last=False)

    def _exhume(self) -> None:
        until = self._clock.monotonic() - BURIED.total_seconds()
        while self._buried and (first := next(iter(self._buried.items())))[1] <= until:
            del self._buried[first[0]]


def newer(one: str, other: str) -> str:
    """The newer of two ids: they grow, and the longer one is the larger."""
    return max(one, other, key=lambda name: (len(name), name))


def begun_at(like: str, at: datetime) -> str:
    """The id from which on posts of a time have theirs, on a server with ids `like` this; others are as they are."""
    return str(max(0, round(at.timestamp() * 1000)) << 16) if _is_dated(like) else like


def _is_dated(name: str) -> bool:
    return name.isascii() and name.isdigit() and len(name) >= _DATED


def rewound(name: str, by: timedelta) -> str:
    """An id of about so much earlier: an id begins with its milliseconds since 1970; others are as they are."""
    if not _is_dated(name):
        return name
    return str(max(0, int(name) - (round(by.total_seconds() * 1000) << 16)))
