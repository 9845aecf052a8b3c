"""Bluesky by Jetstream: posts, reposts and deletes of the whole network as they happen, likes and replies counted.

docs/bluesky.md says what is promised. Version 2 of the stream goes on behind a sequence number, version 1 behind a
time; both give the event at the cursor once more, which is dropped here.
"""

from collections import Counter
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from datetime import datetime, timedelta
from typing import Any

import msgspec

from monitor.arrivals import Contact, Payload
from monitor.clock import Clock
from monitor.collect.bluesky_connect import Place, Wish, connected, place
from monitor.collect.bluesky_fold import Folding, Recent
from monitor.collect.bluesky_posts import documents
from monitor.collect.bluesky_reading import TOGETHER, Batch, Reading, line_of
from monitor.collect.bluesky_refresh import AT_ONCE, Again
from monitor.collect.bluesky_search import Search
from monitor.collect.bluesky_settings import BlueskySource
from monitor.collect.bluesky_wire import LIKE, OUTDATED, POST, REPOST, event
from monitor.collect.claims import plain
from monitor.collect.http import Http, Spent, opened
from monitor.collect.http_rates import Budget, Limit, ratelimit_rate
from monitor.collect.look_back import Past
from monitor.collect.parsed import Gone, Parsed
from monitor.collect.refresh import Refreshes
from monitor.collect.rows import of_rows
from monitor.collect.terms import Events
from monitor.errors import PostRejectedError, SourceRefusedError, SourceUnavailableError
from monitor.marks import GapMark
from monitor.metrics import Metrics

_RECENT = 50_000
"""Events that are known where a rewound cursor brings them again: those of some seconds."""


class BlueskyCollector:
    """The collector of a BlueskySource; its resume point is a Place."""

    def __init__(
        self,
        settings: BlueskySource,
        clock: Clock,
        metrics: Metrics,
        *,
        password: str | None = None,
        events: Events = tuple,
    ) -> None:
        self._settings = settings
        self._password = password
        self._events = events
        self._clock = clock
        self._metrics = metrics
        self._folding = Folding(settings.remembered)
        self._search = Search(settings, password, clock, self._folding)
        self._recent = Recent(_RECENT)
        self._last: Place | None = None
        """The last event that was read."""
        self._batch = Batch()
        """What was read and not handed on; it outlives a connection, since it is counted already."""
        self._again = Again(Budget(Limit(max(1, settings.refresh), timedelta(minutes=1)), clock))
        self._spent: Spent = {}
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
        self._search.take_up(Past() if behind is None else behind.past, self._events())
        async with (
            self._opened() as http,
            connected(http, self._wish(), cursor) as found,
        ):
            yield Contact()
            reading = Reading(found, behind, found.lost or self._too_old)
            self._too_old = ""
            error: SourceUnavailableError | None = None
            while error is None:
                if (told := await self._search.turn(http, self._events())) is not None:
                    resume = None if self._batch.lines else self._resume(self._last or behind)
                    yield Payload(self.name, told.line, resume, told.posts)
                error = await self._gather(reading, waits=not self._search.due)
                if (gap := reading.gap(self.name, all_of_it=not self._settings.accounts)) is not None:
                    yield gap
                batch, self._batch = self._batch, Batch()
                if (payload := self._payload(batch)) is not None:
                    yield payload
                elif error is None and reading.heard:
                    yield Contact()
            raise error

    @property
    def refreshes(self) -> Refreshes:
        """As it is set; posts of accounts whose history was mended wait for it too."""
        settings = self._settings
        return Refreshes(AT_ONCE, settings.refresh, settings.refresh_again, self._folding.doubted)

    async def refresh(self, ids: Sequence[str]) -> Payload | None:
        """Fresh counts; a post that is missing at two reads in a row is gone."""
        doubted = self._folding.doubts(AT_ONCE - len(ids))
        uris = list(dict.fromkeys([*ids, *doubted]))
        try:
            async with self._opened() as http:
                fold, missing = await self._again.read(http, self._settings.api.rstrip("/"), uris)
        except (SourceUnavailableError, SourceRefusedError) as error:
            if isinstance(error, SourceUnavailableError) or not error.question:
                self._folding.doubt(doubted)
            raise
        for uri, likes, reposts, replies in fold.counts:
            self._folding.correct(uri, likes, reposts, replies)
        self._folding.forget(fold.gone)
        self._folding.doubt([uri for uri in doubted if uri in missing])
        return Payload(self.name, msgspec.json.encode({"fold": fold}), None, len(uris))

    def parse(self, bodies: Sequence[bytes], seen_at: datetime) -> Parsed:
        """The posts in these events, and the accounts that are gone."""
        rejected: list[Counter[str]] = [Counter() for _ in bodies]
        rows: list[Mapping[str, Any]] = []
        owners: list[int] = []
        gone: list[Gone] = []
        for number, body in enumerate(bodies):
            for document in documents(body, self._settings.web):
                if isinstance(document, PostRejectedError):
                    rejected[number][document.reason] += 1
                elif isinstance(document, Gone):
                    gone.append(document)
                else:
                    rows.append(document)
                    owners.append(number)
        return of_rows(rows, owners, rejected, self.name, seen_at)._replace(gone=gone)

    def _opened(self) -> AbstractAsyncContextManager[Http]:
        hidden = [self._password] if self._password else []
        means = (self.name, self._settings, self._clock, self._metrics)
        return opened(*means, rate=ratelimit_rate, hidden=hidden, spent=self._spent)

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

    def _payload(self, batch: "Batch") -> Payload | None:
        fold = self._folding.told()
        if not batch.lines and fold is None:
            return None
        lines = batch.lines if fold is None else [*batch.lines, msgspec.json.encode({"fold": fold})]
        return Payload(self.name, b"\n".join(lines), self._resume(self._last), len(batch.lines) or 1)

    def _resume(self, last: Place | None) -> str | None:
        return None if last is None else msgspec.structs.replace(last, past=self._search.past).text()

    async def _gather(self, reading: Reading, *, waits: bool) -> SourceUnavailableError | None:
        """Reads until a payload is full or was begun long enough ago; answers why the connection is over, if it is.

        `waits`: a payload begins with its first event, however long that takes.
        """
        batch, reading.heard = self._batch, False
        ends = None if waits else self._clock.monotonic() + TOGETHER.total_seconds()
        try:
            while not batch.full:
                left = None if ends is None else ends - self._clock.monotonic()
                if left is not None and left <= 0:
                    return None
                try:
                    message = await reading.found.socket.receive(left)
                except TimeoutError:
                    return None
                reading.heard = True
                ends = ends if ends is not None else self._clock.monotonic() + TOGETHER.total_seconds()
                self._take(line_of(message.type, message.data, reading.found), reading, batch)
        except SourceUnavailableError as error:
            return error
        return None

    def _take(self, line: bytes, reading: "Reading", batch: "Batch") -> None:
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
