"""Publishes posts and keeps a ledger of what was acknowledged: over MQTT by PUBACK, over HTTP by 202."""

import asyncio
import hmac
import itertools
import json
import random
from collections import deque
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any, NamedTuple

from aiohttp import ClientError, ClientSession, ClientTimeout
from aiomqtt import Client, MqttError
from aiomqtt.client import ProtocolVersion

from monitor.clock import SystemClock
from tests.rig.story import Texts, flood

_AGAIN = timedelta(milliseconds=100)
_LIMIT = ClientTimeout(total=20)

Post = dict[str, Any]


class Ledger:
    """What was acknowledged, and when it was published."""

    def __init__(self) -> None:
        self.published: dict[str, datetime] = {}
        """Mention → when it was handed to broker, server or file first."""
        self.acknowledged: set[str] = set()
        """Mentions only."""
        self.promised: set[str] = set()
        """Those of them that the monitor itself acknowledged, and not a broker."""
        self.posts = 0
        """All posts that were acknowledged, mentions and others."""
        self.retries = 0
        self.flow = asyncio.Event()
        """Cleared, MQTT feeds publish nothing new."""
        self.flow.set()
        self.flying = 0
        """Messages that a broker has not acknowledged yet."""
        self.known: deque[str] = deque(maxlen=50)
        """Mentions that the monitor itself acknowledged: what answers them is a mention."""


class Writer:
    """Writes posts: mentions of the events that are on, and asides; some answer an earlier mention without its term."""

    def __init__(self, seed: int, *, mentions: float = 1.0, known: Sequence[str] = (), answers: float = 0.1) -> None:
        """`known`: mentions that may be answered, as they become known."""
        self._chance = random.Random(seed)
        self._texts = Texts(seed)
        self._seed = seed
        self._mentions = mentions
        self._answers = answers
        self._numbers = itertools.count()
        self._known = known
        self.on: Sequence[int] = (0,)
        """Events that are flooded now."""

    def post(self) -> tuple[Post, bool]:
        """A post, and whether it is a mention."""
        identity = f"f{self._seed}-{next(self._numbers)}"
        post: Post = {
            "id": identity,
            "platform": "x",
            "author": f"a{self._chance.getrandbits(48):x}",
            "created_at": SystemClock().now().isoformat(),
        }
        if self._chance.random() >= self._mentions:
            return post | {"text": self._texts.aside()}, False
        if self._known and self._chance.random() < self._answers:
            return post | {"text": "my cousin there says the same", "reply_to": self._chance.choice(self._known)}, True
        _, text = flood(self._texts, self.on, self._chance)
        return post | {"text": text}, True


class Login(NamedTuple):
    """A broker on loopback, and who publishes there."""

    port: int
    user: str
    password: str


class FileFeed:
    """Appends lines to a file; what is written counts as acknowledged."""

    def __init__(self, path: Path, ledger: Ledger, writer: Writer) -> None:
        self._path = path
        self._ledger = ledger
        self._writer = writer

    async def run(self, stop: asyncio.Event, *, posts: int, pause: timedelta) -> None:
        """`posts` lines at a time, each time with a pause behind them, until `stop`."""
        with self._path.open("ab") as file:
            while not stop.is_set():
                batch = [self._writer.post() for _ in range(posts)]
                note_published(self._ledger, batch)
                file.write(b"".join(json.dumps(post).encode() + b"\n" for post, _ in batch))
                file.flush()
                note_acknowledged(self._ledger, batch, known=False)
                await SystemClock().sleep(pause)


