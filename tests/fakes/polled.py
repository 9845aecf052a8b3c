"""A platform on loopback that can break off its answers, and a source that reads it under its supervisor."""

import asyncio
import random
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import datetime, timedelta

import polars as pl
from aiohttp import web
from aiohttp.test_utils import TestServer
from prometheus_client import CollectorRegistry

from monitor.arrivals import Payload
from monitor.collect.collector import Collector
from monitor.collect.supervise import SourceState, supervise
from monitor.marks import GapMark
from monitor.metrics import Metrics
from tests.fakes.clock import ManualClock, settle

Answers = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Platform:
    """Answers as `answers` says; `faults` are played first, one to a request: a status, or None to break off."""

    def __init__(self, answers: Answers) -> None:
        self.answers = answers
        self.url = ""
        self.asked: list[web.Request] = []
        self.bodies: list[bytes] = []
        self.faults: list[int | None] = []
        self.chance: random.Random | None = None
        """Set, one request in three goes wrong in a way that is drawn."""
        self.broken = 0
        self.away = False
        """Set, nothing is answered but that it is away."""

    async def take(self, request: web.Request) -> web.StreamResponse:
        self.asked.append(request)
        self.bodies.append(await request.read())
        fault = self.faults.pop(0) if self.faults else 503 if self.away else self._drawn()
        if fault is None:
            return await self._broken_off(request)
        if fault:
            return web.Response(status=fault, headers={"Retry-After": "7"} if fault == 429 else {}, text="later")
        return await self.answers(request)

    def _drawn(self) -> int | None:
        return self.chance.choice([0, 0, 0, 0, None, 503]) if self.chance is not None else 0

    async def _broken_off(self, request: web.Request) -> web.StreamResponse:
        """Half an answer, or none at all."""
        self.broken += 1
        if self.chance is not None and self.chance.random() < 0.5:
            whole = await self.answers(request)
            body = whole.body if isinstance(whole, web.Response) and isinstance(whole.body, bytes) else b"{"
            half = web.StreamResponse(headers={"Content-Length": str(len(body) + 1)})
            await half.prepare(request)
            await half.write(body[: len(body) // 2 + 1])
        assert request.transport is not None
        request.transport.abort()
        return web.Response()


@asynccontextmanager
async def platform(answers: Answers) -> AsyncIterator[Platform]:
    """A platform that listens on a free port of loopback."""
    fake = Platform(answers)
    application = web.Application()
    application.router.add_route("*", "/{tail:.*}", fake.take)
    async with TestServer(application) as server:
        fake.url = str(server.make_url("")).rstrip("/")
        yield fake


class Reading:
    """A source under its supervisor, and what came of it."""

    def __init__(self, collector: Collector, clock: ManualClock, since: str | None = None) -> None:
        self.collector = collector
        self.clock = clock
        self.payloads: list[Payload] = []
        self.gaps: list[GapMark] = []
        self.states: list[SourceState] = []
        self.task = asyncio.ensure_future(
            supervise(
                collector,
                since,
                self._put,
                lambda _, state: self.states.append(state),
                clock=clock,
                chance=random.Random(1),
            )
        )

    async def _put(self, arrival: Payload | GapMark) -> None:
        (self.payloads if isinstance(arrival, Payload) else self.gaps).append(arrival)  # type: ignore[arg-type]

    async def resting(self) -> None:
        """Until the source waits for the clock, or has ended."""
        while not self.clock.sleeping and not self.task.done():
            await settle()
        if self.task.done():
            self.task.result()

    async def until(self, condition: Callable[[], bool]) -> None:
        """Until something holds, the clock standing still."""
        while not condition() and not self.task.done():
            await settle()
        if self.task.done():
            self.task.result()

    async def passes(self, duration: timedelta, step: timedelta = timedelta(seconds=30)) -> None:
        """Time goes on in steps; the source does what is due at each."""
        end = self.clock.now() + duration
        while self.clock.now() < end:
            await self.clock.advance(min(step, end - self.clock.now()))
            await self.resting()

    @property
    def state(self) -> SourceState:
        """How it is doing."""
        return self.states[-1] if self.states else SourceState.STARTING

    @property
    def resume(self) -> str | None:
        return self.payloads[-1].resume if self.payloads else None

    @property
    def lost(self) -> list[GapMark]:
        """Gaps but for those of the time in which the source was away, which it made up for."""
        return [gap for gap in self.gaps if "may be lost" in gap.why or "more" in gap.why]

    def posts(self, op: str | None = None) -> pl.DataFrame:
        posts = self.collector.parse([one.body for one in self.payloads], self.clock.now()).posts
        return posts if op is None else posts.filter(pl.col("op") == op)

    def ids(self, op: str = "create") -> Counter[str]:
        return Counter(self.posts(op)["id"])


@asynccontextmanager
async def reading(collector: Collector, clock: ManualClock, since: str | None = None) -> AsyncIterator[Reading]:
    """A source at work until it is left, once it has read what there is."""
    async with listening(collector, clock, since) as source:
        await source.resting()
        yield source


@asynccontextmanager
async def listening(collector: Collector, clock: ManualClock, since: str | None = None) -> AsyncIterator[Reading]:
    """A source at work until it is left."""
    source = Reading(collector, clock, since)
    try:
        yield source
    finally:
        source.task.cancel()
        await asyncio.wait([source.task])


def metrics() -> Metrics:
    return Metrics(CollectorRegistry(), version="0")


def stamp(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")
