"""What is on its way to receivers: the notifications that a batch's transaction queues, and what serves them."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from hashlib import blake2b
from typing import Protocol

from monitor.records import Alert, Notification
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

    async def sent_since(self, receiver: str, since: datetime) -> Sequence[datetime]:
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


def notifications(alert: Alert, receivers: Mapping[str, timedelta], now: datetime) -> list[Notification]:
    """One notification per receiver (name → how long it may be tried), to be delivered until `now` plus that time."""
    return [
        Notification(key=idempotency_key(alert, name), receiver=name, alert=alert, deadline=now + lasts)
        for name, lasts in receivers.items()
    ]


def idempotency_key(alert: Alert, receiver: str) -> str:
    """32 hex digits that name this step of this alert at this receiver, the same in every run and at every attempt."""
    named = f"{alert.id}\0{alert.state.value}\0{alert.at.isoformat()}\0{receiver}"
    return blake2b(named.encode(), digest_size=16).hexdigest()
