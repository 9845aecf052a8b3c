"""Reddit: its search for posts about the events, and the newest posts and comments of communities that are named.

Needs an app that Reddit has approved. What is known is looked at again, so that deletions reach us: Reddit's terms ask
that what its author deleted is deleted everywhere.
"""

from base64 import b64encode
from collections.abc import AsyncIterator, Container, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from datetime import datetime, timedelta
from typing import Annotated, ClassVar

import msgspec
from msgspec import Meta, Struct

from monitor.arrivals import Contact, Payload
from monitor.clock import Clock
from monitor.collect.about import About
from monitor.collect.http import Answer, Http, Spent, opened
from monitor.collect.http_rates import Budget, Limit, seconds_rate
from monitor.collect.http_settings import Address, HttpSource
from monitor.collect.news import Document, Found, Known, digest, framed, looked_again, parsed
from monitor.collect.parsed import Parsed
from monitor.collect.polling import Part, Polling, Read
from monitor.collect.reddit_listing import PLATFORM, after, things
from monitor.collect.refresh import Refreshes
from monitor.collect.terms import Asked, Events, asked, questions, quoted
from monitor.errors import PostRejectedError, SourceRefusedError, SourceUnavailableError
from monitor.marks import GapMark
from monitor.metrics import Metrics
from monitor.watched import Duration, Name

_AT_ONCE = 100
_SEARCH, _COMMUNITY = "/search", "/r/"
_PAGES = 10
"""Reddit gives no more than the newest thousand."""
_LONGEST = 512
_ALMOST_A_DAY = timedelta(hours=20)
_EARLY = timedelta(minutes=5)
"""A token is renewed so long before it ends."""
_UNKNOWN_TOKEN = 401
_SHUT = 403
"""A community that is private, or quarantined; anywhere else it is we who are refused."""

Community = Annotated[str, Meta(pattern=r"^[A-Za-z0-9_]{2,30}$(?!\n)", description="a community's name, without r/")]


