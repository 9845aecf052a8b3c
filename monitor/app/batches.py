"""What is done with each batch: walked, committed, acknowledged to its sources, and told outside."""

import asyncio
import logging
from collections.abc import Callable
from datetime import timedelta

from monitor.app import observe
from monitor.app.desk import Desk
from monitor.app.parts import Committed, Taken
from monitor.app.velocity import Velocity
from monitor.arrivals import Settled
from monitor.metrics import Metrics
from monitor.pipeline import Arrivals
from monitor.store.worker import StoreWorker

AHEAD = timedelta(seconds=10)
"""A clock further behind the stream than this is worth a word."""

log = logging.getLogger(__name__)


class Batches:
    """Works on one batch at a time; whoever holds `between` finds none in hand."""

    def __init__(
        self, worker: StoreWorker, desk: Desk, metrics: Metrics, tell: Callable[[Taken, Committed], None]
    ) -> None:
        """`tell` hears of everything that was committed."""
        self._worker = worker
        self._desk = desk
        self._metrics = metrics
        self._tell = tell
        self._velocity = Velocity()
        self.between = asyncio.Lock()
        self._warned = False

    async def work(self, arrivals: Arrivals) -> None:
        """One batch, part by part; a part is acknowledged once it is committed."""
        async with self.between:
            parts = await self._worker.call(self._desk.parts, arrivals)
            self._note_clock()
            for part in parts:
                taken = await self._worker.call(self._desk.walk, part)
                committed = await self._worker.call(self._desk.commit, taken)
                self._settle(taken)
                observe.batch(self._metrics, taken, committed)
                observe.narratives(self._metrics, self._velocity, taken)
                self._metrics.outbox.set(await self._worker.call(self._desk.waiting))
                self._tell(taken, committed)
            for told in arrivals.told:
                told()

    def _note_clock(self) -> None:
        """A clock that was set back, or stood ahead in an earlier run, is said once."""
        ahead = self._desk.ahead
        self._metrics.ahead.set(ahead.total_seconds())
        if ahead > AHEAD and not self._warned:
            log.error(
                "the clock is %.0f s behind what was seen already; nothing is decided until then", ahead.total_seconds()
            )
        self._warned = ahead > AHEAD

    def _settle(self, taken: Taken) -> None:
        """Acknowledges what is committed, and what was set aside."""
        for payload, settled in zip(taken.part.payloads, taken.settled, strict=True):
            if payload.settle is not None:
                payload.settle(settled)
        for payload in taken.part.quarantined:
            self._metrics.quarantined.labels(payload.source).inc()
            if payload.settle is not None:
                payload.settle(Settled(0, {}, quarantined=True))
