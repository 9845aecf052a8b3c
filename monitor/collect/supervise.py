"""Keeps one source running: tries again for ever with full jitter, stops it where it is refused, and notes its gaps.

A source is blind from the moment it is known to be away (where a connection went stale: since it was last heard; where
it never answered: since it was tried) until it answers again, and for good where it is refused. An outage is noted
piece by piece, at every failed try and at its end, so that baselines and cards know of it while it lasts; the pieces
touch and have the same reason.
"""

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable
from contextlib import aclosing
from datetime import datetime, timedelta
from enum import StrEnum

from monitor.arrivals import Contact, Payload
from monitor.clock import Clock
from monitor.collect.collector import Collector
from monitor.errors import SourceRefusedError, SourceUnavailableError
from monitor.marks import GapMark

FIRST_PAUSE = timedelta(seconds=1)
LONGEST_PAUSE = timedelta(minutes=5)
QUIET = timedelta(minutes=1)
"""A connection that lasted this long was good: the next failure is a first one again."""
REFUSED_PIECE = timedelta(minutes=1)
"""How often it is noted that a refused source is still blind."""

log = logging.getLogger(__name__)

Put = Callable[[Payload | GapMark], Awaitable[None]]


class SourceState(StrEnum):
    """How a source is doing; a metric and the health page show it."""

    STARTING = "starting"
    RUNNING = "running"
    UNAVAILABLE = "unavailable"
    REFUSED = "refused"
    ENDED = "ended"


async def supervise(
    collector: Collector,
    since: str | None,
    put: Put,
    note: Callable[[str, SourceState], None],
    *,
    clock: Clock,
    chance: random.Random,
) -> None:
    """Puts the collector's payloads and a GapMark for each time it was blind; returns at the source's end.

    A refused source is not tried again, but stays blind until this is cancelled.
    """
    connection = _Connection(collector, since, put, note, clock)
    note(collector.name, SourceState.STARTING)
    try:
        await _kept_running(collector, connection, note, clock, chance)
    finally:
        await connection.end()


async def _kept_running(
    collector: Collector,
    connection: "_Connection",
    note: Callable[[str, SourceState], None],
    clock: Clock,
    chance: random.Random,
) -> None:
    failures = 0
    while True:
        try:
            await connection.read()
        except SourceRefusedError as error:
            said = "source %s stopped: %s; mend that, then reload (SIGHUP)"
            log.error(said, collector.name, error, extra={"source": collector.name})  # noqa: TRY400 — expected: one line
            note(collector.name, SourceState.REFUSED)
            await connection.blind_for_good(str(error))
        except SourceUnavailableError as error:
            failures = 1 if connection.lasted() >= QUIET else failures + 1
            note(collector.name, SourceState.UNAVAILABLE)
            await connection.lost(str(error))
            pause = _pause(failures, error, chance)
            said = "source %s unavailable, next try in %.1f s: %s"
            log.warning(said, collector.name, pause.total_seconds(), error, extra={"source": collector.name})
            await clock.sleep(pause)
            continue
        else:
            note(collector.name, SourceState.ENDED)
        return


