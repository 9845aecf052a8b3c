"""Bluesky by Jetstream: posts, reposts and deletes of the whole network as they happen, likes and replies counted.

docs/bluesky.md says what is promised. Version 2 of the stream goes on behind a sequence number, version 1 behind a
time; both give the event at the cursor once more, which is dropped here.
"""

from collections import Counter
from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Annotated, Any, ClassVar

import msgspec
from aiohttp import WSMsgType
from msgspec import Meta

from monitor.arrivals import Contact, Payload
from monitor.clock import Clock
from monitor.collect.about import About
from monitor.collect.bluesky_connect import BlueskyWire, Opened, Place, Wish, connected, place
from monitor.collect.bluesky_fold import Folding, Recent
from monitor.collect.bluesky_refresh import AT_ONCE, Again
from monitor.collect.bluesky_wire import LIKE, OUTDATED, POST, REPOST, Event, documents, event
from monitor.collect.claims import plain
from monitor.collect.http import opened
from monitor.collect.http_settings import Address, HttpSource
from monitor.collect.parsed import Parsed
from monitor.collect.refresh import Refreshes
from monitor.collect.rows import of_rows
from monitor.errors import PostRejectedError, SourceUnavailableError
from monitor.marks import GapMark
from monitor.metrics import Metrics
from monitor.watched import Duration, Name

Did = Annotated[
    str,
    Meta(
        pattern=r"^did:[a-z]+:[A-Za-z0-9._:%-]+$(?!\n)",
        max_length=256,
        description="a DID such as did:plc:z72i7hdynmk6r22z27h6tvur, no handle",
    ),
]
_LINES = 500
_BYTES = 1 << 18
_TOGETHER = timedelta(milliseconds=100)
"""A payload holds what came within this time, and at most so many lines and bytes."""
_RECENT = 50_000
"""Events that are known where a rewound cursor brings them again: those of some seconds."""
_HOLE = timedelta(minutes=1)
"""Version 1 goes on silently where it still has events: a first one so much later than asked for says so."""