class MqttFeed:
    """Publishes arrays of posts with QoS 1 until they are acknowledged, whatever the broker does meanwhile."""

    def __init__(self, broker: Login, topic: str, ledger: Ledger, writer: Writer) -> None:
        self._broker = broker
        self._topic = topic
        self._ledger = ledger
        self._writer = writer

    async def run(self, stop: asyncio.Event, *, posts: int, pause: timedelta, flights: int = 4) -> None:
        """Messages of `posts` posts, `flights` at a time, each with a pause behind it, until `stop`."""
        lanes = [self._lane(stop, posts, pause, number) for number in range(flights)]
        async with asyncio.TaskGroup() as tasks:
            for lane in lanes:
                tasks.create_task(lane)

    async def _lane(self, stop: asyncio.Event, posts: int, pause: timedelta, number: int) -> None:
        waiting: list[tuple[Post, bool]] = []
        while not stop.is_set():
            try:
                client = Client(
                    "127.0.0.1",
                    self._broker.port,
                    username=self._broker.user,
                    password=self._broker.password,
                    identifier=f"feed-{id(self)}-{number}",
                    protocol=ProtocolVersion.V5,
                    timeout=5,
                )
                async with client:
                    while not stop.is_set():
                        await self._ledger.flow.wait()
                        waiting = waiting or [self._writer.post() for _ in range(posts)]
                        note_published(self._ledger, waiting)
                        body = json.dumps([post for post, _ in waiting], ensure_ascii=False).encode()
                        self._ledger.flying += 1
                        try:
                            await client.publish(self._topic, body, qos=1, timeout=5)
                        finally:
                            self._ledger.flying -= 1
                        note_acknowledged(self._ledger, waiting, known=False)
                        waiting = []
                        await SystemClock().sleep(pause)
            except MqttError:
                self._ledger.retries += 1
                await SystemClock().sleep(_AGAIN)


class HttpFeed:
    """Posts arrays of posts, signed, until each is answered 202."""

    def __init__(self, url: Callable[[], str], secret: bytes, ledger: Ledger, writer: Writer) -> None:
        self._url = url
        self._secret = secret
        self._ledger = ledger
        self._writer = writer

    async def run(self, stop: asyncio.Event, *, posts: int, pause: timedelta, flights: int = 2) -> None:
        """Requests of `posts` posts, `flights` at a time, each with a pause behind it, until `stop`."""
        async with ClientSession(timeout=_LIMIT) as session, asyncio.TaskGroup() as tasks:
            for _ in range(flights):
                tasks.create_task(self._lane(session, stop, posts, pause))

    async def _lane(self, session: ClientSession, stop: asyncio.Event, posts: int, pause: timedelta) -> None:
        while not stop.is_set():
            batch = [self._writer.post() for _ in range(posts)]
            note_published(self._ledger, batch)
            body = json.dumps([post for post, _ in batch], ensure_ascii=False).encode()
            while not await self._sent(session, body):
                self._ledger.retries += 1
                await SystemClock().sleep(_AGAIN)
                if stop.is_set():
                    return
            note_acknowledged(self._ledger, batch, known=True)
            await SystemClock().sleep(pause)

    async def _sent(self, session: ClientSession, body: bytes) -> bool:
        headers = {
            "X-Timestamp": str(int(SystemClock().now().timestamp())),
            "X-Signature-256": "sha256=" + hmac.new(self._secret, body, sha256).hexdigest(),
            "Idempotency-Key": sha256(body).hexdigest(),
        }
        try:
            async with session.post(f"{self._url()}/ingest/v1/posts", data=body, headers=headers) as answer:
                await answer.read()
                return answer.status == 202
        except (ClientError, TimeoutError, OSError):
            return False


def note_published(ledger: Ledger, batch: Sequence[tuple[Post, bool]]) -> None:
    """They are on their way."""
    now = SystemClock().now()
    for post, mention in batch:
        if mention:
            ledger.published.setdefault(post["id"], now)


def note_acknowledged(ledger: Ledger, batch: Sequence[tuple[Post, bool]], *, known: bool) -> None:
    """Whoever took them says that they are safe; `known`: that is the monitor itself, and not a broker."""
    ledger.posts += len(batch)
    for post, mention in batch:
        if mention:
            ledger.acknowledged.add(post["id"])
            if known:
                ledger.promised.add(post["id"])
                ledger.known.append(post["id"])
