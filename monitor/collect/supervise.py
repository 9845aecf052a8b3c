"""Keeps one source running: tries again for ever with full jitter, stops it where it is refused, and notes its gaps."""

import logging
import random
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from enum import StrEnum

from monitor.clock import Clock
from monitor.collect.collector import Collector
from monitor.errors import SourceRefusedError, SourceUnavailableError
from monitor.records import GapMark, Payload

FIRST_PAUSE = timedelta(seconds=1)
LONGEST_PAUSE = timedelta(minutes=5)

log = logging.getLogger(__name__)


class SourceState(StrEnum):
    """How a source is doing; a metric and the health page show it."""

    RUNNING = "running"
    UNAVAILABLE = "unavailable"
    REFUSED = "refused"
    ENDED = "ended"


async def supervise(
    collector: Collector,
    since: str | None,
    put: Callable[[Payload | GapMark], Awaitable[None]],
    note: Callable[[str, SourceState], None],
    *,
    clock: Clock,
    chance: random.Random,
) -> None:
    """Puts the collector's payloads, and a GapMark after each time it was unavailable; returns at the source's end."""
    failures = 0
    blind_since: datetime | None = None
    why = ""
    while True:
        try:
            async for payload in collector.payloads(since):
                if blind_since is not None:
                    await put(GapMark(source=collector.name, begins=blind_since, ends=clock.now(), why=why))
                    blind_since = None
                note(collector.name, SourceState.RUNNING)
                failures = 0
                await put(payload._replace(arrived_at=clock.now()))
                since = payload.resume if payload.resume is not None else since
            note(collector.name, SourceState.ENDED)
        except SourceRefusedError as error:
            log.error("source %s stopped: %s", collector.name, error)  # noqa: TRY400 — expected; one line is enough
            note(collector.name, SourceState.REFUSED)
        except SourceUnavailableError as error:
            why = str(error)
            blind_since = blind_since or clock.now()
            note(collector.name, SourceState.UNAVAILABLE)
            failures += 1
            pause = _pause(failures, error.retry_after, chance)
            log.warning("source %s unavailable, next try in %.1f s: %s", collector.name, pause.total_seconds(), why)
            await clock.sleep(pause)
            continue
        return


def _pause(failures: int, retry_after: float | None, chance: random.Random) -> timedelta:
    """Full jitter: uniform below a doubling bound, but never before the source asked to be tried again."""
    bound = min(LONGEST_PAUSE, FIRST_PAUSE * (1 << min(failures - 1, 16)))
    return max(bound * chance.random(), timedelta(seconds=retry_after or 0))
