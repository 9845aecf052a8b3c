"""Public Telegram channels, from their web preview or with Telethon: the newest messages of each, again and again.

Messages have numbers, so nothing is lost while we are away but what is deleted meanwhile; after a long time away the
pages between are fetched one by one. A message that was on a page and is not any more was deleted. For an event that is
added each channel is paged back: one walk serves all its terms, in whatever script, as no search would.
"""

from collections.abc import AsyncIterator, Sequence
from datetime import datetime, timedelta

from monitor.arrivals import Contact, Payload
from monitor.clock import Clock
from monitor.collect.claims import posted
from monitor.collect.look_back import Owed
from monitor.collect.news import Document, parsed
from monitor.collect.parsed import Parsed
from monitor.collect.polled_past import Behind, Further
from monitor.collect.polling import Part, Polling, Read
from monitor.collect.telegram_messages import read
from monitor.collect.telegram_page import PLATFORM
from monitor.collect.telegram_pages import Opens, Page, Pages
from monitor.collect.telegram_settings import TelegramSource
from monitor.collect.terms import Events
from monitor.marks import GapMark
from monitor.metrics import Metrics

_TRIED = 1000
"""Numbers behind the newest message of which it is asked whether they were brought before a restart, at most.

Those of the newest page alone are: they are so many only where most between them were deleted.
"""
_PATIENT = 20
"""A channel that rested for a time is asked again after this part of it."""


class TelegramCollector:
    """The collector of a TelegramSource; its resume point is the newest message of each channel."""

    stale_after: timedelta | None = None
    """An answer that does not come in time is a failure."""

    def __init__(self, settings: TelegramSource, clock: Clock, metrics: Metrics, opens: Opens, events: Events) -> None:
        self.name = settings.name
        self._settings = settings
        self._clock = clock
        self._opens = opens
        behind = Behind(settings.name, clock, settings.look_back, settings.pages, events)
        self._polling = Polling(settings.name, clock, settings.every, metrics, apart=True, behind=behind)

    def payloads(self, since: str | None) -> AsyncIterator[Payload | GapMark | Contact]:
        """New, edited and deleted messages, channel by channel; a GapMark where there are too many to fetch."""
        return self._polling.payloads(since, lambda: self._settings.channels, self._opens(), self._ask, self._look)

    def parse(self, bodies: Sequence[bytes], seen_at: datetime) -> Parsed:
        """The messages on these pages."""
        return parsed(bodies, self.name, PLATFORM, seen_at, read)

    async def _ask(self, pages: Pages, channel: Part) -> AsyncIterator[Read]:
        newest = await pages.page(channel.name)
        last, lost, fetched = _last(channel), "", 0
        while last and last + 1 < newest.first:
            if fetched == self._settings.pages:
                lost = f"more messages came than {fetched} pages hold"
                break
            between = await pages.page(channel.name, last)
            fetched += 1
            if between.last <= last:
                break
            last = between.last
            yield Read(between.body, between.documents, mark=str(last))
        gone = [name for name in _brought(channel, newest) if newest.lacks(name)]
        gone += [name for name in newest.gone if name in channel.known and name not in gone]
        told = [*newest.documents, *(one for one in newest.edited if one["id"] in channel.known)]
        wait = self._wait(newest.documents)
        yield Read(newest.body, told, gone, str(max(newest.last, last)), lost, wait)

    async def _look(self, pages: Pages, owed: Owed) -> Further:
        page = await pages.page(owed.question, before=(before := int(owed.token or 0)))
        now = self._clock.now()
        goes_on = page.first > 1 and (not before or page.first < before)
        reached = any(posted(one["created_at"], now) < owed.since for one in page.documents)
        return Further(page.body, page.documents, str(page.first) if goes_on and not reached else "")

    def _wait(self, documents: Sequence[Document]) -> timedelta:
        """The longer a channel has rested, the longer until it is asked again."""
        times = [datetime.fromisoformat(one["created_at"]) for one in documents if _is_time(one["created_at"])]
        rested = max(self._clock.now() - max(times), timedelta()) if times else timedelta()
        return min(self._settings.slowest, rested / _PATIENT)


def _brought(channel: Part, newest: Page) -> list[str]:
    """What was brought of the channel, before a restart too: messages have numbers, so their names can be tried."""
    names = channel.known.names()
    place = newest.documents[-1]["id"].rpartition("/")[0] if newest.documents else channel.name
    upto = max(newest.last, _last(channel))
    tried = (f"{place}/{number}" for number in range(max(newest.first, upto - _TRIED), upto + 1))
    known = set(names)
    return [*names, *(name for name in tried if name not in known and name in channel.known)]


def _last(channel: Part) -> int:
    return int(channel.mark) if channel.mark.isascii() and channel.mark.isdigit() else 0


def _is_time(text: str) -> bool:
    try:
        return datetime.fromisoformat(text).tzinfo is not None
    except ValueError:
        return False
