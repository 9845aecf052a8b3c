"""Feeds: RSS and Atom, asked with conditional requests, each at its own pace.

A feed says what is newest again and again; what it does not say any more when we come is lost, and noted as a gap. It
cannot be searched: for an event that is added each is read once in full, and what it still holds of late is told again.
"""

import asyncio
import re
from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Annotated, ClassVar

import msgspec
from msgspec import Meta, Struct

from monitor.arrivals import Contact, Payload
from monitor.clock import Clock
from monitor.collect.about import About
from monitor.collect.http import Http, host_of, opened
from monitor.collect.http_addresses import is_public
from monitor.collect.http_settings import HttpSource
from monitor.collect.look_back import Owed
from monitor.collect.news import Document, parsed
from monitor.collect.parsed import Parsed
from monitor.collect.polled_past import Behind, Further
from monitor.collect.polling import Part, Polling, Read
from monitor.collect.rss_feed import PLATFORM, entries
from monitor.collect.terms import Events
from monitor.collect.turns import LONGEST
from monitor.errors import PostRejectedError, SourceUnavailableError
from monitor.marks import GapMark
from monitor.metrics import Metrics
from monitor.watched import Duration, Name

_UNCHANGED = 304
_ACCEPTS = "application/atom+xml, application/rss+xml, application/xml;q=0.9, */*;q=0.5"
_LARGE = 1 << 18
"""Bytes from which on a feed is parsed on a thread."""

Feed = Annotated[
    str,
    Meta(
        pattern=r"^https?://[^\s/@?#]+(/[^\s#]*)?$(?!\n)",
        max_length=1000,
        description="an address such as https://news.example.org/feed.xml, without user and password",
    ),
]


class RssSource(HttpSource, tag="rss", tag_field="kind", frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Reads RSS and Atom feeds."""

    ABOUT: ClassVar[About] = About(
        reads="entries of RSS and Atom feeds: title and summary, with the site as their author",
        access="none",
        limits="none is announced; each feed is asked with its own ETag, no more often than it says that it changes, "
        "but once for an event that is added",
        resumes="what a feed still holds when it is asked again; a feed that holds nothing any more that is "
        "known is a gap; for an event that is added what each feed still holds from within look_back, "
        "but for entries without a date",
        edits="an entry whose text changed is an update; entries that are taken back are not told",
        cannot="reactions, replies, followers; deletions",
        reposts="there are none",
    )

    name: Name
    """What the source is called in metrics, alerts and the archive."""
    feeds: Annotated[tuple[Feed, ...], Meta(min_length=1)]
    """The addresses of the feeds."""
    every: Duration = Duration(minutes=2)
    """How often each is asked; less often where it says itself how long it stays as it is."""
    look_back: Duration = Duration(days=1)
    """How old an entry may be that is told again for an event that is added while the source runs; 0s: none is."""
    private: bool = False
    """Also asks addresses of private networks, and of this machine."""


class RssCollector:
    """The collector of an RssSource; its resume point is, per feed, what it last brought and its validators."""

    stale_after: timedelta | None = None
    """An answer that does not come in time is a failure."""

    def __init__(self, settings: RssSource, clock: Clock, metrics: Metrics, events: Events) -> None:
        self.name = settings.name
        self._settings = settings
        self._clock = clock
        self._metrics = metrics
        behind = Behind(settings.name, clock, settings.look_back, 1, events)
        self._polling = Polling(settings.name, clock, settings.every, metrics, apart=True, behind=behind)

    def payloads(self, since: str | None) -> AsyncIterator[Payload | GapMark | Contact]:
        """The new and changed entries, feed by feed; a GapMark where a feed holds nothing any more that we know."""
        allows = None if self._settings.private else is_public
        return self._polling.payloads(
            since,
            lambda: self._settings.feeds,
            opened(self.name, self._settings, self._clock, self._metrics, allows=allows),
            self._ask,
            self._look,
        )

    def parse(self, bodies: Sequence[bytes], seen_at: datetime) -> Parsed:
        """The entries of these feeds."""
        return parsed(bodies, self.name, PLATFORM, seen_at, partial(entries, seen_at=seen_at))

    async def _ask(self, http: Http, feed: Part) -> AsyncIterator[Read]:
        validators = _Validators() if feed.first else _validators(feed.mark)
        answer = await http.get(feed.name, headers=_headers(validators), bucket=host_of(feed.name), follow=True)
        wait = stays_for(answer.headers)
        if answer.status == _UNCHANGED:
            yield Read(b"", (), wait=wait)
            return
        documents = await self._documents(answer.body, feed.name, self._clock.now())
        nothing_known = bool(documents) and not any(one["id"] in feed.known for one in documents)
        lost = "it holds nothing any more that was known; what came between may be lost" if nothing_known else ""
        mark = _Validators(answer.headers.get("ETag", ""), answer.headers.get("Last-Modified", ""))
        yield Read(answer.body, documents, mark=msgspec.json.encode(mark).decode(), lost=lost, wait=wait)

    async def _look(self, http: Http, owed: Owed) -> Further:
        """The whole feed; an entry that does not say when it was published counts as too old."""
        feed = owed.question
        answer = await http.get(feed, headers=_headers(_Validators()), bucket=host_of(feed), follow=True)
        return Further(answer.body, await self._documents(answer.body, feed, owed.since - timedelta(seconds=1)))

    async def _documents(self, body: bytes, feed: str, undated: datetime) -> list[Document]:
        def reading() -> list[Document]:
            return list(entries(body, feed, undated))

        try:
            return await asyncio.to_thread(reading) if len(body) > _LARGE else reading()
        except PostRejectedError as error:
            why = f"what it answers is no feed ({error})"
            raise SourceUnavailableError(why) from error


class _Validators(Struct, frozen=True, array_like=True):
    """What a feed said of its version; asked with them, it answers 304 while it has no other."""

    etag: str = ""
    modified: str = ""


def _validators(mark: str) -> _Validators:
    try:
        return msgspec.json.decode(mark, type=_Validators)
    except msgspec.MsgspecError:
        return _Validators()


def _headers(validators: _Validators) -> dict[str, str]:
    said = {"If-None-Match": validators.etag, "If-Modified-Since": validators.modified}
    return {"Accept": _ACCEPTS} | {name: value for name, value in said.items() if value}


def stays_for(headers: Mapping[str, str]) -> timedelta:
    """How long an answer says that it stays as it is (`Cache-Control: max-age`), an hour at most."""
    asked = re.search(r"(?:^|[\s,])max-age=\"?(\d{1,9})", headers.get("Cache-Control", "").lower())
    return min(timedelta(seconds=int(asked[1])), LONGEST) if asked else timedelta()
