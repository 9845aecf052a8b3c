"""An alert and the receivers chosen for it → the notifications that the batch's transaction queues."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from hashlib import blake2b

from monitor.records import Alert, Notification


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
