"""The connection of an MQTT receiver while the daemon runs: kept for ever, and used for more than alerts.

Findings, `<prefix>/findings/<event>`: `version` 1 and `finding` with the fields of `monitor.records.Finding`; QoS 1,
each tried until the broker has it, but only the newest are kept while it is away.

Status, `<prefix>/status/<instance>`, retained: `version` 1, `state` (`up`, `stopped`, or `down` where the broker says
it because we have vanished), `connected_at`, `at`, `store` (`good`, or why it cannot be used) and `sources` (name →
state). It is published when it changes, and every minute.
"""

import asyncio
import logging
from collections import deque
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from datetime import datetime, timedelta
from enum import StrEnum
from random import Random
from typing import Any, NamedTuple

import msgspec

from monitor.alert.deliver import Backoff
from monitor.broker import Broker, BrokerError, Session, Trouble
from monitor.clock import Clock, first_of
from monitor.mqtt_connection import Connection, connected
from monitor.records import Finding

MOST_FINDINGS = 1000
EVERY = timedelta(minutes=1)
LOOK = timedelta(seconds=1)
QUIET = timedelta(minutes=1)
"""A connection that lasted this long was good: the next failure is a first one again."""
LAST = timedelta(seconds=2)
"""What findings still get after the stop, and then the last status."""
VERSION = 1

log = logging.getLogger(__name__)


class Watched(NamedTuple):
    """How the daemon is."""

    store: str
    """`good`, or why the store cannot be used."""
    sources: Mapping[str, str]
    """Source → a word for its state."""


class Happened(StrEnum):
    """What a metric hears of."""

    CONNECTED = "connected"
    GONE = "gone"
    FULL = "full"
    """A finding was dropped, because too many wait."""
    REFUSED = "refused"
    """A finding was dropped, because the broker will not have it."""


class Topics(NamedTuple):
    """Where a link publishes."""

    findings: str
    """What is followed by the event."""
    status: str


class _Status(msgspec.Struct, frozen=True, kw_only=True):
    """The status on the wire."""

    state: str
    connected_at: datetime
    at: datetime | None = None
    store: str = "unknown"
    sources: Mapping[str, str] = {}
    version: int = VERSION


class _Found(msgspec.Struct, frozen=True, kw_only=True):
    """A finding on the wire."""

    finding: Finding
    version: int = VERSION


