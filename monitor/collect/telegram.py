"""Public Telegram channels, read from their web preview: the page that t.me shows to anybody, twenty messages at once.

Messages have numbers, so nothing is lost while we are away but what is deleted meanwhile; after a long time away the
pages between are fetched one by one. A message that was on a page and is not any more was deleted.
"""

from collections.abc import AsyncIterator, Sequence
from contextlib import aclosing
from datetime import datetime, timedelta
from functools import partial
from typing import Annotated, ClassVar, NamedTuple
from urllib.parse import quote

from msgspec import Meta

from monitor.arrivals import Contact, Payload
from monitor.clock import Clock
from monitor.collect.about import About
from monitor.collect.http import Http, opened
from monitor.collect.http_rates import Budget, Limit
from monitor.collect.http_settings import Address, HttpSource
from monitor.collect.news import Document, parsed
from monitor.collect.parsed import Parsed
from monitor.collect.polling import Part, Polling, Read
from monitor.collect.telegram_page import PLATFORM, messages, number, there
from monitor.errors import PostRejectedError, SourceRefusedError, SourceUnavailableError
from monitor.marks import GapMark
from monitor.metrics import Metrics
from monitor.watched import Duration, Name

_PATIENT = 20
"""A channel that rested for a time is asked again after this part of it."""

Channel = Annotated[
    str,
    Meta(pattern=r"^[A-Za-z][A-Za-z0-9_]{3,31}$(?!\n)", description="a channel's public name, without @ and address"),
]


class TelegramSource(
    HttpSource, tag="telegram", tag_field="kind", frozen=True, forbid_unknown_fields=True, kw_only=True
):
    """Reads public Telegram channels from their web preview; needs no account."""

    ABOUT: ClassVar[About] = About(
        reads="messages of public channels, their views and reactions as rounded on the page",
        access="none; only channels that show a preview at t.me",
        limits="none is announced; 30 pages a minute, and a channel that rests is asked ever more seldom",
        resumes="messages have numbers: pages back to the last one are fetched, 50 of 20 messages; beyond them"
        " is a gap",
        edits="those of the newest twenty messages, as the page shows them: another text, or a number that is missing",
        cannot="private channels and groups, comments, who forwards; edits and deletions of what left the "
        "newest page; the page may change any day (monitor_source_drift)",
        reposts="by forwards, which are posts of the channel that forwards",
    )

    name: Name
    """What the source is called in metrics, alerts and the archive."""
    channels: Annotated[tuple[Channel, ...], Meta(min_length=1)]
    """The channels' public names."""
    every: Duration = Duration(seconds=45)
    """How often a channel that posts is asked,"""
    slowest: Duration = Duration(minutes=5)
    """… and how often one that rests."""
    per_minute: Annotated[int, Meta(ge=1, le=600)] = 30
    """Pages in a minute, of all channels together: Telegram names no limit."""
    pages: Annotated[int, Meta(ge=1, le=1000)] = 50
    """Pages of a channel that are fetched to make up for time away; beyond them there is a gap."""
    site: Address = "https://t.me"
    """Where the web preview is."""


class TelegramCollector:
    """The collector of a TelegramSource; its resume point is the newest message of each channel."""

    def __init__(self, settings: TelegramSource, clock: Clock, metrics: Metrics) -> None:
        self._settings = settings
        self._clock = clock
        self._metrics = metrics
        show = metrics.source_failing.labels(settings.name).set
        self._polling = Polling(settings.name, clock, settings.every, show, apart=True)
        self._budget = Budget(Limit(settings.per_minute, timedelta(minutes=1)), clock)

    @property
    def name(self) -> str:
        """The source's name in the configuration."""
        return self._settings.name

    @property
    def stale_after(self) -> timedelta | None:
        """A page that does not come in time fails by itself."""
        return None

    async def payloads(self, since: str | None) -> AsyncIterator[Payload | GapMark | Contact]:
        """New, edited and deleted messages, channel by channel; a GapMark where there are too many to fetch."""
        async with opened(self.name, self._settings, self._clock, self._metrics) as http:
            arrivals = self._polling.arrivals(since, lambda: self._settings.channels, partial(self._ask, http))
            async with aclosing(arrivals):  # type: ignore[type-var]
                async for arrival in arrivals:
                    yield arrival

    def parse(self, bodies: Sequence[bytes], seen_at: datetime) -> Parsed:
        """The messages on these pages."""
        return parsed(bodies, self.name, PLATFORM, seen_at, messages)

    async def _ask(self, http: Http, channel: Part) -> AsyncIterator[Read]:
        newest = await self._page(http, channel.name)
        last, lost, pages = _last(channel), "", 0
        while last and last + 1 < newest.first:
            if pages == self._settings.pages:
                lost = f"more messages came than {pages} pages hold"
                break
            between = await self._page(http, channel.name, ("after", str(last)))
            pages += 1
            if between.last <= last:
                break
            last = between.last
            yield Read(between.body, between.documents, mark=str(last))
        gone = [name for name in channel.known.names() if newest.lacks(name)]
        wait = self._wait(newest.documents)
        yield Read(newest.body, newest.documents, gone, str(max(newest.last, last)), lost, wait)

    async def _page(self, http: Http, channel: str, *params: tuple[str, str]) -> "_Page":
        address = f"{self._settings.site.rstrip('/')}/s/{quote(channel)}"
        answer = await http.get(address, params=params, budgets=(self._budget,), also=(301, 302, 303, 307, 308))
        if answer.status // 100 == 3:  # noqa: PLR2004 -- HTTP's
            why = "has no public web preview, or does not exist"
            raise SourceRefusedError(why)
        understood = _understood(answer.body, channel)
        held = there(answer.body)
        page = b"tgme_" in answer.body
        drift = (held - len(understood)) / held if held else 0 if page else 1
        self._metrics.source_drift.labels(self.name).set(drift)
        if not understood and (held or not page):
            why = "the page is not understood: the web preview has changed, or something else answers"
            raise SourceUnavailableError(why)
        return _Page(answer.body, understood, whole=held == len(understood))

    def _wait(self, documents: Sequence[Document]) -> timedelta:
        """The longer a channel has rested, the longer until it is asked again."""
        times = [datetime.fromisoformat(one["created_at"]) for one in documents if _is_time(one["created_at"])]
        rested = max(self._clock.now() - max(times), timedelta()) if times else timedelta()
        return min(self._settings.slowest, rested / _PATIENT)


class _Page(NamedTuple):
    """A page that was understood."""

    body: bytes
    documents: Sequence[Document]
    whole: bool
    """Every message on it was read."""

    @property
    def first(self) -> int:
        """The number of its oldest message, 0 where it has none."""
        return min((number(one["id"]) for one in self.documents), default=0)

    @property
    def last(self) -> int:
        """The number of its newest message, 0 where it has none."""
        return max((number(one["id"]) for one in self.documents), default=0)

    def lacks(self, name: str) -> bool:
        """Whether this message would be on it, as the newest page of its channel, were it not deleted."""
        return self.whole and 0 < self.first <= number(name) and all(one["id"] != name for one in self.documents)


def _understood(body: bytes, channel: str) -> list[Document]:
    """The messages that could be read whole."""
    try:
        found = [one for one in messages(body, channel) if isinstance(one, dict)]
    except PostRejectedError:
        return []
    return [one for one in found if one["id"] and one.get("created_at")]


def _last(channel: Part) -> int:
    return int(channel.mark) if channel.mark.isascii() and channel.mark.isdigit() else 0


def _is_time(text: str) -> bool:
    try:
        return datetime.fromisoformat(text).tzinfo is not None
    except ValueError:
        return False
