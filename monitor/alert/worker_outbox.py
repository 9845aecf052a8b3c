"""The store's outbox for the event loop: every call runs on the worker thread, the store's only caller."""

import asyncio
from collections.abc import Callable, Collection, Sequence
from concurrent.futures import Executor
from datetime import datetime
from typing import ParamSpec, TypeVar

from monitor.records import Notification
from monitor.store.queue import Due
from monitor.store.store import Store

P = ParamSpec("P")
T = TypeVar("T")


class WorkerOutbox:
    """Implements `monitor.alert.deliver.OutboxPort`."""

    def __init__(self, store: Store, worker: Executor) -> None:
        self._store = store
        self._worker = worker

    async def due(self, receiver: str, now: datetime, limit: int) -> Due:
        """As `Store.due`."""
        return await self._call(self._store.due, receiver, now, limit)

    async def unclaimed(self, receivers: Collection[str]) -> Sequence[Notification]:
        """As `Store.unclaimed`."""
        return await self._call(self._store.unclaimed, receivers)

    async def sent(self, key: str, receipt: str) -> None:
        """As `Store.mark_sent`."""
        await self._call(self._store.mark_sent, key, receipt)

    async def failed(self, key: str, next_at: datetime, reason: str, detail: str) -> None:
        """As `Store.mark_failed`."""
        await self._call(self._store.mark_failed, key, next_at, reason, detail)

    async def dead(self, key: str, reason: str, detail: str) -> None:
        """As `Store.mark_dead`."""
        await self._call(self._store.mark_dead, key, reason, detail)

    async def _call(self, method: Callable[P, T], *args: P.args, **_: P.kwargs) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._worker, method, *args)
