"""One connection to Bluesky as it is read: what it brings again, what was lost before it, what becomes one payload."""

from datetime import datetime, timedelta
from typing import Any

from aiohttp import WSMsgType

from monitor.collect.bluesky_connect import BlueskyWire, Opened, Place
from monitor.collect.bluesky_wire import Event
from monitor.errors import SourceUnavailableError
from monitor.marks import GapMark

_LINES = 500
_BYTES = 1 << 18
TOGETHER = timedelta(milliseconds=100)
"""A payload holds what came within this time, and at most so many lines and bytes."""
_HOLE = timedelta(minutes=1)
"""Version 1 goes on silently where it still has events: a first one so much later than asked for says so."""


class Batch:
    """Lines that will be one payload."""

    def __init__(self) -> None:
        self.lines: list[bytes] = []
        self._bytes = 0

    def add(self, line: bytes) -> None:
        """One more."""
        self.lines.append(line)
        self._bytes += len(line)

    @property
    def full(self) -> bool:
        """Whether no more should be added."""
        return len(self.lines) >= _LINES or self._bytes >= _BYTES


class Reading:
    """One connection: which events it brings again, and what was lost before it."""

    def __init__(self, found: Opened, since: Place | None, lost: str) -> None:
        self.found = found
        self.lost = lost
        """Why events between the last one and the first of this connection are lost."""
        self.heard = False
        """Whether anything came at the last try."""
        self._since = since
        self._first: datetime | None = None
        self._told = since is None

    def again(self, told: Event) -> bool:
        """Whether it is not behind the cursor."""
        self._first = self._first or told.at
        behind = self.found.behind
        if behind is None:
            return False
        if self.found.wire is BlueskyWire.V2:
            return told.seq is not None and behind.seq is not None and told.seq <= behind.seq
        return told.at <= behind.at

    def gap(self, source: str, *, all_of_it: bool) -> GapMark | None:
        """What was lost, once it is known: at the first event."""
        if self._told or self._since is None or self._first is None:
            return None
        self._told = True
        why = self.lost
        if not why and all_of_it and self.found.wire is BlueskyWire.V1 and self._first - self._since.at > _HOLE:
            why = "the server no longer has what came before"
        if not why or self._first <= self._since.at:
            return None
        return GapMark(source=source, begins=self._since.at, ends=self._first, why=why)


def line_of(kind: WSMsgType, said: Any, found: Opened) -> bytes:  # noqa: ANN401 -- as the library hands it over
    """An event on one line; raises SourceUnavailableError where the connection is over."""
    if kind is WSMsgType.BINARY and found.unpack is not None:
        data = found.unpack(said)
    elif kind in {WSMsgType.TEXT, WSMsgType.BINARY}:
        data = bytes(said)
    else:
        why = f"the server closed the connection ({kind.name.lower()} {found.socket.close_code or ''})"
        raise SourceUnavailableError(why)
    return data.replace(b"\n", b" ") if b"\n" in data else data
