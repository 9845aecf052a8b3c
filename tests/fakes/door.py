"""The door for posts on a free port, with a pipeline behind it that a test commits by hand."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta

from prometheus_client import CollectorRegistry

from monitor.arrivals import Answered, Payload, Request, Settled
from monitor.clock import SystemClock
from monitor.collect.ingest import IngestSource
from monitor.errors import StoreError
from monitor.watched import Duration
from monitor.web.ingest import Ingest
from monitor.web.server import Health, serving
from tests.fakes.clock import START, ManualClock
from tests.fakes.senders import SECRET, Answer, a_post, send, signed

SOURCE = IngestSource(name="pushed", most_bytes=2000, most_requests=3, answer_timeout=Duration(seconds=10))
NOW = START.timestamp()
ONE = json.dumps(a_post(1)).encode()


class Pipeline:
    """Takes payloads as the channel does and remembers what was answered, as the store does."""

    def __init__(self) -> None:
        self.payloads: list[Payload] = []
        self.room = 100
        self.closed = False
        self.commits = asyncio.Event()
        self.commits.set()
        self.outcome = Settled(1, {})
        self.kept: list[Answered] = []
        self.broken = False
        self.unforeseen: Exception | None = None
        self.recalling: asyncio.Event | None = None
        self.counted: list[tuple[str, int, str]] = []

    def offer(self, payload: Payload) -> bool:
        if not self.room:
            return False
        self.room -= 1
        self.payloads.append(payload)
        if self.commits.is_set():
            self.commit(payload)
        return True

    def commit(self, payload: Payload) -> None:
        assert payload.settle is not None
        assert payload.request is not None
        self.kept.append(Answered(payload.source, payload.request, self.outcome, START))
        payload.settle(self.outcome)

    async def recall(self, source: str, request: Request) -> Sequence[Answered]:
        if self.broken:
            why = "the disk is on fire"
            raise StoreError(why)
        if self.unforeseen is not None:
            raise self.unforeseen
        if self.recalling is not None:
            self.recalling.set()
            await asyncio.Event().wait()
        same = [one for one in self.kept if one.source == source]
        return [one for one in same if one.request.key == request.key or one.request.digest == request.digest]

    def count(self, source: str, status: int, reason: str) -> None:
        self.counted.append((source, status, reason))


@asynccontextmanager
async def door(
    pipeline: Pipeline, *sources: IngestSource, secret: str | None = SECRET, token: str | None = None
) -> AsyncIterator[int]:
    ingest = Ingest(pipeline, pipeline.recall, ManualClock(), pipeline.count)
    secrets = {source.name: secret.encode() for source in sources or (SOURCE,)} if secret else {}
    ingest.serve(sources or (SOURCE,), secrets)
    async with opened(ingest, token) as port:
        yield port


@asynccontextmanager
async def opened(ingest: Ingest, token: str | None = None) -> AsyncIterator[int]:
    health = Health(ready=True, at=START)
    registry = CollectorRegistry()
    async with serving("127.0.0.1", 0, health=lambda: health, registry=registry, token=token, ingest=ingest) as port:
        yield port


async def sent(port: int, body: bytes, *, key: str | None = None, at: float = NOW, **headers: str) -> Answer:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return await send(port, body, {**signed(body, at), **named}, key=key)


async def until(true: Callable[[], bool]) -> None:
    async with asyncio.timeout(20):
        while not true():
            await SystemClock().sleep(timedelta(milliseconds=5))
