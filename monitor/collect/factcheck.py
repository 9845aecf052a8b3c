"""What fact-checkers say of claims about the events: Google's Fact Check Tools, and pages that carry ClaimReview.

A review is no post. It is evidence for the desk, shown beside alerts with the fact-checker's own words; it counts
nowhere and sets no status: that is for editors, and for voices that an event file names.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from datetime import datetime, timedelta
from typing import Annotated, ClassVar

import polars as pl
from msgspec import Meta

from monitor.arrivals import Contact, Payload
from monitor.clock import Clock
from monitor.collect.about import About
from monitor.collect.claim_review import Review, next_page, reviews
from monitor.collect.http import Http, host_of, opened
from monitor.collect.http_addresses import is_public
from monitor.collect.http_settings import Address, HttpSource
from monitor.collect.news import Document, unframed
from monitor.collect.parsed import Parsed
from monitor.collect.polling import Part, Polling, Read
from monitor.collect.rss import Feed
from monitor.collect.terms import Events, asked
from monitor.errors import PostRejectedError, SourceUnavailableError
from monitor.frames import POSTS
from monitor.marks import FactCheck, GapMark
from monitor.metrics import Metrics
from monitor.watched import Duration, Event, Language, Name

_AT_ONCE = 10


class FactcheckSource(
    HttpSource, tag="factcheck", tag_field="kind", frozen=True, forbid_unknown_fields=True, kw_only=True
):
    """Looks for fact checks of what the events are about; they are evidence, not posts."""

    ABOUT: ClassVar[About] = About(
        reads="reviews of claims, as evidence on cards: never posts, never a status, ratings in the fact-"
        "checker's own words",
        access="an API key for Google's Fact Check Tools; none for pages that carry ClaimReview",
        limits="the key's quota; one term of each event in half an hour, three pages of ten claims",
        resumes="reviews of the last 30 days are asked for again and again: nothing is lost but what is older",
        edits="a review whose rating or title changed comes again; one that is taken back is not told",
        cannot="what a rating means: it is not mapped to true or false; whether a review is of this very claim"
        " is for the desk",
        reposts="there are none",
    )

    name: Name
    """What the source is called in metrics and alerts."""
    token_env: str | None = None
    """Environment variable with the API key for Google's Fact Check Tools; without a key only `pages` are read."""
    token_file: str | None = None
    """File with that key, as an alternative to `token_env`."""
    pages: tuple[Feed, ...] = ()
    """Pages of fact-checkers that carry ClaimReview."""
    every: Duration = Duration(minutes=30)
    """How often each event is asked for, one of its terms after the other, and each page is read."""
    days: Annotated[int, Meta(ge=1, le=3650)] = 30
    """How old a review may be."""
    language: Language | None = None
    """The only language of reviews that are asked for; without it all are."""
    most_pages: Annotated[int, Meta(ge=1, le=100)] = 3
    """Pages of ten claims that are read of one answer."""
    private: bool = False
    """Also asks addresses of private networks, and of this machine."""
    api: Address = "https://factchecktools.googleapis.com/v1alpha1"
    """Where its interface is."""


class FactcheckCollector:
    """The collector of a FactcheckSource; its resume point is which reviews each part brought last."""

    stale_after: timedelta | None = None
    """An answer that does not come in time is a failure."""

    def __init__(
        self, settings: FactcheckSource, key: str | None, clock: Clock, metrics: Metrics, events: Events
    ) -> None:
        self.name = settings.name
        self._settings = settings
        self._key = key
        self._clock = clock
        self._metrics = metrics
        self._events = events
        self._polling = Polling(settings.name, clock, settings.every, metrics, apart=True)

    def payloads(self, since: str | None) -> AsyncIterator[Payload | GapMark | Contact]:
        """New and changed reviews, event by event and page by page."""
        hidden = [self._key] if self._key else []
        allows = None if self._settings.private else is_public
        return self._polling.payloads(
            since,
            self._parts,
            opened(self.name, self._settings, self._clock, self._metrics, hidden=hidden, allows=allows),
            self._ask,
        )

    def parse(self, bodies: Sequence[bytes], seen_at: datetime) -> Parsed:
        """No posts: the reviews in these answers, of no event yet."""
        found: list[FactCheck] = []
        rejected: list[Counter[str]] = [Counter() for _ in bodies]
        for body, refused in zip(bodies, rejected, strict=True):
            try:
                news, answer = unframed(body)
                wanted = None if news is None else {*news.fresh, *news.changed}
                told = reviews(answer) if answer or news is None else ()
                read = [one for one in told if wanted is None or one.key in wanted]
            except PostRejectedError as error:
                refused[error.reason] += 1
                continue
            found += [_mark(one, seen_at) for one in read]
        return Parsed(pl.DataFrame(schema=POSTS), pl.Series("payload", [], pl.UInt32), rejected, tuple(found))

    def _parts(self) -> list[str]:
        """Events by name, pages by address: a name has no colon."""
        asking = [event.name for event in self._events() if self._key and asked(event) is not None]
        return [*asking, *self._settings.pages]

    async def _ask(self, http: Http, part: Part) -> AsyncIterator[Read]:
        if ":" in part.name:
            answer = await http.get(part.name, bucket=host_of(part.name), follow=True)
            yield Read(answer.body, await asyncio.to_thread(_documents, answer.body))
            return
        for event in self._events():
            if event.name == part.name:
                async for read in self._searched(http, part, event):
                    yield read

    async def _searched(self, http: Http, part: Part, event: Event) -> AsyncIterator[Read]:
        terms = event.any
        turn = int(part.mark) if part.mark.isascii() and part.mark.isdigit() else 0
        token = ""
        for _ in range(self._settings.most_pages):
            params = [
                ("query", terms[turn % len(terms)]),
                ("maxAgeDays", str(self._settings.days)),
                ("pageSize", str(_AT_ONCE)),
                *((("languageCode", self._settings.language),) if self._settings.language else ()),
                *((("pageToken", token),) if token else ()),
                ("key", self._key or ""),
            ]
            address = f"{self._settings.api.rstrip('/')}/claims:search"
            answer = await http.get(address, params=params, bucket=host_of(address))
            documents = await asyncio.to_thread(_documents, answer.body)
            yield Read(answer.body, documents, mark=str(turn + 1))
            token = next_page(answer.body)
            if not token:
                return


def _documents(body: bytes) -> list[Document]:
    """Reviews as what tells news from what is known: another rating is another text."""
    try:
        return [{"id": one.key, "text": f"{one.rating} {one.title}"} for one in reviews(body)]
    except PostRejectedError as error:
        why = "what it answers is not understood"
        raise SourceUnavailableError(why) from error


def _mark(review: Review, seen_at: datetime) -> FactCheck:
    return FactCheck(at=seen_at, event="", **review._asdict())
