"""The store's outbox for the event loop: every call runs on the worker thread, the store's only caller."""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from functools import partial

from monitor.records import Notification
from monitor.store.queue import Due
from monitor.store.store import Store
from monitor.store.withdrawn import Attempted
from monitor.store.worker import StoreWorker


class WorkerOutbox:
    """Implements `monitor.alert.outbox_port.OutboxPort`; a call waits while the store cannot be used."""

    def __init__(self, store: Store, worker: StoreWorker) -> None:
        self._store = store
        self._worker = worker

    async def due(self, receiver: str, now: datetime, limit: int) -> Due:
        """As `Store.due`."""
        return await self._worker.call(self._store.due, receiver, now, limit)

    async def unclaimed(self, receivers: Collection[str]) -> Sequence[Notification]:
        """As `Store.unclaimed`."""
        return await self._worker.call(self._store.unclaimed, receivers)

    async def begun(self, key: str) -> None:
        """As `Store.mark_begun`."""
        await self._worker.call(self._store.mark_begun, key)

    async def sent(self, key: str, receipt: str, attempted: Attempted) -> None:
        """As `Store.mark_sent`."""
        await self._worker.call(self._store.mark_sent, key, receipt, attempted.at, attempted)

    async def failed(
        self, key: str, next_at: datetime, reason: str, detail: str, *, unknown: bool, attempted: Attempted
    ) -> None:
        """As `Store.mark_failed`."""
        await self._worker.call(
            partial(self._store.mark_failed, key, next_at, reason, detail, unknown=unknown, attempted=attempted)
        )

    async def dead(self, key: str, reason: str, detail: str, *, unknown: bool, attempted: Attempted | None) -> None:
        """As `Store.mark_dead`."""
        await self._worker.call(
            partial(self._store.mark_dead, key, reason, detail, unknown=unknown, attempted=attempted)
        )

    async def sent_since(self, receiver: str, since: datetime, *, edits: bool) -> Sequence[datetime]:
        """As `Store.sent_since`."""
        return await self._worker.call(partial(self._store.sent_since, receiver, since, edits=edits))

    async def hold(self, key: str, until: datetime, reason: str, longer: timedelta) -> None:
        """As `Store.mark_held`."""
        await self._worker.call(self._store.mark_held, key, until, reason, longer)

    async def gather(self, receiver: str, now: datetime, *, edits: bool) -> bool:
        """As `Store.gather`."""
        return await self._worker.call(partial(self._store.gather, receiver, now, edits=edits))
