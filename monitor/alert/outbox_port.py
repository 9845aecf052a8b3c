"""The store's outbox, as the deliverer needs it."""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import Protocol

from monitor.records import Notification
from monitor.store.queue import Due
from monitor.store.withdrawn import Attempted


class OutboxPort(Protocol):
    """The store's outbox, as seen from the event loop; whoever builds it calls the store on the worker thread."""

    async def due(self, receiver: str, now: datetime, limit: int) -> Due:
        """`Store.due`."""
        ...

    async def unclaimed(self, receivers: Collection[str]) -> Sequence[Notification]:
        """`Store.unclaimed`."""
        ...

    async def begun(self, key: str) -> None:
        """`Store.mark_begun`."""
        ...

    async def sent(self, key: str, receipt: str, attempted: Attempted) -> None:
        """`Store.mark_sent`."""
        ...

    async def sent_since(self, receiver: str, since: datetime, *, edits: bool) -> Sequence[datetime]:
        """`Store.sent_since`."""
        ...

    async def hold(self, key: str, until: datetime, reason: str, longer: timedelta) -> None:
        """`Store.mark_held`."""
        ...

    async def gather(self, receiver: str, now: datetime, *, edits: bool) -> bool:
        """`Store.gather`."""
        ...

    async def failed(
        self, key: str, next_at: datetime, reason: str, detail: str, *, unknown: bool, attempted: Attempted
    ) -> None:
        """`Store.mark_failed`."""
        ...

    async def dead(self, key: str, reason: str, detail: str, *, unknown: bool, attempted: Attempted | None) -> None:
        """`Store.mark_dead`."""
        ...
