"""X: its filtered stream, by rules made of the event files; the search fills what the stream missed.

The rules are kept in step with the events while the stream is read. Everything that is read is paid for and counted
towards the budget; when that is spent the source stops and says so, also after a restart.
"""

from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager, aclosing
from datetime import datetime, timedelta

import msgspec

from monitor.arrivals import Contact, Payload
from monitor.clock import Clock
from monitor.collect import x_post
from monitor.collect.http import Http, Spent, opened
from monitor.collect.http_rates import Budget, Limit, epoch_rate
from monitor.collect.http_streams import lines
from monitor.collect.look_back import LookBack
from monitor.collect.news import Known, framed, looked_again, parsed
from monitor.collect.parsed import Parsed
from monitor.collect.refresh import Refreshes
from monitor.collect.terms import Events
from monitor.collect.turns import IDLE
from monitor.collect.x_complaints import capped, complained
from monitor.collect.x_rules import LONGEST_QUERY, keep_in_step, queries, rules_of
from monitor.collect.x_settings import KEPT, XSource
from monitor.collect.x_spend import Place, cycle_of, next_cycle, place
from monitor.errors import SourceRefusedError, SourceUnavailableError
from monitor.marks import GapMark
from monitor.metrics import Metrics
from monitor.watched import Event

_QUARTER = timedelta(minutes=15)
_BEHIND = timedelta(seconds=30)
"""How much older than the newest one a post may still come in the stream."""
_FURTHEST = KEPT - timedelta(minutes=1)
_AT_ONCE, _FEWEST = 100, 10
_SECONDS = "%Y-%m-%dT%H:%M:%SZ"


