"""What was said before an event was added, by Bluesky's search: each of its terms, newest first.

The search wants an account. It knows no "or", so that a term is a question of its own; what else has to occur, or must
not, goes with each.
"""

import asyncio
import logging
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

import msgspec
from msgspec import Raw, Struct

from monitor.clock import Clock
from monitor.collect.bluesky_fold import Folding
from monitor.collect.bluesky_session import Session
from monitor.collect.bluesky_settings import BlueskySource
from monitor.collect.bluesky_wire import View
from monitor.collect.http import Http
from monitor.collect.http_rates import Budget, Limit
from monitor.collect.look_back import LookBack, Owed, Past
from monitor.collect.terms import Asked, asked, quoted
from monitor.errors import SourceRefusedError, SourceUnavailableError
from monitor.watched import Event

_PATH = "/xrpc/app.bsky.feed.searchPosts"
_AT_ONCE = 100
_PATIENCE = timedelta(seconds=10)
"""The stream waits while it is searched; it must not wait long."""

log = logging.getLogger(__name__)


class _Answer(Struct):
    posts: list[Raw]
    cursor: str = ""


class Told(NamedTuple):
    """What a page brought."""

    line: bytes
    posts: int


class Search:
    """Looks back for one source, a page at a time, within its budget."""

    def __init__(self, settings: BlueskySource, password: str | None, clock: Clock, folding: Folding) -> None:
        self._settings = settings
        self._folding = folding
        self._back = LookBack(settings.name, clock, settings.look_back, settings.search_pages)
        self._budget = Budget(Limit(settings.searches, timedelta(minutes=5)), clock)
        self._session: Session | None = None
        if settings.login is not None and password:
            self._session = Session(settings.service, settings.login, password, clock)
        self._watched: tuple[Event, ...] = ()

    @property
    def past(self) -> Past:
        """For the resume point."""
        return self._back.past

    def take_up(self, past: Past | None, events: Sequence[Event]) -> None:
        """Goes on from a resume point; at the very first start (no events are known in it) all events are new."""
        self._back.take_up(past, events)

    @property
    def due(self) -> bool:
        """Whether a page can be asked for now."""
        return self._back.due() is not None and not self._budget.wait()

    async def turn(self, http: Http, events: Sequence[Event]) -> Told | None:
        """One page of what is owed, as a line of a payload; None where nothing is, or it brings nothing."""
        if (watched := tuple(events)) != self._watched:
            self._watched = watched
            self._notice(watched)
        owed = self._back.due()
        if owed is None or self._session is None or self._budget.wait():
            return None
        try:
            async with asyncio.timeout(_PATIENCE.total_seconds()):
                found = await self._page(http, self._session, owed)
        except TimeoutError:
            self._back.failed(SourceUnavailableError("the search did not answer in time"))
            return None
        except (SourceUnavailableError, SourceRefusedError) as error:
            self._back.failed(error)
            return None
        self._back.came(found.cursor if found.posts else "")
        return self._told(found.posts)

    def _notice(self, events: Sequence[Event]) -> None:
        new = [event.name for event in events if event.name not in self._back.past.events]
        self._back.notice(events, questions_of if self._session is not None else lambda _: ())
        if new and self._session is None:
            said = "source %s: does not look back for %s: Bluesky's search wants an account (login, password_env)"
            log.warning(said, self._settings.name, ", ".join(new), extra={"source": self._settings.name})

    async def _page(self, http: Http, session: Session, owed: Owed) -> _Answer:
        params = [("q", owed.question), ("sort", "latest"), ("limit", str(_AT_ONCE))]
        params += [("since", _time(owed.since)), ("until", _time(owed.until))]
        if owed.token:
            params.append(("cursor", owed.token))
        answer = await session.get(http, _PATH, params, budgets=(self._budget,), bucket="search")
        try:
            return msgspec.json.decode(answer.body, type=_Answer)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
            why = f"{http.place(answer.url)}: an answer that is not understood"
            raise SourceUnavailableError(why) from error

    def _told(self, posts: Sequence[Raw]) -> Told | None:
        """The posts of an answer, of the accounts to which it is restricted; counting goes on from what it says."""
        kept: list[Raw] = []
        for raw in posts:
            try:
                view = msgspec.json.decode(raw, type=View)
            except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
                kept.append(raw)  # counted where it is parsed
                continue
            if not self._settings.accounts or view.author.did in self._settings.accounts:
                self._folding.found(view)
                kept.append(raw)
        return Told(msgspec.json.encode({"posts": kept}).replace(b"\n", b" "), len(kept)) if kept else None


def questions_of(event: Event) -> Iterator[str]:
    """An event's terms, each as Bluesky's search is asked for it."""
    wanted = asked(event)
    for term in wanted.any if wanted is not None else ():
        yield written(wanted._replace(any=(term,))) if wanted is not None else ""


def written(wanted: Asked) -> str:
    """One term, what has to occur with it, and what must not."""
    parts = [*map(quoted, wanted.any), *map(quoted, wanted.all), *(f"-{quoted(term)}" for term in wanted.none)]
    return " ".join(parts)


def _time(at: datetime) -> str:
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")
