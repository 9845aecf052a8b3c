"""GDELT: the world's news sites through its free search, every quarter of an hour. Best effort.

GDELT promises nothing and refuses at random: behind a breaker, each failure makes the pause longer, up to hours, and a
single answer ends it.
"""

from collections.abc import AsyncIterator, Sequence
from contextlib import aclosing
from datetime import datetime, timedelta
from functools import partial
from typing import Annotated, ClassVar

from msgspec import Meta

from monitor.arrivals import Contact, Payload
from monitor.clock import Clock
from monitor.collect.about import About
from monitor.collect.gdelt_articles import PLATFORM, articles
from monitor.collect.http import Http, opened
from monitor.collect.http_rates import Budget, Limit
from monitor.collect.http_settings import Address, HttpSource
from monitor.collect.news import parsed
from monitor.collect.parsed import Parsed
from monitor.collect.polling import Part, Polling, Read
from monitor.collect.terms import Asked, Events, asked, questions, quoted
from monitor.errors import SourceRefusedError, SourceUnavailableError
from monitor.marks import GapMark
from monitor.metrics import Metrics
from monitor.watched import Duration, Event, Name

_MOST = 250
"""Articles in one answer."""
_LONGEST = 1_000
_OVERLAP = timedelta(hours=1)
"""How much of what was asked for is asked for again: articles appear late."""
_FURTHEST = timedelta(days=90)
_PAUSE = timedelta(minutes=15)
_LONGEST_PAUSE = timedelta(hours=4)
_TOO_FAST = "limit requests"
"""What it says, often with status 200, where it is not the question that it does not like."""


class GdeltSource(HttpSource, tag="gdelt", tag_field="kind", frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Searches news articles with GDELT 2.0, best effort; needs no account."""

    ABOUT: ClassVar[About] = About(
        reads="titles and addresses of news articles in many languages",
        access="none",
        limits="a request in five seconds, and often less: after failures the pause grows from 15 minutes to "
        "four hours",
        resumes="what was published since the last answer, 250 articles an event; beyond is a gap",
        edits="none",
        cannot="the text of articles, when they were published (only when GDELT saw them), reactions",
        reposts="there are none",
    )

    name: Name
    """What the source is called in metrics, alerts and the archive."""
    every: Duration = Duration(minutes=15)
    """How often each event is asked for; GDELT has something new every 15 minutes."""
    spacing: Duration = Duration(seconds=6)
    """The least time between two requests; GDELT takes one in five seconds."""
    look_back: Duration = Duration(days=1)
    """How far the first question about an event looks back."""
    more: Annotated[str, Meta(max_length=200)] = ""
    """Operators that are added to every question, as in `sourcelang:english`."""
    api: Address = "https://api.gdeltproject.org/api/v2/doc/doc"
    """Where its interface is."""


class GdeltCollector:
    """The collector of a GdeltSource; its resume point is when each event was last asked for."""

    stale_after: timedelta | None = None
    """An answer that does not come in time is a failure."""

    def __init__(self, settings: GdeltSource, clock: Clock, metrics: Metrics, events: Events) -> None:
        self.name = settings.name
        self._settings = settings
        self._clock = clock
        self._metrics = metrics
        self._events = events
        self._polling = Polling(settings.name, clock, settings.every, metrics)
        self._budget = Budget(Limit(1, settings.spacing), clock)
        self._failures = 0

    async def payloads(self, since: str | None) -> AsyncIterator[Payload | GapMark | Contact]:
        """New articles, event by event; a GapMark where there are more than an answer holds."""
        async with opened(self.name, self._settings, self._clock, self._metrics) as http:
            arrivals = self._polling.arrivals(since, self._parts, partial(self._ask, http))
            try:
                async with aclosing(arrivals):  # type: ignore[type-var]
                    async for arrival in arrivals:
                        self._failures = 0
                        yield arrival
            except SourceUnavailableError as error:
                self._failures += 1
                pause = min(_LONGEST_PAUSE, _PAUSE * (1 << min(self._failures - 1, 8)))
                raise SourceUnavailableError(str(error), max(pause.total_seconds(), error.retry_after or 0)) from error

    def parse(self, bodies: Sequence[bytes], seen_at: datetime) -> Parsed:
        """The articles in these answers."""
        return parsed(bodies, self.name, PLATFORM, seen_at, articles)

    def _parts(self) -> list[str]:
        return [event.name for event in self._events() if asked(event) is not None]

    async def _ask(self, http: Http, part: Part) -> AsyncIterator[Read]:
        now = self._clock.now()
        begin = max(part.read_at or now - self._settings.look_back, now - _FURTHEST) - _OVERLAP
        for event in self._events():
            for query in _queries(event, self._settings.more) if event.name == part.name else ():
                params = [
                    ("query", query),
                    ("mode", "artlist"),
                    ("format", "json"),
                    ("sort", "datedesc"),
                    ("maxrecords", str(_MOST)),
                    ("startdatetime", f"{begin:%Y%m%d%H%M%S}"),
                    ("enddatetime", f"{now:%Y%m%d%H%M%S}"),
                ]
                body = await self._got(http, params)
                found = list(articles(body))
                lost = f"more than {_MOST} articles came" if len(found) >= _MOST else ""
                yield Read(body, found, lost=lost)

    async def _got(self, http: Http, params: Sequence[tuple[str, str]]) -> bytes:
        """An answer; where there is none, no event is asked for until the pause is over, unless it is the question."""
        try:
            answer = await http.get(self._settings.api, params=params, budgets=(self._budget,))
        except SourceRefusedError as error:
            raise SourceUnavailableError(str(error), whole=not error.question) from error
        except SourceUnavailableError as error:
            raise SourceUnavailableError(str(error), error.retry_after, whole=True) from error
        if not answer.body.lstrip().startswith(b"{"):
            said = http.shown(answer.body)
            why = f"GDELT says: {said}"
            raise SourceUnavailableError(why, whole=_TOO_FAST in said.lower())
        return answer.body


def _queries(event: Event, more: str) -> list[str]:
    wanted = asked(event)
    rest = f" {more}" if more else ""
    return [] if wanted is None else [one + rest for one in questions(wanted, written, _LONGEST - len(rest))]


def written(wanted: Asked) -> str:
    """An event's terms as GDELT writes them."""
    one_of = " OR ".join(map(quoted, wanted.any))
    parts = [f"({one_of})" if len(wanted.any) > 1 else one_of]
    return " ".join([*parts, *map(quoted, wanted.all), *(f"-{quoted(term)}" for term in wanted.none)])