class XCollector:
    """The collector of an XSource; its resume point is the newest id that was read, and what was spent."""

    stale_after: timedelta | None = None
    """The stream gives a sign of life, and is given up here where it does not."""

    def __init__(self, settings: XSource, token: str | None, clock: Clock, metrics: Metrics, events: Events) -> None:
        self.name = settings.name
        self._settings = settings
        self._token = token or ""
        self._clock = clock
        self._metrics = metrics
        self._events = events
        self._place = Place()
        self._taken_up = False
        self._again = Known()
        self._back = LookBack(settings.name, clock, min(settings.look_back, _FURTHEST), settings.search_pages)
        self._found = 0
        """The largest id that a search brought."""
        self._address = f"{settings.api.rstrip('/')}/2/tweets/search"
        self._connects = Budget(Limit(50, _QUARTER), clock)
        self._ruling = Budget(Limit(100, _QUARTER), clock)
        self._spent: Spent = {}
        self._searches = Budget(Limit(450, _QUARTER), clock)

    @property
    def refreshes(self) -> Refreshes:
        """How hot posts are read again."""
        return Refreshes(_AT_ONCE, self._settings.refresh, self._settings.refresh_again)

    async def refresh(self, ids: Sequence[str]) -> Payload | None:
        """Fresh counts, and what was deleted; paid for like every post, which its resume point says."""
        self._afford()
        address = f"{self._settings.api.rstrip('/')}/2/tweets"
        params = [("ids", ",".join(ids)), *self._settings.fields()]
        async with self._opened() as http:
            answer = await http.get(address, params=params, headers=self._headers, bucket="look-up")
        paid = self._paid(answer.body, self._place.newest)
        news = looked_again(self._again, ids, list(x_post.posts(answer.body)))
        return paid._replace(body=framed(news, answer.body), resume=paid.resume if self._taken_up else None)

    async def payloads(self, since: str | None) -> AsyncIterator[Payload | GapMark | Contact]:
        """What was missed, then the stream; a GapMark for what cannot be had any more, or not within the budget."""
        self._place = max(self._place, place(since), key=lambda one: (one.cycle, one.posts, one.newest))
        self._taken_up = True
        self._back.take_up(self._place.past, self._events())
        self._afford()
        async with self._opened() as http:
            while not rules_of(self._events()):
                yield Contact()
                await self._clock.sleep(IDLE)
            async with aclosing(self._streamed(http)) as arrivals:  # type: ignore[type-var]
                async for arrival in arrivals:
                    yield arrival

    @property
    def sample_costs(self) -> str:
        """A page of posts, which X does not give for nothing."""
        author = f", each author for {self._settings.user_price:g}" if self._settings.authors else ""
        post = f"each and what comes with it for {self._settings.post_price:g} dollars{author}"
        return f"buys {_FEWEST} posts at most, {post}; the budget does not count that"

    async def sample(self) -> AsyncIterator[Payload | GapMark | Contact]:
        """One page of the search for a dry run: buys ten posts at most, leaves the rules and the stream alone."""
        asked = [one for event in self._events() for one in queries(event, LONGEST_QUERY, self._settings.more)]
        begin = ("start_time", f"{self._clock.now() - _FURTHEST:{_SECONDS}}")
        if asked:
            async with self._opened() as http:
                yield self._paid(await self._page(http, asked[0], begin, "", _FEWEST), 0)
        yield Contact(rests=True)

    def parse(self, bodies: Sequence[bytes], seen_at: datetime) -> Parsed:
        """The posts of these lines and answers."""
        return parsed(bodies, self.name, x_post.PLATFORM, seen_at, x_post.posts)

    def _opened(self) -> AbstractAsyncContextManager[Http]:
        means = (self.name, self._settings, self._clock, self._metrics)
        return opened(*means, rate=epoch_rate, hidden=[self._token], capped=capped, spent=self._spent)

    async def _streamed(self, http: Http) -> AsyncIterator[Payload | GapMark | Contact]:
        events = tuple(self._events())
        await self._rule(http)
        stream = lines(
            http,
            f"{self._address}/stream",
            silence=self._settings.silence,
            params=self._settings.fields(),
            headers=self._headers,
            bucket="stream",
        )
        async with self._connects.slot():
            pass  # a connection counts as it is begun, not while it lasts
        async with stream as coming:
            yield Contact()
            async with aclosing(self._missed(http)) as missed:  # type: ignore[type-var]
                async for arrival in missed:
                    yield arrival
            self._back.notice(events, self._queries)
            async with aclosing(self._owed(http)) as owed:  # type: ignore[type-var]
                async for payload in owed:
                    yield payload
            async for line in coming:
                if (now := tuple(self._events())) != events:
                    events = now
                    await self._rule(http)
                    self._back.notice(events, self._queries)
                async with aclosing(self._owed(http)) as owed:  # type: ignore[type-var]
                    async for payload in owed:
                        yield payload
                if not line.strip():
                    yield Contact()
                    continue
                yield self._paid(line, max(self._place.newest, x_post.newest(line)))
                self._afford()
        why = "the stream ended"
        raise SourceUnavailableError(why)

    async def _rule(self, http: Http) -> None:
        wanted = rules_of(self._events(), self._settings.more)
        address = f"{self._address}/stream/rules"
        await keep_in_step(http, address, self._headers, wanted, source=self.name, budget=self._ruling)

    async def _missed(self, http: Http) -> AsyncIterator[Payload | GapMark | Contact]:
        """What the search knows since the newest post that was read; the resume point moves on behind the last."""
        newest = self._place.newest
        if not newest:
            return
        now = self._clock.now()
        since, oldest = min(x_post.time_of(newest), now) - _BEHIND, now - KEPT + timedelta(minutes=1)
        if since < oldest:
            yield self._gap(since, oldest, "the search looks back seven days")
        begin = ("start_time", f"{oldest:{_SECONDS}}") if since < oldest else ("since_id", str(x_post.id_at(since)))
        self._found = newest
        async with aclosing(self._bought(http, self._events(), begin)) as arrivals:  # type: ignore[type-var]
            async for arrival in arrivals:
                yield arrival
        self._place = msgspec.structs.replace(self._place, newest=self._found)

    async def _owed(self, http: Http) -> AsyncIterator[Payload]:
        """What was said of events that are new, as far back as is set; a search that fails goes on where it was."""
        while (owed := self._back.due()) is not None:
            begin = ("start_time", f"{owed.since:{_SECONDS}}")
            try:
                page = await self._page(http, owed.question, begin, owed.token)
            except SourceUnavailableError as error:
                self._back.failed(error)
                return
            except SourceRefusedError as error:
                if not error.question:
                    raise
                self._back.failed(error)
                continue
            self._back.came(x_post.paged(page).next_token)
            if x_post.bought(page)[0]:
                yield self._paid(page, self._place.newest)
            self._afford()

    async def _bought(
        self, http: Http, events: Sequence[Event], begin: tuple[str, str]
    ) -> AsyncIterator[Payload | GapMark | Contact]:
        """The search's answers, paid for; the resume point stays where it is."""
        for event in events:
            for query in self._queries(event):
                try:
                    async with aclosing(self._searched(http, query, begin)) as pages:  # type: ignore[type-var]
                        async for page in pages:
                            if isinstance(page, GapMark):
                                yield page
                                continue
                            self._found = max(self._found, x_post.newest(page))
                            yield self._paid(page, self._place.newest) if x_post.bought(page)[0] else Contact()
                            self._afford()
                except SourceRefusedError as error:
                    if not error.question:
                        raise
                    why = f"the search does not take a question of {event.name}"
                    now = self._clock.now()
                    yield self._gap(min(self._begun(begin), now), now, why)

    def _queries(self, event: Event) -> list[str]:
        return queries(event, LONGEST_QUERY, self._settings.more) if self._settings.search_pages else []

    async def _searched(self, http: Http, query: str, begin: tuple[str, str]) -> AsyncIterator[bytes | GapMark]:
        token = ""
        for _ in range(self._settings.search_pages):
            answer = await self._page(http, query, begin, token)
            yield answer
            told = x_post.paged(answer)
            token, oldest = told.next_token, told.oldest_id
            if not token:
                return
        until = x_post.time_of(int(oldest)) if token and oldest.isdigit() else self._clock.now()
        since = self._begun(begin)
        yield self._gap(since, max(until, since), f"more posts came than {self._settings.search_pages} pages hold")

    def _begun(self, begin: tuple[str, str]) -> datetime:
        """From when on a search was to look."""
        return x_post.time_of(self._place.newest) if begin[0] == "since_id" else self._clock.now() - KEPT

    async def _page(self, http: Http, query: str, begin: tuple[str, str], token: str, most: int = _AT_ONCE) -> bytes:
        params = [("query", query), begin, ("max_results", str(most)), *self._settings.fields()]
        if token:
            params.append(("next_token", token))
        address, budgets = f"{self._address}/recent", (self._searches,)
        answer = await http.get(address, params=params, headers=self._headers, budgets=budgets, bucket="search")
        return answer.body

    def _paid(self, body: bytes, newest: int) -> Payload:
        """An answer as a payload: it is paid for, whatever becomes of it."""
        complained(body)
        posts, users = x_post.bought(body)
        now = self._turned()
        self._place = msgspec.structs.replace(now, newest=newest, posts=now.posts + posts, users=now.users + users)
        self._metrics.source_spent.labels(self.name).set(self._cost(self._place))
        resume = msgspec.structs.replace(self._place, past=self._back.past)
        return Payload(self.name, body, msgspec.json.encode(resume).decode(), max(1, posts))

    def _afford(self) -> None:
        """Raises SourceRefusedError where the budget is spent, or what X lets an app read in a cycle."""
        now = self._turned()
        cost = self._cost(now)
        self._metrics.source_spent.labels(self.name).set(cost)
        self._metrics.source_budget.labels(self.name).set(self._settings.budget)
        until = f"until {next_cycle(cycle_of(self._clock.now(), self._settings.cycle_day)):%Y-%m-%d} (UTC)"
        if cost >= self._settings.budget:
            why = f"the budget of {self._settings.budget:g} dollars is spent {until}, by {now.posts} posts"
            raise SourceRefusedError(why)
        if now.posts >= self._settings.most_posts:
            why = f"{now.posts} posts were read, all that X gives {until}"
            raise SourceRefusedError(why)

    def _cost(self, now: Place) -> float:
        return now.cost(self._settings.post_price, self._settings.user_price)

    def _turned(self) -> Place:
        """The place in the cycle that it is now."""
        cycle = f"{cycle_of(self._clock.now(), self._settings.cycle_day):%Y-%m-%d}"
        if self._place.cycle == cycle:
            return self._place
        return Place(newest=self._place.newest, cycle=cycle, past=self._place.past)

    def _gap(self, begins: datetime, ends: datetime, why: str) -> GapMark:
        return GapMark(source=self.name, begins=begins, ends=ends, why=why)

    @property
    def _headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self._token}"}
