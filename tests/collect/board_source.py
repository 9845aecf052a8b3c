"""A notice board that is searched for the events: docs/adding-a-source.md is measured by it. It is not shipped."""

from collections.abc import AsyncIterator, Iterator, Sequence
from datetime import datetime, timedelta
from typing import ClassVar

import msgspec

from monitor.clock import Clock
from monitor.collect.about import About
from monitor.collect.http import Http, opened
from monitor.collect.http_settings import Address, HttpSource
from monitor.collect.news import Found, parsed
from monitor.collect.parsed import Parsed
from monitor.collect.polling import Arrival, Part, Polling, Read
from monitor.collect.terms import Events, asked
from monitor.errors import PostRejectedError, SourceUnavailableError
from monitor.metrics import Metrics
from monitor.watched import Duration, Name

PLATFORM = "board"


class BoardSource(HttpSource, tag="board", tag_field="kind", frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Searches a notice board for the events."""

    ABOUT: ClassVar[About] = About(
        reads="notices in which a term of an event occurs",
        access="none",
        limits="none is announced; each event is asked for as often as is set",
        resumes="the last fifty notices of each event; where none of them is known, there is a gap",
        edits="a notice whose text changed is an update; one that is taken down is not told",
        cannot="reactions, followers; deletions",
        reposts="there are none",
    )

    name: Name
    """What the source is called in metrics, alerts and the archive."""
    api: Address
    """Where the board's interface is."""
    every: Duration = Duration(minutes=2)
    """How often each event is asked for."""


class BoardCollector:
    """The collector of a BoardSource; its resume point is which notices each event brought last."""

    stale_after: timedelta | None = None
    """An answer that does not come in time is a failure."""

    def __init__(self, settings: BoardSource, clock: Clock, metrics: Metrics, events: Events) -> None:
        self.name, self._settings, self._events = settings.name, settings, events
        self._clock, self._metrics = clock, metrics
        self._polling = Polling(settings.name, clock, settings.every, metrics)

    def payloads(self, since: str | None) -> AsyncIterator[Arrival]:
        """New and changed notices, event by event."""
        means = opened(self.name, self._settings, self._clock, self._metrics)
        return self._polling.payloads(since, lambda: [it.name for it in self._events() if asked(it)], means, self._ask)

    def parse(self, bodies: Sequence[bytes], seen_at: datetime) -> Parsed:
        """The notices in these answers."""
        return parsed(bodies, self.name, PLATFORM, seen_at, notices)

    async def _ask(self, http: Http, part: Part) -> AsyncIterator[Read]:
        params = [("any", term) for event in self._events() if event.name == part.name for term in event.any]
        answer = await http.get(self._settings.api, params=params)
        try:
            found = list(notices(answer.body))
        except PostRejectedError as error:
            raise SourceUnavailableError(str(error)) from error
        known = not found or any(one["id"] in part.known for one in found if isinstance(one, dict))
        yield Read(answer.body, found, lost="" if known else "no notice of before is there any more")


class _Notice(msgspec.Struct):
    key: str
    said: str
    at: str
    by: str | None = None


def notices(body: bytes, of: str = "") -> Iterator[Found]:  # noqa: ARG001 -- a Reads
    """The notices of an answer."""
    try:
        for one in msgspec.json.decode(body, type=list[_Notice]):
            yield {"id": one.key, "platform": PLATFORM, "text": one.said, "created_at": one.at, "author": one.by}
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        reason = "wrong_type"
        raise PostRejectedError(reason, str(error)) from error
