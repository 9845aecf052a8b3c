"""Mastodon: hashtags and public timelines of one server, over one socket, and by REST what was missed meanwhile.

docs/mastodon.md says what is promised. The stream cannot be resumed: at every connection each timeline is first read
from the last post that came, oldest first, while the socket is open already; what comes by both ways is told by its id.
"""

from collections import Counter
from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, aclosing
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import quote

import msgspec
from aiohttp import ClientWebSocketResponse, WSMsgType
from msgspec import Struct

from monitor.arrivals import Contact, Payload
from monitor.clock import Clock
from monitor.collect.claims import plain, posted
from monitor.collect.http import Answer, Http, Spent, opened
from monitor.collect.http_rates import Budget, Limit, iso_rate
from monitor.collect.http_streams import socket
from monitor.collect.look_back import Past
from monitor.collect.mastodon_known import Known, newer, rewound
from monitor.collect.mastodon_past import PAGE, Earlier
from monitor.collect.mastodon_refresh import AT_ONCE, Asking, again
from monitor.collect.mastodon_settings import MastodonSource
from monitor.collect.mastodon_wire import Found, Own, Status, documents, event, found_in, owned, status
from monitor.collect.parsed import Parsed, Unnamed
from monitor.collect.refresh import Refreshes
from monitor.collect.rows import of_rows
from monitor.collect.terms import Events
from monitor.errors import PostRejectedError, SourceRefusedError, SourceUnavailableError
from monitor.marks import GapMark
from monitor.metrics import Metrics

_ALIVE = timedelta(seconds=15)
"""Time without a message after which it is said that the connection stands; the library asks every 20 s."""
_NOT_LONG = timedelta(milliseconds=50)
"""How long a message is waited for while there is something to look back for."""
_STALE = timedelta(seconds=75)
_ABSENT = 404
_WHOLE, _PAGED = "whole", "paged"


class Place(Struct, frozen=True):
    """How far each timeline was read, of which server."""

    instance: str
    seen: dict[str, str]
    past: Past | None = None