class _Connection:
    """A source over all its connections: where it goes on, when it was heard, since when it is blind."""

    def __init__(
        self,
        collector: Collector,
        since: str | None,
        put: Put,
        note: Callable[[str, SourceState], None],
        clock: Clock,
    ) -> None:
        self._collector = collector
        self._since = since
        self._put = put
        self._note = note
        self._clock = clock
        self._answered: float | None = None
        """When this connection answered first, on the monotonic clock."""
        self._heard = clock.now()
        self._quiet_since = clock.monotonic()
        """As `_heard`, on the clock that nobody sets."""
        self._handing_on = False
        self._stale = False
        self._blind_since: datetime | None = None
        self._why = ""

    def lasted(self) -> timedelta:
        """How long the last connection was up."""
        return timedelta(seconds=0 if self._answered is None else self._clock.monotonic() - self._answered)

    async def read(self) -> None:
        """One connection, from its begin to its end; raises what the collector raises."""
        self._answered, self._stale, self._handing_on = None, False, False
        self._hear()
        reading = asyncio.create_task(self._read(), name=f"read {self._collector.name}")
        watching = asyncio.create_task(self._watch(), name=f"watch {self._collector.name}")
        tasks = (reading, watching)
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.wait(tasks)
        self._stale = reading not in done
        if self._stale:
            limit = watching.result()
            _raise_bug(reading)
            why = f"nothing came for {limit.total_seconds():g} s; the connection is made anew"
            raise SourceUnavailableError(why)
        if reading.cancelled():
            why = "the connection was cancelled from within"
            raise SourceUnavailableError(why)
        reading.result()

    async def lost(self, why: str) -> None:
        """The connection is gone, or could not be made again: notes how long the source has been blind by now."""
        now = self._clock.now()
        if self._blind_since is None:
            self._blind_since = self._heard if self._stale or self._answered is None else now
            self._why = why
        await self._put(self._gap(self._blind_since, now, goes_on=True))  # short at first: so a card knows at once
        self._blind_since = now

    async def end(self) -> None:
        """The source is ended, or made anew: an outage is noted up to now."""
        if self._blind_since is not None:
            await self.lost(self._why)

    async def blind_for_good(self, why: str) -> None:
        """The source is refused: notes that it is blind, for ever."""
        while True:
            await self.lost(why)
            await self._clock.sleep(REFUSED_PIECE)

    async def _read(self) -> None:
        async with aclosing(self._collector.payloads(self._since)) as arrivals:  # type: ignore[type-var]
            async for arrival in arrivals:
                await self._reached()
                if isinstance(arrival, Contact):
                    continue
                self._handing_on = True
                if isinstance(arrival, Payload):
                    arrived = arrival._replace(arrived_at=arrival.arrived_at or self._clock.now())
                    await self._put(arrived)
                    self._since = arrival.resume if arrival.resume is not None else self._since
                else:
                    await self._put(arrival)
                self._handing_on = False
                self._hear()

    async def _reached(self) -> None:
        """The source answers."""
        self._hear()
        if self._answered is None:
            self._answered = self._clock.monotonic()
            self._note(self._collector.name, SourceState.RUNNING)
        if self._blind_since is not None:
            gap = self._gap(self._blind_since, self._heard)
            self._blind_since = None
            log.info("source %s answers again", self._collector.name, extra={"source": self._collector.name})
            await self._put(gap)

    def _gap(self, begins: datetime, ends: datetime, *, goes_on: bool = False) -> GapMark:
        return GapMark(source=self._collector.name, begins=begins, ends=ends, why=self._why, goes_on=goes_on)

    def _hear(self) -> None:
        self._heard, self._quiet_since = self._clock.now(), self._clock.monotonic()

    async def _watch(self) -> timedelta:
        """Ends when the source was not heard for too long; a full channel is not the source's silence."""
        limit = self._collector.stale_after
        if limit is None:
            return await asyncio.Future()
        while True:
            left = limit - timedelta(seconds=self._clock.monotonic() - self._quiet_since)
            if left <= timedelta() and not self._handing_on:
                return limit
            await self._clock.sleep(max(left, timedelta(seconds=1)))


def _raise_bug(reading: "asyncio.Task[None]") -> None:
    """What went wrong while a stale connection was closed, unless it is that the source is away."""
    error = None if reading.cancelled() else reading.exception()
    if error is not None and not isinstance(error, SourceUnavailableError):
        raise error


def _pause(failures: int, error: SourceUnavailableError, chance: random.Random) -> timedelta:
    """Full jitter: uniform below a doubling bound, but never before the source asked to be tried again."""
    longest = LONGEST_PAUSE if error.within is None else timedelta(seconds=error.within)
    bound = min(longest, FIRST_PAUSE * (1 << min(failures - 1, 16)))
    return max(bound * chance.random(), timedelta(seconds=error.retry_after or 0))
