"""The outbox port on a store in memory, called on the loop because nothing there blocks."""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta

from monitor.records import Notification
from monitor.store.queue import Due
from monitor.store.store import Store
from monitor.store.withdrawn import Attempted


class DirectOutbox:
    """Implements monitor.alert.outbox_port.OutboxPort."""

    def __init__(self, store: Store) -> None:
        self.store = store

    async def due(self, receiver: str, now: datetime, limit: int) -> Due:
        return self.store.due(receiver, now, limit)

    async def unclaimed(self, receivers: Collection[str]) -> Sequence[Notification]:
        return self.store.unclaimed(receivers)

    async def begun(self, key: str) -> None:
        self.store.mark_begun(key)

    async def sent(self, key: str, receipt: str, attempted: Attempted) -> None:
        self.store.mark_sent(key, receipt, attempted.at, attempted)

    async def failed(
        self, key: str, next_at: datetime, reason: str, detail: str, *, unknown: bool, attempted: Attempted
    ) -> None:
        self.store.mark_failed(key, next_at, reason, detail, unknown=unknown, attempted=attempted)

    async def dead(self, key: str, reason: str, detail: str, *, unknown: bool, attempted: Attempted | None) -> None:
        self.store.mark_dead(key, reason, detail, unknown=unknown, attempted=attempted)

    async def sent_since(self, receiver: str, since: datetime, *, edits: bool) -> Sequence[datetime]:
        return self.store.sent_since(receiver, since, edits=edits)

    async def hold(self, key: str, until: datetime, reason: str, longer: timedelta) -> None:
        self.store.mark_held(key, until, reason, longer)

    async def gather(self, receiver: str, now: datetime, *, edits: bool) -> bool:
        return self.store.gather(receiver, now, edits=edits)