class Link:
    """One connection at a time; `use` lends it to whoever publishes."""

    def __init__(self, name: str, broker: Broker, password: str | None, client_id: str, topics: Topics) -> None:
        self.running = False
        self._name = name
        self._broker = broker
        self._password = password
        self._client_id = client_id
        self._topics = topics
        self._findings: deque[Finding] = deque()
        self._new = asyncio.Event()
        self._empty = asyncio.Event()
        self._idle = asyncio.Event()
        self._idle.set()
        self._tried = asyncio.Event()
        self._lent = 0
        self._connection: Connection | None = None
        self._connected_at: datetime | None = None
        self._trouble = BrokerError(Trouble.UNREACHABLE, "not connected yet")
        self._note: Callable[[Happened], None] = lambda _: None

    @asynccontextmanager
    async def use(self) -> AsyncIterator[Connection]:
        """The connection, once it was tried; raises BrokerError with the reason when there is none."""
        await self._tried.wait()
        if self._connection is None:
            raise BrokerError(self._trouble.trouble, str(self._trouble))
        self._lent += 1
        self._idle.clear()
        try:
            yield self._connection
        finally:
            self._lent -= 1
            if not self._lent:
                self._idle.set()

    def tell(self, findings: Sequence[Finding]) -> None:
        """Publishes these when it can; the oldest go when too many wait."""
        self._findings.extend(findings)
        while len(self._findings) > MOST_FINDINGS:
            self._findings.popleft()
            self._note(Happened.FULL)
        if self._findings:
            self._empty.clear()
            self._new.set()

    async def run(
        self,
        stop: asyncio.Event,
        *,
        watched: Callable[[], Watched],
        note: Callable[[Happened], None],
        clock: Clock,
        chance: Random,
    ) -> None:
        """Connects, and again whenever it breaks, until `stop`; then what is lent comes back, and we take leave."""
        self._note = note
        self.running = True
        keeping = asyncio.create_task(self._keep(watched, clock, chance), name=f"keep {self._name}")
        try:
            await _first(stop.wait(), asyncio.shield(keeping))
            await self._idle.wait()
            await self._part(watched, clock)
        finally:
            self.running = False
            keeping.cancel()
            await asyncio.wait({keeping})
        if not keeping.cancelled():
            keeping.result()

    async def _part(self, watched: Callable[[], Watched], clock: Clock) -> None:
        if self._connection is None:
            return
        if self._findings:
            await _first(self._empty.wait(), clock.sleep(LAST))
        with suppress(BrokerError):
            await _first(self._take_leave(self._connection, watched(), clock.now()), clock.sleep(LAST))

    async def _take_leave(self, connection: Connection, now: Watched, at: datetime) -> None:
        await self._say(connection, "stopped", now, at)
        connection.parting = True

    async def _keep(self, watched: Callable[[], Watched], clock: Clock, chance: Random) -> None:
        failures = 0
        while True:
            began = clock.monotonic()
            try:
                await self._connect(watched, clock)
            except BrokerError as error:
                self._trouble = error
                self._tried.set()
                lasted = timedelta(seconds=clock.monotonic() - began)
                failures = 0 if lasted >= QUIET else failures + 1
                pause = timedelta(seconds=Backoff(longest=QUIET).wait(failures, chance))
                said = "receiver %s unavailable, next try in %.1f s: %s"
                log.warning(said, self._name, pause.total_seconds(), error, extra={"receiver": self._name})
                await clock.sleep(pause)

    async def _connect(self, watched: Callable[[], Watched], clock: Clock) -> None:
        now = clock.now()
        will = msgspec.json.encode(_Status(state="down", connected_at=now))
        session = Session(self._client_id, will=(self._topics.status, will))
        async with connected(self._broker, self._password, session) as connection:
            connection.parting = False  # until we say that we stop, a lost connection is the will's to tell
            self._connected_at = now
            self._connection = connection
            self._tried.set()
            self._note(Happened.CONNECTED)
            log.info("receiver %s: connected to %s", self._name, self._broker.address, extra={"receiver": self._name})
            try:
                await _first(_listen(connection), self._publish(connection), self._report(connection, watched, clock))
            finally:
                self._connection = None
                self._note(Happened.GONE)

    async def _publish(self, connection: Connection) -> None:
        """Findings, one after the other; one in hand when the connection breaks is tried again."""
        while True:
            while not self._findings:
                self._empty.set()
                self._new.clear()
                await self._new.wait()
            finding = self._findings[0]
            body = msgspec.json.encode(_Found(finding=finding))
            try:
                await connection.tell(self._topics.findings + finding.event, body, {})
            except BrokerError as error:
                if error.trouble not in {Trouble.REFUSED, Trouble.BUSY}:
                    raise
                self._note(Happened.REFUSED)
            if self._findings and self._findings[0] is finding:
                self._findings.popleft()

    async def _report(self, connection: Connection, watched: Callable[[], Watched], clock: Clock) -> None:
        """The status, when it has changed and every minute."""
        last, said_at = None, clock.monotonic()
        while True:
            now = watched()
            if now != last or clock.monotonic() - said_at >= EVERY.total_seconds():
                try:
                    await self._say(connection, "up", now, clock.now())
                except BrokerError as error:
                    if error.trouble not in {Trouble.REFUSED, Trouble.BUSY}:
                        raise
                    log.warning("receiver %s: no status: %s", self._name, error, extra={"receiver": self._name})
                last, said_at = now, clock.monotonic()
            await clock.sleep(LOOK)

    async def _say(self, connection: Connection, state: str, now: Watched, at: datetime) -> None:
        status = _Status(
            state=state, connected_at=self._connected_at or at, at=at, store=now.store, sources=dict(now.sources)
        )
        await connection.tell(self._topics.status, msgspec.json.encode(status), {}, retain=True)


async def _listen(connection: Connection) -> None:
    """Nothing is subscribed: only to notice when the connection breaks."""
    while True:
        await connection.heard()


async def _first(*waits: Coroutine[Any, Any, Any] | asyncio.Future[Any]) -> None:
    """Waits for all until one ends, then cancels the others; raises what any of them raised."""
    for done in await first_of(*waits):
        if not done.cancelled():
            done.result()