class RedditSource(HttpSource, tag="reddit", tag_field="kind", frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Searches Reddit for the events, and reads the newest posts and comments of communities."""

    ABOUT: ClassVar[About] = About(
        reads="posts that the search finds, and all new posts and comments of communities that are named",
        access="an app that Reddit has approved: its id and secret",
        limits="a hundred requests a minute; 90 are used, and what Reddit's headers say is kept to",
        resumes="back to what is known, a thousand deep; beyond is a gap",
        edits="the last hundred of each event and community are looked at again every ten minutes; what was "
        "deleted or removed, or is of a deleted account, is deleted here",
        cannot="comments outside the communities that are named; deletions of what is neither hot nor among the last "
        "hundred, and of what is not hot while it was away; scores are blurred by Reddit",
        reposts="crossposts are posts that quote; num_crossposts is shown and not counted",
    )

    name: Name
    """What the source is called in metrics, alerts and the archive."""
    client_id: Annotated[str, Meta(pattern=r"^[!-~]{1,100}$(?!\n)", description="the app's id, as Reddit shows it")]
    """The id of an app that Reddit has approved."""
    secret_env: str | None = None
    """Environment variable with the app's secret."""
    secret_file: str | None = None
    """File with that secret, as an alternative to `secret_env`."""
    communities: tuple[Community, ...] = ()
    """Communities whose newest posts and comments are all looked at, without r/."""
    every: Duration = Duration(minutes=1)
    """How often each event and each community is asked for."""
    recheck: Duration = Duration(minutes=10)
    """How often the last hundred posts of each are looked at again, for counts, edits and deletions."""
    per_minute: Annotated[int, Meta(ge=1, le=1000)] = 90
    """Requests in a minute; Reddit takes a hundred."""
    refresh: Annotated[int, Meta(ge=0, le=60)] = 2
    """Requests in a minute by which hot posts are read again, 100 in each; 0 reads none again."""
    refresh_again: Duration = Duration(minutes=10)
    """How long a post is left alone between two reads."""
    api: Address = "https://oauth.reddit.com"
    """Where its interface is,"""
    accounts: Address = "https://www.reddit.com"
    """… and where it gives tokens."""


_Page = tuple[bytes, list[Found]]


class _Token(Struct):
    access_token: str
    expires_in: float = 3600.0


class RedditCollector:
    """The collector of a RedditSource; its resume point is what each part brought last."""

    stale_after: timedelta | None = None
    """An answer that does not come in time is a failure."""

    def __init__(
        self, settings: RedditSource, secret: str | None, clock: Clock, metrics: Metrics, events: Events
    ) -> None:
        self.name = settings.name
        self._settings = settings
        self._secret = secret or ""
        self._clock = clock
        self._metrics = metrics
        self._events = events
        self._polling = Polling(settings.name, clock, settings.every, metrics)
        self._budget = Budget(Limit(settings.per_minute, timedelta(minutes=1)), clock)
        self._spent: Spent = {}
        self._token: str | None = None
        self._ends = 0.0
        self._rechecked: dict[str, float] = {}
        self._again = Known()
        self._brought: dict[str, dict[str, frozenset[str]]] = {}
        """Part → question → what its turn that is not ended has brought."""
        self._begun: dict[str, list[_Page]] = {}
        """What is asked for → the pages of it that came before one did not."""

    @property
    def refreshes(self) -> Refreshes:
        """How hot posts are read again."""
        return Refreshes(_AT_ONCE, self._settings.refresh, self._settings.refresh_again)

    async def refresh(self, ids: Sequence[str]) -> Payload | None:
        """Edits, counts and deletions of posts and comments."""
        async with self._opened() as http:
            answer = await self._got(http, "/api/info", [("id", ",".join(ids))])
        news = looked_again(self._again, ids, _read(answer.body))
        return Payload(self.name, framed(news, answer.body), None, news.posts) if news else None

    def payloads(self, since: str | None) -> AsyncIterator[Payload | GapMark | Contact]:
        """New, edited and deleted posts and comments; a GapMark where there are more than Reddit still gives."""
        return self._polling.payloads(since, self._parts, self._opened(), self._ask)

    def parse(self, bodies: Sequence[bytes], seen_at: datetime) -> Parsed:
        """The posts and comments in these listings."""
        return parsed(bodies, self.name, PLATFORM, seen_at, things)

    def _opened(self) -> AbstractAsyncContextManager[Http]:
        means = (self.name, self._settings, self._clock, self._metrics)
        return opened(*means, rate=seconds_rate, hidden=[self._secret], spent=self._spent)

    def _parts(self) -> list[str]:
        """`search NAME` of an event, `new NAME` and `comments NAME` of a community."""
        searches = [f"search {event.name}" for event in self._events() if asked(event) is not None]
        return searches + [f"{kind} {name}" for name in self._settings.communities for kind in ("new", "comments")]

    async def _ask(self, http: Http, part: Part) -> AsyncIterator[Read]:
        brought = self._brought.setdefault(part.name, _brought(part.mark))
        questions_of_it = self._questions(part)
        for path, params in questions_of_it:
            question = digest(dict(params).get("q", path))
            own = brought.get(question, frozenset())
            others = {one for name, ids in brought.items() if name != question for one in ids} - own
            pages, lost = await self._pages(http, part, path, params, others)
            brought[question] = own | {digest(one["id"]) for _, found in pages for one in _whole(found)}
            for body, found in reversed(pages):  # the oldest first: what is not reached comes again
                mark = _mark(brought, part.known.saved(found)) if len(questions_of_it) > 1 else ""
                yield Read(body, found, mark=mark, lost=lost)
                lost = ""
        del self._brought[part.name]
        part.mark = ""
        due = self._rechecked.setdefault(part.name, self._clock.monotonic())
        if due > self._clock.monotonic() or not (names := part.known.names()[-_AT_ONCE:]):
            return
        answer = await self._got(http, "/api/info", [("id", ",".join(names))])
        found = _read(answer.body)
        there = {one["id"] for one in _whole(found)}
        self._rechecked[part.name] = self._clock.monotonic() + self._settings.recheck.total_seconds()
        yield Read(answer.body, found, [name for name in names if name not in there])

    def _questions(self, part: Part) -> list[tuple[str, list[tuple[str, str]]]]:
        kind, _, name = part.name.partition(" ")
        if kind != "search":
            return [(f"{_COMMUNITY}{name}/{kind}", [])]
        wanted = next((asked(event) for event in self._events() if event.name == name), None)
        queries = questions(wanted, written, _LONGEST) if wanted is not None else ()
        away = timedelta() if part.read_at is None else self._clock.now() - part.read_at
        span = "day" if away < _ALMOST_A_DAY else "week"
        return [(_SEARCH, [("q", one), ("sort", "new"), ("t", span), ("type", "link")]) for one in queries]

    async def _pages(
        self, http: Http, part: Part, path: str, params: Sequence[tuple[str, str]], brought: Container[str]
    ) -> tuple[list[_Page], str]:
        """Pages back to what is known, the newest first, and why something may be lost.

        What another question has `brought` of late is not what this one knows: digests of ids, of the turn that is on,
        also where it failed in the middle and is begun anew.

        Where a page does not come, those before it are kept: the next turn goes on behind them.
        """
        asked_for = f"{part.name} {path} {params}"
        pages = self._begun.pop(asked_for, [])
        anchor = after(pages[-1][0]) if pages else ""
        while len(pages) < _PAGES:
            more = [("after", anchor)] if anchor else []
            try:
                answer = await self._got(http, path, [*params, ("limit", str(_AT_ONCE)), *more])
                found = _read(answer.body)
            except SourceUnavailableError:
                self._begun[asked_for] = pages
                raise
            pages.append((answer.body, found))
            anchor = after(answer.body)
            if (part.first and path != _SEARCH) or any(
                one["id"] in part.known and digest(one["id"]) not in brought for one in _whole(found)
            ):
                return pages, ""
            if not anchor and len(pages) < _PAGES:
                return pages, "" if found or len(pages) == 1 else f"{path}: its pages broke off"
        return pages, f"{path}: more came than the thousand that Reddit gives"

    async def _got(self, http: Http, path: str, params: Sequence[tuple[str, str]]) -> Answer:
        address = f"{self._settings.api.rstrip('/')}{path}"
        for attempt in range(2):
            headers = {"Authorization": f"Bearer {await self._authorised(http)}"}
            answer = await http.get(
                address,
                params=[*params, ("raw_json", "1")],
                headers=headers,
                budgets=(self._budget,),
                also=(_UNKNOWN_TOKEN, *([_SHUT] if path.startswith(_COMMUNITY) else [])),
            )
            if answer.status == _SHUT:
                raise SourceRefusedError(str(http.refusal(answer)), question=True)
            if answer.status != _UNKNOWN_TOKEN:
                break
            self._token = None
            if attempt:
                raise http.refusal(answer)
        return answer

    async def _authorised(self, http: Http) -> str:
        if self._token is not None and self._clock.monotonic() < self._ends:
            return self._token
        basic = b64encode(f"{self._settings.client_id}:{self._secret}".encode()).decode()
        headers = {"Authorization": f"Basic {basic}", "Content-Type": "application/x-www-form-urlencoded"}
        address = f"{self._settings.accounts.rstrip('/')}/api/v1/access_token"
        body = b"grant_type=client_credentials"
        answer = await http.post(address, body, headers=headers, budgets=(self._budget,))
        try:
            token = msgspec.json.decode(answer.body, type=_Token)
        except (msgspec.MsgspecError, UnicodeDecodeError) as error:
            why = f"Reddit gives no token: {http.shown(answer.body)}"
            raise SourceRefusedError(why) from error
        self._token = token.access_token
        self._ends = self._clock.monotonic() + max(60.0, token.expires_in - _EARLY.total_seconds())
        return token.access_token


def written(wanted: Asked) -> str:
    """An event's terms as Reddit writes them."""
    one_of = " OR ".join(map(quoted, wanted.any))
    parts = [f"({one_of})" if len(wanted.any) > 1 else one_of, *map(quoted, wanted.all)]
    return " AND ".join(parts) + "".join(f" NOT {quoted(term)}" for term in wanted.none)


def _mark(brought: Mapping[str, frozenset[str]], saved: str) -> str:
    """What the questions of a turn brought, as far as it is `saved` too and so known after a restart."""
    known = {saved[at : at + 8] for at in range(0, len(saved), 8)}
    return msgspec.json.encode({name: sorted(ids & known) for name, ids in brought.items()}).decode()


def _brought(mark: str) -> dict[str, frozenset[str]]:
    try:
        return msgspec.json.decode(mark, type=dict[str, frozenset[str]])
    except msgspec.MsgspecError:
        return {}


def _read(body: bytes) -> list[Found]:
    try:
        return list(things(body))
    except PostRejectedError as error:
        why = "what Reddit answers is no listing"
        raise SourceUnavailableError(why) from error


def _whole(found: Sequence[Found]) -> list[Document]:
    return [one for one in found if not isinstance(one, PostRejectedError)]
