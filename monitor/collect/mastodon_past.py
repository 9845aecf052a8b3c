"""What was said before an event was added: the timelines that are followed, read again, then the server's search.

What was in a timeline came by the stream already, but was of no event then. The search wants the right read:search and
a server that has a full-text search; it shows posts of authors who agreed to be found, in an order of its own.
"""

from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence

import msgspec
from msgspec import Raw, Struct

from monitor.clock import Clock
from monitor.collect.claims import posted
from monitor.collect.http import Http
from monitor.collect.http_rates import Budget
from monitor.collect.look_back import LookBack, Owed, Past
from monitor.collect.mastodon_known import begun_at, newer
from monitor.collect.mastodon_settings import MastodonSource
from monitor.collect.mastodon_wire import Found, found_in
from monitor.collect.terms import asked, quoted
from monitor.errors import PostRejectedError, SourceRefusedError, SourceUnavailableError
from monitor.watched import Event

PAGE = 40
_SEARCH = "search "

ReadPage = Callable[[Http, str, list[tuple[str, str]]], Awaitable[list[Found]]]
"""One page of a timeline, the oldest post first."""


class _Answer(Struct):
    statuses: list[Raw]


class Earlier:
    """Looks back for one server, a page at a time, within its budgets."""

    def __init__(
        self,
        settings: MastodonSource,
        clock: Clock,
        headers: Mapping[str, str],
        page: ReadPage,
        *,
        whole: Budget,
        paged: Budget,
    ) -> None:
        self._instance = settings.instance.rstrip("/")
        self._clock = clock
        self._headers = headers
        self._page = page
        self._whole = whole
        self._paged = paged
        self._pages = settings.look_back_pages
        self._back = LookBack(settings.name, clock, settings.look_back, settings.look_back_pages)

    @property
    def past(self) -> Past:
        """For the resume point."""
        return self._back.past

    def take_up(self, past: Past | None, events: Sequence[Event]) -> None:
        """Goes on from a resume point; at the very first start (no events are known in it) all events are new."""
        self._back.take_up(past, events)

    def notice(self, events: Sequence[Event], timelines: Sequence[str]) -> None:
        """These are watched now, by these timelines."""
        self._back.notice(events, lambda event: _questions(event, timelines) if self._pages else ())

    @property
    def due(self) -> Owed | None:
        """What can be asked now, within the budgets."""
        owed = self._back.due()
        if owed is None or self._whole.wait():
            return None
        return owed if owed.question.startswith(_SEARCH) or not self._paged.wait() else None

    async def turn(self, http: Http, seen: Mapping[str, str]) -> list[Found]:
        """One page of what is due; `seen`: timeline → the newest id of it."""
        owed = self.due
        if owed is None:
            return []
        searches = owed.question.startswith(_SEARCH)
        try:
            found, token = await (self._searched(http, owed) if searches else self._read(http, owed, seen))
        except (SourceUnavailableError, SourceRefusedError) as error:
            self._back.failed(error, _SEARCH if searches else "")
            return []
        self._back.came(token)
        return found

    async def _read(self, http: Http, owed: Owed, seen: Mapping[str, str]) -> tuple[list[Found], str]:
        """The next page of a timeline, up to when the event was added."""
        like = seen.get(owed.question, "0")
        last = begun_at(like, owed.until)
        page = await self._page(http, owed.question, [("limit", str(PAGE)), ("min_id", _begin(owed, like))])
        found = [one for one in page if newer(one.status.id, last) == last]
        return found, page[-1].status.id if page and len(found) == len(page) else ""

    async def _searched(self, http: Http, owed: Owed) -> tuple[list[Found], str]:
        """The next page of a search, without what is older than the time that is looked back."""
        at = int(owed.token or 0)
        params = [("q", owed.question.removeprefix(_SEARCH)), ("type", "statuses"), ("limit", str(PAGE))]
        params.append(("offset", str(at)))
        address = f"{self._instance}/api/v2/search"
        answer = await http.get(address, params=params, headers=self._headers, budgets=(self._whole,), bucket="search")
        try:
            statuses = msgspec.json.decode(answer.body, type=_Answer).statuses
            page = found_in(msgspec.json.encode(statuses))
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError, PostRejectedError) as error:
            why = f"{http.place(answer.url)}: an answer that is not understood"
            raise SourceUnavailableError(why) from error
        now = self._clock.now()
        recent = [one for one in page if owed.since <= posted(one.status.created_at, now) <= owed.until]
        return recent, str(at + len(statuses)) if recent and len(statuses) == PAGE else ""


def _begin(owed: Owed, like: str) -> str:
    return owed.token or begun_at(like, owed.since)


def _questions(event: Event, timelines: Sequence[str]) -> Iterator[str]:
    """The timelines that are followed, and the event's terms."""
    wanted = asked(event)
    if wanted is None:
        return
    yield from timelines
    rest = [*map(quoted, wanted.all), *(f"-{quoted(term)}" for term in wanted.none)]
    yield from (_SEARCH + " ".join([quoted(term), *rest]) for term in wanted.any)