class MastodonCollector:
    """The collector of a MastodonSource; its resume point is a Place."""

    def __init__(
        self, settings: MastodonSource, token: str, clock: Clock, metrics: Metrics, events: Events = tuple
    ) -> None:
        self._settings = settings
        self._token = token
        self._headers = {"Authorization": f"Bearer {token}"} if token else {}
        self._clock = clock
        self._metrics = metrics
        self._instance = settings.instance.rstrip("/")
        self._known = Known(settings.remembered, clock, self._instance)
        self._spent: Spent = {}
        self._budgets = {
            _WHOLE: Budget(Limit(settings.requests, timedelta(minutes=5)), clock),
            _PAGED: Budget(Limit(settings.paged_requests, timedelta(minutes=15)), clock),
        }
        self._events = events
        self._earlier = Earlier(
            settings, clock, self._headers, self._page, whole=self._budgets[_WHOLE], paged=self._budgets[_PAGED]
        )
        self._seen: dict[str, str] = {}
        """Timeline → the newest id that was handed on."""

    @property
    def name(self) -> str:
        """The source's name in the configuration."""
        return self._settings.name

    @property
    def stale_after(self) -> timedelta:
        """Longer than it takes to find that the server does not answer."""
        return _STALE

    async def payloads(self, since: str | None) -> AsyncIterator[Payload | GapMark | Contact]:
        """What was missed, then what happens."""
        place = _place(since)
        same = place is not None and place.instance == self._instance
        self._seen = {**(place.seen if place is not None and same else {}), **self._seen}
        self._earlier.take_up(place.past if place is not None else Past(), self._events())
        async with self._opened() as http:
            url = f"{await self._streaming(http)}/api/v1/streaming"
            async with socket(http, url, headers=self._headers) as found:
                if isinstance(found, Answer):  # not asked for
                    raise http.refusal(found)
                for timeline in self._timelines():
                    await found.send_str(msgspec.json.encode(_subscription(timeline)).decode())
                yield Contact()
                for timeline in self._timelines():
                    async with aclosing(self._missed(http, timeline)) as missed:
                        async for arrival in missed:
                            yield arrival
                async with aclosing(self._live(http, found)) as live:
                    async for arrival in live:
                        yield arrival

    @property
    def refreshes(self) -> Refreshes:
        """As it is set."""
        return Refreshes(AT_ONCE, self._settings.refresh, self._settings.refresh_again)

    async def refresh(self, ids: Sequence[str]) -> Payload | None:
        """Fresh counts, edits, and which posts are gone; of those whose id on this server is known, or its own."""
        async with self._opened() as http:
            asking = Asking(http, self._instance, self._headers, [self._budgets[_WHOLE]], _WHOLE)
            found, gone = await again(asking, self._known.ids(ids))
        for one in gone:
            self._known.bury(one)
        counted = [one.status.uri for one in found]
        own = Own(gone=[uri for name in gone if (uri := self._known.uri(name)) is not None], counted=counted)
        lines = [owned(own), *(one.line for one in found)]
        return Payload(self.name, b"\n".join(lines), None, len(lines)) if found or gone else None

    def parse(self, bodies: Sequence[bytes], seen_at: datetime) -> Parsed:
        """The posts in these events and pages."""
        rejected: list[Counter[str]] = [Counter() for _ in bodies]
        rows: list[Mapping[str, Any]] = []
        owners: list[int] = []
        unnamed: list[str] = []
        for number, body in enumerate(bodies):
            for document in documents(body, self._instance, seen_at):
                if isinstance(document, PostRejectedError):
                    rejected[number][document.reason] += 1
                elif isinstance(document, Unnamed):
                    unnamed.append(document.local)
                else:
                    rows.append(document)
                    owners.append(number)
        local = {row["id"]: row["local"] for row in rows if "local" in row}
        return of_rows(rows, owners, rejected, self.name, seen_at)._replace(local=local, unnamed=unnamed)

    def _opened(self) -> AbstractAsyncContextManager[Http]:
        means = (self.name, self._settings, self._clock, self._metrics)
        return opened(*means, rate=iso_rate, hidden=[self._token], spent=self._spent)

    def _timelines(self) -> list[str]:
        scope = ":local" if self._settings.local else ""
        public = [f"public{scope}"] if self._settings.public else []
        return public + [f"hashtag{scope}/{tag}" for tag in self._settings.tags]

    async def _streaming(self, http: Http) -> str:
        """Where the server streams, as it says itself; the server where it does not say."""
        if self._settings.streaming is not None:
            return self._settings.streaming.rstrip("/")
        address, budgets = f"{self._instance}/api/v2/instance", [self._budgets[_WHOLE]]
        answer = await http.get(address, headers=self._headers, also={_ABSENT}, budgets=budgets, bucket=_WHOLE)
        try:
            told = msgspec.json.decode(answer.body, type=_Instance).configuration.urls.streaming
        except (msgspec.MsgspecError, UnicodeDecodeError):
            told = ""
        if told.startswith(("wss://", "ws://")):
            return "http" + told.removeprefix("ws").rstrip("/")
        return self._instance

    async def _missed(self, http: Http, timeline: str) -> AsyncGenerator[Payload | GapMark | Contact, None]:
        """The posts of a timeline behind the last one that came; a GapMark where there are too many."""
        if timeline not in self._seen:
            newest = await self._page(http, timeline, [("limit", "1")])
            self._seen[timeline] = newest[-1].status.id if newest else "0"
            return
        since, found = rewound(self._seen[timeline], self._settings.rewind), list[Found]()
        for _ in range(self._settings.refill):
            while (wait := self._budgets[_PAGED].wait()) > timedelta():
                yield Contact()
                await self._clock.sleep(min(wait, _ALIVE))
            page = await self._page(http, timeline, [("limit", str(PAGE)), ("min_id", since)])
            if not page:
                return
            found, since = page, page[-1].status.id
            yield self._payload([one for one in found if self._is_news(one.status, timeline)]) or Contact()
        reached = posted(found[-1].status.created_at, self._clock.now())
        newest = await self._page(http, timeline, [("limit", "1")])
        self._seen[timeline] = (newest or found)[-1].status.id
        why = f"{timeline}: more was missed than {self._settings.refill} pages hold"
        yield GapMark(source=self.name, begins=reached, ends=self._clock.now(), why=why)

    async def _page(self, http: Http, timeline: str, params: list[tuple[str, str]]) -> list[Found]:
        """One page of a timeline, the oldest post first."""
        kind, _, tag = timeline.partition("/")
        path = f"tag/{quote(tag, safe='')}" if tag else "public"
        params = [*params, *([("local", "true")] if kind.endswith(":local") else [])]
        paged = any(name == "min_id" for name, _ in params)
        answer = await http.get(
            f"{self._instance}/api/v1/timelines/{path}",
            params=params,
            headers=self._headers,
            budgets=[self._budgets[_WHOLE], *([self._budgets[_PAGED]] if paged else [])],
            bucket=_PAGED if paged else _WHOLE,
        )
        try:
            return found_in(answer.body)
        except PostRejectedError as error:
            why = f"{http.place(answer.url)}: a page that is not understood ({error})"
            raise SourceUnavailableError(why) from error

    async def _live(self, http: Http, found: ClientWebSocketResponse[bool]) -> AsyncGenerator[Payload | Contact, None]:
        while True:
            self._earlier.notice(self._events(), self._timelines())
            past = await self._earlier.turn(http, self._seen)
            if (payload := self._payload([one for one in past if self._known.again(one.status)])) is not None:
                yield payload
            try:
                message = await found.receive((_NOT_LONG if self._earlier.due else _ALIVE).total_seconds())
            except TimeoutError:
                yield Contact()
                continue
            if message.type not in {WSMsgType.TEXT, WSMsgType.BINARY}:
                why = f"the server closed the stream ({message.type.name.lower()} {found.close_code or ''})"
                raise SourceUnavailableError(why)
            yield self._told(bytes(message.data).replace(b"\n", b" ")) or Contact()

    def _told(self, line: bytes) -> Payload | None:
        """What a message of the stream says that is news; raises SourceRefusedError where a stream is refused."""
        try:
            told = event(line)
            found = Found(line, status(told.payload)) if told.event in {"update", "status.update"} else None
        except PostRejectedError:
            return Payload(self.name, line, None)  # counted where it is parsed
        if told.error:
            why = f"the server refuses a stream: {plain(told.error)}"
            raise SourceRefusedError(why)
        if told.event == "delete":
            uri = self._known.bury(told.payload)
            own = Own(gone=[uri]) if uri is not None else Own(unnamed=[told.payload])
            return Payload(self.name, owned(own), None)
        if found is None:
            return None
        kind, *tag = told.stream or [""]
        timeline = "/".join((kind, *tag)) if told.event == "update" else ""
        return self._payload([found]) if self._is_news(found.status, timeline) else None

    def _is_news(self, found: Status, timeline: str) -> bool:
        """Whether this was not handed on before; the timeline was read up to here."""
        if timeline in self._seen:
            self._seen[timeline] = newer(self._seen[timeline], found.id)
        return self._known.news(found)

    def _payload(self, news: Sequence[Found]) -> Payload | None:
        if not news:
            return None
        own = Own(uris=self._known.answered([one.status for one in news]))
        lines = [owned(own)] if own.uris else []
        resume = msgspec.json.encode(Place(self._instance, self._seen, self._earlier.past)).decode()
        return Payload(self.name, b"\n".join([*lines, *(one.line for one in news)]), resume, len(news))


class _Urls(Struct, frozen=True):
    streaming: str = ""


class _Configuration(Struct, frozen=True):
    urls: _Urls = _Urls()


class _Instance(Struct, frozen=True):
    configuration: _Configuration = _Configuration()


def _place(since: str | None) -> Place | None:
    """A resume point read; None where there is none, or one that is not understood."""
    try:
        return msgspec.json.decode(since or "", type=Place)
    except (msgspec.MsgspecError, UnicodeEncodeError):
        return None


def _subscription(timeline: str) -> dict[str, str]:
    kind, _, tag = timeline.partition("/")
    return {"type": "subscribe", "stream": kind, **({"tag": tag} if tag else {})}
