"""Who was shown a post that its author has deleted since is told: cards are edited where the channel can."""

from collections.abc import Collection, Iterator, Mapping
from collections.abc import Set as AbstractSet
from datetime import datetime, timedelta
from hashlib import blake2b
from typing import Any, NamedTuple

import msgspec
from msgspec.structs import replace
from sqlalchemy import Connection, Row, or_, select, update

from monitor.records import EVIDENCE_DELETED, Alert, AlertState, Gathered, Notification
from monitor.store import alerts, fired, queue
from monitor.store.alerts import alert_from_json, left_of, portions, shown_by
from monitor.store.queue import HELD, QueueState
from monitor.store.schema import alerts as kept
from monitor.store.schema import outbox

Step = Row[Any]
"""A row of the outbox."""
RECENT = timedelta(days=30)
"""Cards of older alerts are left as they are: nobody can edit them any more."""
EDITED_WITHIN = timedelta(hours=6)
"""How long it is tried to take off a card what was deleted while that was under way."""


class Attempted(NamedTuple):
    """An attempt to send a step, as it left, and when it was over."""

    alert: Alert
    at: datetime


def have(connection: Connection) -> dict[str, set[str]]:
    """Card → the receivers that are told of it, of every card on which something fires."""
    fires = kept.c.state.in_([AlertState.FIRING.value, AlertState.ACKNOWLEDGED.value])
    told = (outbox.c.alert_id.in_(select(kept.c.id).where(fires)), outbox.c.state != QueueState.DEAD.value)
    found: dict[str, set[str]] = {}
    for row in connection.execute(select(outbox.c.card, outbox.c.receiver).distinct().where(*told)):
        found.setdefault(row.card, set()).add(row.receiver)
    return found


def withdraw(connection: Connection, gone: AbstractSet[int], until: Mapping[str, datetime]) -> None:
    """Takes mentions that have lost their text out of all that shows them, and queues who is to be told."""
    touched = alerts.showing(connection, gone)
    told = notices(connection, touched, gone, until)
    from_digests(connection, touched, gone)
    alerts.erase(connection, touched, gone)
    fired.erase(connection, touched, gone)
    queue.put(connection, told)


def notices(
    connection: Connection, touched: Collection[str], gone: AbstractSet[int], until: Mapping[str, datetime]
) -> list[Notification]:
    """One per receiver that has, or may have, a step of these alerts with a text of `gone` in it.

    None where a step is on its way that follows. What is held back for a digest, or was told by one, is no such step: a
    digest leaves cards as they are. It says how the alert stands all the same. Alerts that share a card are told in the
    order of their last steps. `until`: receiver → how long it may be tried; others are not told. To be asked before the
    texts are erased.
    """
    if not until:
        return []
    oldest = min(until.values()) - RECENT
    rows = select(outbox).where(outbox.c.alert_id.in_(touched), outbox.c.state != QueueState.DEAD.value)
    steps = connection.execute(rows.order_by(outbox.c.number)).all()
    last = {(row.alert_id, row.receiver): row for row in steps}
    has = {(row.alert_id, row.receiver): row for row in steps if _may_have(row)}
    pairs = sorted(((last[of], had) for of, had in has.items()), key=lambda pair: pair[0].number)
    return [
        note
        for newest, had in pairs
        for note in _notice(newest, had, shown_by(alert_from_json(had.body)) & gone, until, oldest)
    ]


def _may_have(row: Step) -> bool:
    """Whether the receiver has a step, or may have it from an attempt of which nobody knows how it ended."""
    tried = row.state == QueueState.QUEUED.value and bool(row.uncertain or row.attempts > 0)
    return tried or row.state == QueueState.SENT.value


def _notice(
    newest: Step, had: Step, shown: AbstractSet[int], until: Mapping[str, datetime], oldest: datetime
) -> Iterator[Notification]:
    """`had` is the step that the receiver has, with the mentions `shown` that are gone."""
    alert = alert_from_json(newest.body)
    follows = newest.number > had.number and newest.state == QueueState.QUEUED.value and newest.reason not in HELD
    if shown and not follows and had.receiver in until and alert_from_json(had.body).at >= oldest:
        named = f"{alert.id}\0{EVIDENCE_DELETED}\0{sorted(shown)}\0{had.receiver}"
        key = blake2b(named.encode(), digest_size=16).hexdigest()
        left = left_of(alert, shown)
        told = replace(left, change=EVIDENCE_DELETED)
        yield Notification(key=key, receiver=had.receiver, alert=told, deadline=until[had.receiver])


def since_sent(connection: Connection, key: str, attempted: Attempted) -> None:
    """An attempt arrived, or may have: queues an edit where a post on it was deleted while it was under way.

    A card that never arrived for certain is nobody's to edit: then nothing is queued.
    """
    row = connection.execute(select(outbox).where(outbox.c.key == key)).one_or_none()
    if row is None or not row.alert_id:
        return
    lost = shown_by(attempted.alert) - shown_by(alert_from_json(row.body))
    if not lost:
        return
    same = (outbox.c.receiver == row.receiver, outbox.c.alert_id == row.alert_id)
    living = or_(outbox.c.state != QueueState.DEAD.value, outbox.c.number == row.number)
    newest = connection.execute(select(outbox).where(*same, living).order_by(outbox.c.number.desc()).limit(1)).one()
    there = select(outbox.c.number).where(
        outbox.c.receiver == row.receiver, outbox.c.card == row.card, outbox.c.state == QueueState.SENT.value
    )
    if row.state == QueueState.DEAD.value and connection.execute(there.limit(1)).first() is None:
        return
    until = {row.receiver: attempted.at + EDITED_WITHIN}
    queue.put(connection, list(_notice(newest, row, lost, until, attempted.at - RECENT)))


def from_digests(connection: Connection, touched: Collection[str], gone: AbstractSet[int]) -> None:
    """Takes deleted texts out of digests, which name alerts by them; to be asked before the texts are erased."""
    called: dict[tuple[str, str], Alert] = {}
    for some in portions(sorted(touched)):
        for body in connection.execute(select(outbox.c.body).where(outbox.c.alert_id.in_(some))).scalars():
            alert = alert_from_json(body)
            left = left_of(alert, gone)
            if left.label != alert.label:
                called[alert.id, alert.label] = left
    if not called:
        return
    digests = select(outbox.c.number, outbox.c.body).where(outbox.c.alert_id == "")
    for row in connection.execute(digests).all():
        lines = msgspec.json.decode(row.body, type=tuple[Gathered, ...])
        left_lines = tuple(_called(line, called.get((line.alert.id, line.alert.label))) for line in lines)
        if left_lines != lines:
            body = msgspec.json.encode(left_lines).decode()
            connection.execute(update(outbox).where(outbox.c.number == row.number).values(body=body))


def _called(line: Gathered, by: Alert | None) -> Gathered:
    """The line, called as another form of its alert is."""
    return line if by is None else replace(line, alert=replace(line.alert, label=by.label, label_of=by.label_of))
