"""Posts from an MQTT 5 broker, acknowledged after the commit.

A message holds one post/1 object, an array of them or NDJSON, and is acknowledged when its payload is settled; what was
not acknowledged when the connection ends comes again, and is known then. The session outlives the connection: the
broker keeps what is published while we are away. Where it has lost the session, that is a gap.
"""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Coroutine, Sequence
from contextlib import aclosing, asynccontextmanager
from datetime import datetime, timedelta
from functools import partial
from typing import Annotated, ClassVar

import msgspec
from msgspec import Meta

from monitor.arrivals import Contact, Payload, Settled, about
from monitor.broker import Broker, BrokerError, Message, Session, Trouble
from monitor.clock import Clock
from monitor.collect.about import OWN, About
from monitor.collect.mqtt_self_test import SelfTest
from monitor.collect.parsed import Parsed
from monitor.collect.post1 import parse
from monitor.errors import SourceRefusedError, SourceUnavailableError
from monitor.marks import GapMark
from monitor.mqtt_connection import Connection, connected
from monitor.watched import Duration, Name

SOON = 30.0
"""Seconds after which a broker is tried again, at most: it is the desk's own, and posts wait there."""
LOST = "the broker has lost our session: what came meanwhile is lost, or comes as new"
Topics = Annotated[str, Meta(min_length=1, max_length=1000)]


