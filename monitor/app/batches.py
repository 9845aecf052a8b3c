"""What is done with each batch: walked, committed, acknowledged to its sources, and told outside."""

import asyncio
from collections.abc import Callable

from monitor.app import observe
from monitor.app.desk import Committed, Desk, Taken
from monitor.arrivals import Settled
from monitor.metrics import Metrics
from monitor.pipeline import Arrivals
from monitor.store.worker import StoreWorker


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
        self.between = asyncio.Lock()

    async def work(self, arrivals: Arrivals) -> None:
        """One batch, part by part; a part is acknowledged once it is committed."""
        async with self.between:
            for part in await self._worker.call(self._desk.parts, arrivals):
                taken = await self._worker.call(self._desk.walk, part)
                committed = await self._worker.call(self._desk.commit, taken)
                self._settle(taken)
                observe.batch(self._metrics, taken, committed)
                self._tell(taken, committed)
            for told in arrivals.told:
                told()

    def _settle(self, taken: Taken) -> None:
        """Acknowledges what is committed, and what was set aside."""
        for payload, settled in zip(taken.part.payloads, taken.settled, strict=True):
            if payload.settle is not None:
                payload.settle(settled)
        for payload in taken.part.quarantined:
            self._metrics.quarantined.labels(payload.source).inc()
            if payload.settle is not None:
                payload.settle(Settled(0, {}, quarantined=True))
