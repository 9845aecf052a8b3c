"""What an outside observer measures of a running daemon."""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from sqlalchemy import text

from monitor.clock import SystemClock
from tests.rig.audit import reading
from tests.rig.feed import Ledger
from tests.rig.process import DaemonProcess, total
from tests.rig.rig import Rig

_EVERY = timedelta(milliseconds=200)
"""What is measured so is too long by up to as much; asked much more often, answering is most of what a monitor does."""
_SECOND = timedelta(seconds=1)

Floats = npt.NDArray[np.float64]


class Seen(NamedTuple):
    """A moment at which /metrics was read, and how many mentions it had."""

    at: datetime
    mentions: float


async def watch(daemon: DaemonProcess, stop: asyncio.Event) -> list[Seen]:
    """Reads /metrics over and over until `stop`; the time is when the answer was there."""
    clock, seen = SystemClock(), list[Seen]()
    while not stop.is_set():
        mentions = total(await daemon.metrics(), "monitor_mentions_total")
        seen.append(Seen(clock.now(), mentions))
        await clock.sleep(_EVERY)
    return seen


def delays(ledger: Ledger, seen: Sequence[Seen], before: float) -> Floats:
    """Per mention, in the order they were published: seconds until /metrics counted so many; `before` were there."""
    published = np.sort([at.timestamp() for at in ledger.published.values()])
    counts = np.array([one.mentions - before for one in seen])
    times = np.array([one.at.timestamp() for one in seen])
    first = np.searchsorted(counts, np.arange(1, published.size + 1))
    assert first.max() < times.size, "not all were counted in time"
    late: Floats = times[first] - published
    return late


def alert_delays(
    store: str, ledger: Ledger, taken: Mapping[str, dict[str, object]], at: Mapping[str, datetime]
) -> Floats:
    """Per firing alert: seconds from the first post seen in the second that crossed to its webhook request.

    Which of that second's posts crossed is not known, so the first one is taken: an upper bound.
    """
    found = []
    asked = text("SELECT id FROM mentions WHERE event = :event AND seen_at >= :first AND seen_at < :last")
    with reading(store) as connection:
        for key, document in taken.items():
            alert = document["alert"]
            assert isinstance(alert, dict)
            if alert["state"] != "firing":
                continue
            tick = datetime.fromisoformat(alert["at"])
            span = {"event": alert["event"], "first": _micro(tick - _SECOND), "last": _micro(tick)}
            crossing = [ledger.published[post] for post in connection.execute(asked, span).scalars()]
            if crossing:
                found.append((at[key] - min(crossing)).total_seconds())
    return np.array(found)


async def drained(rig: Rig, posts: int, limit: float) -> float:
    """Waits until `posts` posts were received in all; the seconds that took."""
    clock = SystemClock()
    began = clock.monotonic()
    async with asyncio.timeout(limit):
        while total(await rig.daemon.metrics(), "monitor_posts_received_total") < posts:
            await clock.sleep(_EVERY)
    return clock.monotonic() - began


def spread(values: Floats) -> str:
    """Median, p99 and largest."""
    return (
        f"p50 {np.median(values):.2f}, p99 {np.quantile(values, 0.99):.2f}, max {values.max():.2f} of {values.size:,}"
    )


def _micro(at: datetime) -> int:
    return int(at.timestamp() * 1_000_000)
