"""The outbox's rows: what is to be sent, was sent, or could not be."""

from collections.abc import Collection, Sequence
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

from msgspec.structs import replace
from sqlalchemy import Connection, Row, case, exists, func, select, update

from monitor.records import Alert, AlertState, Notification
from monitor.store.alerts import alert_from_json, alert_to_json
from monitor.store.dialect import insert_new
from monitor.store.schema import EPOCH, outbox


class QueueState(StrEnum):
    """Where a notification stands."""

    QUEUED = "queued"
    SENT = "sent"
    DEAD = "dead"


class Queued(NamedTuple):
    """A notification to be sent, and how often that was tried."""

    notification: Notification
    attempts: int


class Due(NamedTuple):
    """What can be sent now, oldest first, and when there is more (None: nothing waits)."""

    queued: tuple[Queued, ...]
    next_at: datetime | None


class DeadLetter(NamedTuple):
    """A notification that was given up, with the bounded reason and what the receiver said."""

    notification: Notification
    attempts: int
    reason: str
    detail: str


_QUEUED = outbox.c.state == QueueState.QUEUED.value
_before = outbox.alias("before")
_had = outbox.alias("had")
_FIRST_IN_LINE = ~exists().where(
    _before.c.state == QueueState.QUEUED.value,
    _before.c.card == outbox.c.card,
    _before.c.receiver == outbox.c.receiver,
    _before.c.number < outbox.c.number,
)
"""What shares one card reaches a receiver in its order: a later step waits for the earlier."""


_OF_THE_SAME = (
    _had.c.card == outbox.c.card,
    _had.c.receiver == outbox.c.receiver,
    _had.c.state == QueueState.SENT.value,
)
_LATER_WAS_SENT = exists().where(*_OF_THE_SAME, _had.c.number > outbox.c.number)
_EARLIER = select(_had.c.receipt).where(*_OF_THE_SAME).order_by(_had.c.number.desc()).limit(1).scalar_subquery()
"""What the receiver answered to the last step of the card that it has."""


def waiting(connection: Connection) -> int:
    """How many notifications are on their way, to any receiver."""
    return connection.execute(select(func.count()).select_from(outbox).where(_QUEUED)).scalar_one()


def put(connection: Connection, notifications: Sequence[Notification]) -> None:
    """Queues notifications; one whose key is known, sent or not, is left alone."""
    if not notifications:
        return
    rows = [
        {
            "key": each.key,
            "receiver": each.receiver,
            "alert_id": each.alert.id,
            "card": each.alert.group or each.alert.id,
            "body": alert_to_json(each.alert),
            "deadline": each.deadline,
            "attempts": 0,
            "next_attempt_at": EPOCH,
            "state": QueueState.QUEUED.value,
            "reason": "",
            "detail": "",
            "receipt": "",
            "uncertain": False,
        }
        for each in notifications
    ]
    connection.execute(insert_new(connection.dialect, outbox, ["key"]), rows)


def due(connection: Connection, receiver: str, now: datetime, limit: int) -> Due:
    """What `receiver` can be sent at `now`, at most `limit`."""
    columns = (outbox, case((_LATER_WAS_SENT, ""), else_=_EARLIER).label("earlier"))
    waiting = select(*columns).where(_QUEUED, outbox.c.receiver == receiver, _FIRST_IN_LINE)
    ready = waiting.where(outbox.c.next_attempt_at <= now).order_by(outbox.c.number).limit(limit)
    rows = connection.execute(ready).all()
    times = select(func.min(outbox.c.next_attempt_at)).where(
        _QUEUED, outbox.c.receiver == receiver, _FIRST_IN_LINE, outbox.c.key.not_in([row.key for row in rows])
    )
    queued = (Queued(replace(_notification(row), earlier=row.earlier or ""), row.attempts) for row in rows)
    return Due(tuple(queued), connection.execute(times).scalar())


def unclaimed(connection: Connection, receivers: Collection[str]) -> list[Notification]:
    """Queued notifications to receivers other than `receivers`: the configuration no longer has them."""
    found = select(outbox).where(_QUEUED, outbox.c.receiver.not_in(receivers)).order_by(outbox.c.number)
    return [_notification(row) for row in connection.execute(found)]


def standing(connection: Connection, receiver: str) -> list[Alert]:
    """The last step that `receiver` has of every alert, oldest first, where that is not its end."""
    has = (outbox.c.receiver == receiver, outbox.c.state == QueueState.SENT.value)
    last = select(func.max(outbox.c.number)).where(*has).group_by(outbox.c.alert_id)
    rows = connection.execute(select(outbox.c.body).where(outbox.c.number.in_(last)).order_by(outbox.c.number))
    alerts = (alert_from_json(row.body) for row in rows)
    return [alert for alert in alerts if alert.state is not AlertState.RESOLVED]


def begun(connection: Connection, key: str) -> None:
    """An attempt begins: until it is known how it ended, it may have arrived."""
    _set(connection, key, uncertain=True)


def sent(connection: Connection, key: str, receipt: str) -> None:
    """The receiver has it."""
    _set(connection, key, state=QueueState.SENT.value, receipt=receipt, attempts=outbox.c.attempts + 1)


def failed(connection: Connection, key: str, next_at: datetime, reason: str, detail: str, *, unknown: bool) -> None:
    """One attempt failed, the next is at `next_at`; `unknown`: this or an earlier one may have arrived all the same."""
    attempts = outbox.c.attempts + 1
    said = {"reason": reason, "detail": detail, "uncertain": unknown}
    _set(connection, key, next_attempt_at=next_at, attempts=attempts, **said)


def dead(connection: Connection, key: str, reason: str, detail: str, *, unknown: bool) -> None:
    """Nobody tries again, but an operator who queues it anew; `unknown`: an attempt may have arrived all the same."""
    _set(connection, key, state=QueueState.DEAD.value, reason=reason, detail=detail, uncertain=unknown)


def _set(connection: Connection, key: str, **values: object) -> None:
    connection.execute(update(outbox).where(outbox.c.key == key, _QUEUED).values(values))


def dead_letters(
    connection: Connection,
    receiver: str | None = None,
    limit: int | None = None,
    keys: Collection[str] | None = None,
) -> list[DeadLetter]:
    """Dead letters, oldest first: the newest `limit`, of one receiver, or of these keys."""
    found = select(outbox).where(outbox.c.state == QueueState.DEAD.value).order_by(outbox.c.number.desc()).limit(limit)
    found = found if receiver is None else found.where(outbox.c.receiver == receiver)
    found = found if keys is None else found.where(outbox.c.key.in_(keys))
    rows = connection.execute(found).all()[::-1]
    return [DeadLetter(_notification(r), r.attempts, r.reason, r.detail) for r in rows]


def requeue(connection: Connection, key: str, deadline: datetime) -> bool:
    """Queues a dead letter anew until `deadline`; False if there is none of this key."""
    statement = update(outbox).where(outbox.c.key == key, outbox.c.state == QueueState.DEAD.value)
    values = {"state": QueueState.QUEUED.value, "deadline": deadline, "attempts": 0, "next_attempt_at": EPOCH}
    return connection.execute(statement.values(values)).rowcount > 0


def _notification(row: Row[tuple[object, ...]]) -> Notification:
    alert = alert_from_json(row.body)
    return Notification(
        key=row.key, receiver=row.receiver, alert=alert, deadline=row.deadline, repeat=bool(row.uncertain)
    )