class MqttSource(Broker, tag="mqtt", tag_field="kind", frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Reads post/1 documents from an MQTT 5 broker."""

    ABOUT: ClassVar[About] = OWN._replace(
        access="the broker's account, by password or certificate",
        resumes="the broker keeps messages for the session; a gap where it has lost the session",
    )

    name: Name
    """What the source is called in metrics, alerts and the archive."""
    topics: Annotated[tuple[Topics, ...], Meta(min_length=1)] = ("vm/posts/+",)
    """Topic filters, `+` for one level and `#` for all that follow."""
    share: Annotated[str, Meta(pattern=r"^[^/+#\s]+$(?!\n)", description="a word without /, + and #")] | None = None
    """Group whose members share the messages among them, each message going to one of them."""
    client_id: Annotated[str, Meta(max_length=200)] = ""
    """Who we are to the broker, different for every monitor there; `virality-monitor-` and the name if it is empty."""
    session_expiry: Duration = Duration(days=1)
    """How long the broker keeps messages for us while we are away."""
    receive_maximum: Annotated[int, Meta(ge=1, le=65535)] = 1000
    """Messages that may be on their way to the store; the broker sends no more before one of them is committed."""
    largest_message: Annotated[int, Meta(ge=1024, le=1 << 28)] = 1 << 20
    """Bytes; the broker keeps larger messages to itself, so give its own limit the same value."""
    stale: Duration | None = None
    """The connection is made anew when no message came for so long; without it the broker may be silent."""
    self_test: bool = True
    """Publishes and reads back at every connection to prove our rights; false for an account that may only read."""
    record: str | None = None
    """Folder in which the source's raw payloads are kept, texts and authors included; without one nothing is."""
    record_bytes: Annotated[int, Meta(ge=1 << 20, le=1 << 42)] = 1 << 30
    """How large the source's files there may become together; the oldest make room."""

    @property
    def client_id_used(self) -> str:
        """The client id, the default one included."""
        return self.client_id or f"virality-monitor-{self.name}"


class MqttCollector:
    """The collector of an MqttSource; its resume point is what the session is subscribed to."""

    def __init__(self, settings: MqttSource, password: str | None, clock: Clock) -> None:
        self._settings = settings
        self._password = password
        self._clock = clock
        self._session = Session(
            client_id=settings.client_id_used,
            expiry=round(settings.session_expiry.total_seconds()),
            receive_maximum=settings.receive_maximum,
            largest=settings.largest_message,
        )
        prefix = f"$share/{settings.share}/" if settings.share else ""
        self._filters = tuple(prefix + topics for topics in settings.topics)
        self._resume = msgspec.json.encode(self._filters).decode()
        self._served_until: datetime | None = None
        """Up to when all that was published has come; None before the first connection."""
        self._lost_since: datetime | None = None
        self._heard = clock.now()

    @property
    def name(self) -> str:
        """The source's name in the configuration."""
        return self._settings.name

    @property
    def stale_after(self) -> timedelta:
        """Longer than it takes to find that the broker does not answer, or what is set."""
        return self._settings.stale or 3 * self._settings.keep_alive + self._settings.timeout

    async def payloads(self, since: str | None) -> AsyncIterator[Payload | GapMark | Contact]:
        """Messages as they come; filters that `since` names and the settings do not are unsubscribed."""
        try:
            async with connected(self._settings, self._password, self._session) as connection:
                self._note_loss(connection)
                test = SelfTest(connection, f"{self._session.client_id} {self._clock.now().isoformat()}")
                async with _beside(self._begin(connection, test, since), connection) as begun:
                    try:
                        async with aclosing(self._arrivals(connection, test, begun)) as arrivals:
                            async for arrival in arrivals:
                                yield arrival
                    finally:
                        self._note_end(connection)
        except BrokerError as error:
            if error.trouble is Trouble.REFUSED:
                raise SourceRefusedError(str(error)) from error
            raise SourceUnavailableError(str(error), within=SOON) from error

    def parse(self, bodies: Sequence[bytes], seen_at: datetime) -> Parsed:
        """The posts in these messages."""
        return parse(bodies, self.name, seen_at, as_sent=True)

    def _note_loss(self, connection: Connection) -> None:
        if not connection.session_present and self._served_until is not None:
            self._lost_since = self._lost_since or self._served_until

    async def _begin(self, connection: Connection, test: SelfTest, since: str | None) -> None:
        """Subscribes and proves our rights."""
        for old in set(_filters_of(since)) - set(self._filters):
            await connection.leave(old)
        for topics in self._filters:
            await connection.listen(topics, qos=1)
        for topics in self._filters if self._settings.self_test else ():
            await test.prove(topics, self._settings.timeout.total_seconds())

    async def _arrivals(
        self, connection: Connection, test: SelfTest, begun: asyncio.Task[None]
    ) -> AsyncGenerator[Payload | GapMark | Contact, None]:
        """Posts from the first moment on, for they may have waited; signs of life only when all is proven."""
        proven = False
        while True:
            messages = await connection.heard()
            for message in messages:
                if not test.took(message):
                    yield self._payload(connection, message)
            if begun.done() and not proven:
                begun.result()
                proven = True
                yield Contact()
                if self._lost_since is not None:
                    yield GapMark(source=self.name, begins=self._lost_since, ends=self._clock.now(), why=LOST)
                    self._lost_since = None
            elif proven and not messages and self._settings.stale is None:
                yield Contact()

    def _note_end(self, connection: Connection) -> None:
        """Where the broker could not send all it had, what is missing begins with the last message."""
        full = connection.unsettled >= self._settings.receive_maximum
        self._served_until = self._heard if full else self._clock.now()

    def _payload(self, connection: Connection, message: Message) -> Payload:
        self._heard = self._clock.now()
        return Payload(
            self.name,
            message.body,
            self._resume,
            about(message.body),
            arrived_at=self._heard,
            settle=partial(_settle, connection, message.number),
        )


@asynccontextmanager
async def _beside(work: Coroutine[None, None, None], connection: Connection) -> AsyncIterator[asyncio.Task[None]]:
    """Does the work while the connection is read, and wakes its reader at the end; its error is the reader's to see."""
    task = asyncio.create_task(work, name="begin MQTT")
    task.add_done_callback(lambda _: connection.wake())
    try:
        yield task
    finally:
        task.cancel()
        await asyncio.wait({task})
        if not task.cancelled():
            task.exception()  # seen, so that asyncio does not report it once more


def _settle(connection: Connection, number: int, _: Settled) -> None:
    connection.ack(number)


def _filters_of(since: str | None) -> tuple[str, ...]:
    """The filters in a resume point; none where it is not one of ours."""
    try:
        return msgspec.json.decode(since or "[]", type=tuple[str, ...])
    except msgspec.MsgspecError:
        return ()