class BlueskySource(HttpSource, tag="bluesky", tag_field="kind", frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Reads Bluesky's posts from a Jetstream server."""

    ABOUT: ClassVar[About] = About(
        reads="all public posts and reposts of the network, or those of chosen accounts; likes and replies as counts",
        access="none",
        limits="none is announced; a reader that falls far behind is cut off, and goes on where it was",
        resumes="goes on behind the last event, for as long as the server keeps events (36 hours); beyond is a gap",
        edits="deletes and accounts that are gone as they happen, hot posts are read again; edits hardly exist",
        cannot="likes taken back, followers; of an account that goes, posts that are neither remembered nor hot",
        reposts="by repost posts",
    )

    name: Name
    """What the source is called in metrics, alerts and the archive."""
    host: Address = "https://jetstream.us-east.bsky.network"
    """The Jetstream server."""
    wire: BlueskyWire = BlueskyWire.AUTO
    """The version spoken: `v2`, `v1`, or `auto` for version 2 where the server has it."""
    likes: bool = True
    """Counts likes: they are most of what the network says."""
    accounts: Annotated[
        tuple[Did, ...],
        Meta(max_length=200),
    ] = ()
    """Accounts (DIDs) to which it is restricted; without any, everybody's posts are read."""
    packed: bool = False
    """Asks for events packed with zstd: under half the traffic, for a little more work."""
    dictionary: str | None = None
    """The zstd dictionary of version 1, a file; version 2 hands out its own."""
    dictionary_id: Annotated[int, Meta(ge=1, le=4294967295)] = 20260811
    """The number of the zstd dictionary that is asked of version 2."""
    rewind: Duration = Duration(seconds=5)
    """How far version 1 is asked to go back behind another server's or version's last event."""
    stale: Duration = Duration(minutes=1)
    """The connection is made anew when nothing came for so long."""
    remembered: Annotated[int, Meta(ge=1000, le=10_000_000)] = 100_000
    """Posts whose likes, reposts and replies are counted; the network writes so many in an hour."""
    web: Address = "https://bsky.app"
    """Where people read posts."""
    api: Address = "https://public.api.bsky.app"
    """Where hot posts are read again, 25 in a request."""
    refresh: Annotated[int, Meta(ge=0, le=600)] = 12
    """Such requests in a minute; 0 reads no post again."""
    refresh_again: Duration = Duration(minutes=2)
    """How long a post is left alone between two reads."""


class BlueskyCollector:
    """The collector of a BlueskySource; its resume point is a Place."""

    def __init__(self, settings: BlueskySource, clock: Clock, metrics: Metrics) -> None:
        self._settings = settings
        self._clock = clock
        self._metrics = metrics
        self._folding = Folding(settings.remembered)
        self._recent = Recent(_RECENT)
        self._last: Place | None = None
        """The last event that was read."""
        self._batch = _Batch()
        """What was read and not handed on; it outlives a connection, since it is counted already."""
        self._again = Again()
        self._too_old = ""
        """What the server said of our cursor after the connection was made."""

    @property
    def name(self) -> str:
        """The source's name in the configuration."""
        return self._settings.name

    @property
    def stale_after(self) -> timedelta:
        """As it is set."""
        return self._settings.stale

    async def payloads(self, since: str | None) -> AsyncIterator[Payload | GapMark | Contact]:
        """Events as they came, with a line of our own for what they say of earlier posts."""
        behind = self._last or place(since)
        cursor = None if self._too_old else behind
        async with (
            opened(self.name, self._settings, self._clock, self._metrics) as http,
            connected(http, self._wish(), cursor) as found,
        ):
            yield Contact()
            reading = _Reading(found, behind, found.lost or self._too_old)
            self._too_old = ""
            error: SourceUnavailableError | None = None
            while error is None:
                error = await self._gather(reading)
                if (gap := reading.gap(self.name, all_of_it=not self._settings.accounts)) is not None:
                    yield gap
                batch, self._batch = self._batch, _Batch()
                if (payload := self._payload(batch)) is not None:
                    yield payload
                elif error is None:
                    yield Contact()
            raise error

    @property
    def refreshes(self) -> Refreshes:
        """As it is set."""
        return Refreshes(AT_ONCE, self._settings.refresh, self._settings.refresh_again)

    async def refresh(self, ids: Sequence[str]) -> Payload | None:
        """Fresh counts; a post that is missing at two reads in a row is gone."""
        async with opened(self.name, self._settings, self._clock, self._metrics) as http:
            fold = await self._again.read(http, self._settings.api.rstrip("/"), ids)
        for uri, likes, reposts, replies in fold.counts:
            self._folding.correct(uri, likes, reposts, replies)
        return Payload(self.name, msgspec.json.encode({"fold": fold}), None, len(ids))

    def parse(self, bodies: Sequence[bytes], seen_at: datetime) -> Parsed:
        """The posts in these events."""
        rejected: list[Counter[str]] = [Counter() for _ in bodies]
        rows: list[Mapping[str, Any]] = []
        owners: list[int] = []
        for number, body in enumerate(bodies):
            for document in documents(body, self._settings.web):
                if isinstance(document, PostRejectedError):
                    rejected[number][document.reason] += 1
                else:
                    rows.append(document)
                    owners.append(number)
        return of_rows(rows, owners, rejected, self.name, seen_at)

    def _wish(self) -> Wish:
        settings = self._settings
        return Wish(
            host=settings.host.rstrip("/"),
            wire=settings.wire,
            collections=(POST, REPOST, LIKE) if settings.likes else (POST, REPOST),
            accounts=settings.accounts,
            rewind=settings.rewind,
            largest=settings.largest_answer,
            packed=settings.packed,
            dictionary_file=settings.dictionary,
            dictionary_id=settings.dictionary_id,
        )

    def _payload(self, batch: "_Batch") -> Payload | None:
        fold = self._folding.told()
        if not batch.lines and fold is None:
            return None
        lines = batch.lines if fold is None else [*batch.lines, msgspec.json.encode({"fold": fold})]
        resume = self._last.text() if self._last is not None else None
        return Payload(self.name, b"\n".join(lines), resume, len(batch.lines) or 1)

    async def _gather(self, reading: "_Reading") -> SourceUnavailableError | None:
        """Reads until a payload is full or was begun long enough ago; answers why the connection is over, if it is."""
        batch, ends = self._batch, None
        try:
            while not batch.full:
                left = None if ends is None else ends - self._clock.monotonic()
                if left is not None and left <= 0:
                    return None
                try:
                    message = await reading.found.socket.receive(left)
                except TimeoutError:
                    return None
                ends = ends if ends is not None else self._clock.monotonic() + _TOGETHER.total_seconds()
                self._take(_line(message.type, message.data, reading.found), reading, batch)
        except SourceUnavailableError as error:
            return error
        return None

    def _take(self, line: bytes, reading: "_Reading", batch: "_Batch") -> None:
        """One line in its turn; raises SourceUnavailableError where the server ends the stream with it."""
        try:
            told = event(line)
        except PostRejectedError:
            batch.add(line)  # counted where it is parsed
            return
        if told.kind == "error":
            self._too_old = told.said if told.said.startswith("CursorTooOld") else ""
            why = f"the server ended the stream: {plain(told.said)}"
            raise SourceUnavailableError(why)
        if told.kind == "info":
            reading.lost = plain(told.said) if told.said.startswith(OUTDATED) else reading.lost
            return
        if reading.again(told) or self._recent.again(told):
            return
        self._last = Place(self._settings.host.rstrip("/"), reading.found.wire, told.at, told.seq)
        if self._folding.take(told):
            batch.add(line)


class _Batch:
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


class _Reading:
    """One connection: which events it brings again, and what was lost before it."""

    def __init__(self, found: Opened, since: Place | None, lost: str) -> None:
        self.found = found
        self.lost = lost
        """Why events between the last one and the first of this connection are lost."""
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


def _line(kind: WSMsgType, said: Any, found: Opened) -> bytes:  # noqa: ANN401 -- as the library hands it over
    """An event on one line; raises SourceUnavailableError where the connection is over."""
    if kind is WSMsgType.BINARY and found.unpack is not None:
        data = found.unpack(said)
    elif kind in {WSMsgType.TEXT, WSMsgType.BINARY}:
        data = bytes(said)
    else:
        why = f"the server closed the connection ({kind.name.lower()} {found.socket.close_code or ''})"
        raise SourceUnavailableError(why)
    return data.replace(b"\n", b" ") if b"\n" in data else data
