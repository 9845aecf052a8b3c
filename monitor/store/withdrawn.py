"""Who was shown a post that its author has deleted since is told: cards are edited where the channel can."""

from collections.abc import Collection, Iterator, Mapping
from datetime import datetime, timedelta
from hashlib import blake2b

from msgspec.structs import replace
from sqlalchemy import Connection, Row, select

from monitor.records import EVIDENCE_DELETED, Notification
from monitor.store import alerts, fired, queue
from monitor.store.alerts import alert_from_json, key_of_evidence, without
from monitor.store.queue import QueueState
from monitor.store.schema import outbox

RECENT = timedelta(days=30)
"""Cards of older alerts are left as they are: nobody can edit them any more."""


def withdraw(connection: Connection, gone: set[int], until: Mapping[str, datetime]) -> None:
    """Takes mentions that have lost their text out of all that shows them, and queues who is to be told."""
    touched = alerts.showing(connection, gone)
    told = notices(connection, touched, gone, until)
    alerts.erase(connection, touched, gone)
    fired.erase(connection, touched, gone)
    queue.put(connection, told)


def notices(
    connection: Connection, touched: Collection[str], gone: Collection[int], until: Mapping[str, datetime]
) -> list[Notification]:
    """One per receiver that has a step of these alerts with a text of `gone` in it, and none queued that follows.

    `until`: receiver → how long it may be tried; others are not told. To be asked before the texts are erased.
    """
    if not until:
        return []
    oldest = min(until.values()) - RECENT
    rows = select(outbox).where(outbox.c.alert_id.in_(touched), outbox.c.state != QueueState.DEAD.value)
    last = {(row.alert_id, row.receiver): row for row in connection.execute(rows.order_by(outbox.c.number))}
    return [note for row in last.values() for note in _notice(row, gone, until, oldest)]


def _notice(
    row: Row[tuple[object, ...]], gone: Collection[int], until: Mapping[str, datetime], oldest: datetime
) -> Iterator[Notification]:
    alert = alert_from_json(row.body)
    shown = sorted({key_of_evidence(one, alert.event) for one in alert.evidence if one.text} & set(gone))
    if shown and row.state == QueueState.SENT.value and row.receiver in until and alert.at >= oldest:
        named = f"{alert.id}\0{EVIDENCE_DELETED}\0{shown}\0{row.receiver}"
        key = blake2b(named.encode(), digest_size=16).hexdigest()
        left = alert_from_json(without(row.body, gone))
        told = replace(left, reason=EVIDENCE_DELETED, change=EVIDENCE_DELETED, numbers={})
        yield Notification(key=key, receiver=row.receiver, alert=told, deadline=until[row.receiver])
