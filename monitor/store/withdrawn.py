"""Who was shown a post that its author has deleted since is told: cards are edited where the channel can."""

from collections.abc import Collection, Iterator, Mapping
from datetime import datetime, timedelta
from hashlib import blake2b
from typing import Any

import msgspec
from msgspec.structs import replace
from sqlalchemy import Connection, Row, select, update

from monitor.records import EVIDENCE_DELETED, Gathered, Notification
from monitor.store import alerts, fired, queue
from monitor.store.alerts import alert_from_json, key_of_evidence, portions, without
from monitor.store.queue import HELD, QueueState
from monitor.store.schema import outbox

Step = Row[Any]
"""A row of the outbox."""
RECENT = timedelta(days=30)
"""Cards of older alerts are left as they are: nobody can edit them any more."""


def withdraw(connection: Connection, gone: set[int], until: Mapping[str, datetime]) -> None:
    """Takes mentions that have lost their text out of all that shows them, and queues who is to be told."""
    touched = alerts.showing(connection, gone)
    told = notices(connection, touched, gone, until)
    from_digests(connection, touched, gone)
    alerts.erase(connection, touched, gone)
    fired.erase(connection, touched, gone)
    queue.put(connection, told)


def notices(
    connection: Connection, touched: Collection[str], gone: Collection[int], until: Mapping[str, datetime]
) -> list[Notification]:
    """One per receiver that has a step of these alerts with a text of `gone` in it, and none on its way that follows.

    What is held back for a digest, or was told by one, is no such step: a digest leaves cards as they are. It says how
    the alert stands all the same. Alerts that share a card are told in the order of their last steps. `until`: receiver
    → how long it may be tried; others are not told. To be asked before the texts are erased.
    """
    if not until:
        return []
    oldest = min(until.values()) - RECENT
    rows = select(outbox).where(outbox.c.alert_id.in_(touched), outbox.c.state != QueueState.DEAD.value)
    steps = connection.execute(rows.order_by(outbox.c.number)).all()
    last = {(row.alert_id, row.receiver): row for row in steps}
    has = {(row.alert_id, row.receiver): row for row in steps if row.state == QueueState.SENT.value}
    pairs = sorted(((last[of], had) for of, had in has.items()), key=lambda pair: pair[0].number)
    return [note for newest, had in pairs for note in _notice(newest, had, gone, until, oldest)]


def _notice(
    newest: Step, had: Step, gone: Collection[int], until: Mapping[str, datetime], oldest: datetime
) -> Iterator[Notification]:
    """`had` is the step that the receiver has."""
    alert = alert_from_json(had.body)
    shown = sorted({key_of_evidence(one, alert.event) for one in alert.evidence if one.text} & set(gone))
    follows = newest.state == QueueState.QUEUED.value and newest.reason not in HELD
    if shown and not follows and had.receiver in until and alert.at >= oldest:
        named = f"{alert.id}\0{EVIDENCE_DELETED}\0{shown}\0{had.receiver}"
        key = blake2b(named.encode(), digest_size=16).hexdigest()
        left = alert_from_json(without(newest.body, gone))
        told = replace(left, reason=EVIDENCE_DELETED, change=EVIDENCE_DELETED, numbers={})
        yield Notification(key=key, receiver=had.receiver, alert=told, deadline=until[had.receiver])


def from_digests(connection: Connection, touched: Collection[str], gone: Collection[int]) -> None:
    """Takes deleted texts out of digests, which name alerts by them; to be asked before the texts are erased."""
    called: set[tuple[str, str]] = set()
    for some in portions(sorted(touched)):
        for body in connection.execute(select(outbox.c.body).where(outbox.c.alert_id.in_(some))).scalars():
            alert = alert_from_json(body)
            called |= {(alert.id, alert.label)} if alert_from_json(without(body, gone)).label != alert.label else set()
    if not called:
        return
    digests = select(outbox.c.number, outbox.c.body).where(outbox.c.alert_id == "")
    for row in connection.execute(digests).all():
        lines = msgspec.json.decode(row.body, type=tuple[Gathered, ...])
        left = tuple(_nameless(line) if (line.alert.id, line.alert.label) in called else line for line in lines)
        if left != lines:
            body = msgspec.json.encode(left).decode()
            connection.execute(update(outbox).where(outbox.c.number == row.number).values(body=body))


def _nameless(line: Gathered) -> Gathered:
    return replace(line, alert=replace(line.alert, label=line.alert.proposition))
