"""The outbox's rows: what is to be sent, was sent, or could not be."""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from hashlib import blake2b
from typing import Any, NamedTuple

import msgspec
from msgspec.structs import replace
from sqlalchemy import ColumnElement, Connection, FromClause, Row, case, exists, func, or_, select, update

from monitor.records import EVIDENCE_DELETED, GATHERED, QUIET, Alert, AlertState, Gathered, Notification
from monitor.store.alerts import alert_from_json, alert_to_json, portions
from monitor.store.dialect import insert_new
from monitor.store.schema import EPOCH, alerts, outbox


class QueueState(StrEnum):
    """Where a notification stands."""

    QUEUED = "queued"
    SENT = "sent"
    DEAD = "dead"
    GATHERED = "gathered"
    """Told by a digest, or made superfluous by a later step."""


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


HELD = ("quiet_hours", "hourly_budget")
"""Reasons of what is held back for a digest."""
_QUEUED = outbox.c.state == QueueState.QUEUED.value
_NEW = {
    "attempts": 0,
    "next_attempt_at": EPOCH,
    "state": QueueState.QUEUED.value,
    "reason": "",
    "detail": "",
    "receipt": "",
    "uncertain": False,
}
_before = outbox.alias("before")
_had = outbox.alias("had")
_FIRST_IN_LINE = ~exists().where(
    _before.c.state.concat("")
    == QueueState.QUEUED.value,  # found by its card: SQLite would look at all that are queued
    _before.c.reason.not_in(HELD),
    _before.c.card == outbox.c.card,
    _before.c.receiver == outbox.c.receiver,
    _before.c.number < outbox.c.number,
)
"""What shares one card reaches a receiver in its order: a later step waits for the earlier, unless that is held."""
_OF_THE_SAME = (
    _had.c.card == outbox.c.card,
    _had.c.receiver == outbox.c.receiver,
    _had.c.state.concat("") == QueueState.SENT.value,
)


def _tells(table: FromClause, changes: Collection[str]) -> ColumnElement[bool]:
    """Whether a row is a step of one of these changes; a quote in a text is escaped, so that no post looks like it."""
    return or_(*(table.c.body.contains(f'"change":"{change}"', autoescape=True) for change in sorted(changes)))


_NO_STEP = frozenset({EVIDENCE_DELETED})  # it says of a card what is no more, and overtakes no step of it
_LATER_WAS_SENT = exists().where(*_OF_THE_SAME, _had.c.number > outbox.c.number, ~_tells(_had, _NO_STEP))
_EARLIER = select(_had.c.receipt).where(*_OF_THE_SAME).order_by(_had.c.number.desc()).limit(1).scalar_subquery()
"""What the receiver answered to the last step of the card that it has."""


def waiting(connection: Connection) -> int:
    """How many notifications are on their way, to any receiver; those that are held back for a digest are not."""
    under_way = (_QUEUED, outbox.c.reason.not_in(HELD))
    return connection.execute(select(func.count()).select_from(outbox).where(*under_way)).scalar_one()


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
            **_NEW,
        }
        for each in notifications
    ]
    connection.execute(insert_new(connection.dialect, outbox, ["key"]), rows)


def due(connection: Connection, receiver: str, now: datetime, limit: int) -> Due:
    """What `receiver` can be sent at `now`, at most `limit`: digests, and then what is oldest."""
    columns = (outbox, case((_LATER_WAS_SENT, ""), else_=_EARLIER).label("earlier"))
    waiting = select(*columns).where(_QUEUED, outbox.c.receiver == receiver, _FIRST_IN_LINE)
    ready = waiting.where(outbox.c.next_attempt_at <= now).order_by(outbox.c.alert_id != "", outbox.c.number)
    rows = connection.execute(ready.limit(limit)).all()
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
    """The last step that `receiver` has of every alert that is not over, oldest first."""
    over = exists().where(alerts.c.id == outbox.c.alert_id, alerts.c.state == AlertState.RESOLVED.value)
    has = (outbox.c.receiver == receiver, outbox.c.state == QueueState.SENT.value, outbox.c.alert_id != "", ~over)
    last = select(func.max(outbox.c.number)).where(*has).group_by(outbox.c.alert_id)
    rows = connection.execute(select(outbox.c.body).where(outbox.c.number.in_(last)).order_by(outbox.c.number))
    stand = (alert_from_json(row.body) for row in rows)
    return [alert for alert in stand if alert.state is not AlertState.RESOLVED]


def begun(connection: Connection, key: str) -> None:
    """An attempt begins: until it is known how it ended, it may have arrived."""
    _set(connection, key, uncertain=True)


def sent(connection: Connection, key: str, receipt: str, at: datetime | None) -> None:
    """The receiver has it, since `at` where that is known."""
    values = {"state": QueueState.SENT.value, "receipt": receipt, "sent_at": at}
    _set(connection, key, **values, attempts=outbox.c.attempts + 1)


def sent_since(connection: Connection, receiver: str, since: datetime, *, edits: bool) -> list[datetime]:
    """When a receiver was sent something after a time, in order; not, where it `edits`, edits that notify nobody."""
    heard = [~_tells(outbox, QUIET)] if edits else []
    times = select(outbox.c.sent_at).where(outbox.c.receiver == receiver, outbox.c.sent_at > since, *heard)
    return [time for time in connection.execute(times.order_by(outbox.c.sent_at)).scalars() if time is not None]


def hold(connection: Connection, key: str, until: datetime, reason: str, longer: timedelta) -> None:
    """Held back until a time, for a reason of HELD; its deadline is put off by `longer`."""
    deadline = connection.execute(select(outbox.c.deadline).where(outbox.c.key == key)).scalar()
    if deadline is not None:
        _set(connection, key, next_attempt_at=until, reason=reason, deadline=deadline + longer)


def gather(connection: Connection, receiver: str, now: datetime, *, edits: bool) -> bool:
    """Makes one message of what was held back until `now` or less; says whether there was something.

    The last step of a single card comes as itself, several cards come as a digest, and then those of them that stand
    are brought up to date where the receiver `edits`, which notifies nobody. That a post was deleted comes as itself
    too, for a digest takes nothing off a card. What a later step of the same card has overtaken is not told any more:
    that step, which was urgent, shows it.
    """
    held = (_QUEUED, outbox.c.receiver == receiver, outbox.c.reason.in_(HELD), outbox.c.next_attempt_at <= now)
    mine = select(outbox).where(*held, outbox.c.alert_id != "").order_by(outbox.c.number)
    rows = connection.execute(mine).all()
    digests = update(outbox).where(*held, outbox.c.alert_id == "").values(reason="", next_attempt_at=EPOCH)
    freed = connection.execute(digests).rowcount > 0
    if not rows:
        return freed
    late = _overtaken(connection, receiver, {row.card for row in rows})
    overtaken = [row.number for row in rows if row.number < late.get(row.card, 0)]
    left = [row for row in rows if row.number not in overtaken]
    alone = [row.number for row in left if alert_from_json(row.body).change == EVIDENCE_DELETED]
    told = [row for row in left if row.number not in alone]
    numbers = [row.number for row in told]
    if len({row.card for row in told}) == 1:
        alone.append(numbers.pop())
    elif told:
        connection.execute(insert_new(connection.dialect, outbox, ["key"]), [_digest(told)])
        standing = {row.card: row for row in told if edits and row.card in late}
        _quietly(connection, list(standing.values()))
        alone += [row.number for row in standing.values()]
        numbers = [number for number in numbers if number not in alone]
    _all(connection, alone, reason="", next_attempt_at=EPOCH)
    _all(connection, [*numbers, *overtaken], state=QueueState.GATHERED.value)
    return True


def _overtaken(connection: Connection, receiver: str, cards: Collection[str]) -> dict[str, int]:
    """Card → the number of the last step of it that the receiver was told."""
    has = (outbox.c.receiver == receiver, outbox.c.state.concat("") == QueueState.SENT.value, ~_tells(outbox, _NO_STEP))
    last = select(outbox.c.card, func.max(outbox.c.number).label("last")).where(*has).group_by(outbox.c.card)
    found = (connection.execute(last.where(outbox.c.card.in_(some))) for some in portions(sorted(cards)))
    return {row.card: row.last for rows in found for row in rows}


def _quietly(connection: Connection, rows: Sequence[Row[Any]]) -> None:
    """Makes of steps what only brings their cards up to date."""
    for row in rows:
        body = alert_to_json(replace(alert_from_json(row.body), change=GATHERED))
        connection.execute(update(outbox).where(outbox.c.number == row.number).values(body=body))


def _all(connection: Connection, numbers: Sequence[int], **values: object) -> None:
    for some in portions(numbers):
        connection.execute(update(outbox).where(outbox.c.number.in_(some)).values(values))


def _digest(rows: Sequence[Row[Any]]) -> dict[str, object]:
    """The row of a digest of these."""
    of: dict[str, list[Alert]] = {}
    for row in rows:
        of.setdefault(row.card, []).append(alert_from_json(row.body))
    bare: dict[str, Any] = {"evidence": (), "numbers": {}, "series": None, "fired": None}
    lines = [
        Gathered(alert=replace(steps[-1], **bare), changes=tuple(step.change for step in steps))
        for steps in of.values()
    ]
    key = blake2b("\0".join(row.key for row in rows).encode(), digest_size=16).hexdigest()
    return {
        "key": key,
        "receiver": rows[0].receiver,
        "alert_id": "",
        "card": f"digest {key}",
        "body": msgspec.json.encode(lines).decode(),
        "deadline": max(row.deadline for row in rows),
        **_NEW,
    }


def failed(connection: Connection, key: str, next_at: datetime, reason: str, detail: str, *, unknown: bool) -> None:
    """One attempt failed, the next is at `next_at`; `unknown`: this or an earlier one may have arrived all the same."""
    attempts = outbox.c.attempts + 1
    said = {"reason": reason, "detail": detail, "uncertain": unknown}
    _set(connection, key, next_attempt_at=next_at, attempts=attempts, **said)


def dead(connection: Connection, key: str, reason: str, detail: str, *, unknown: bool, tried: bool) -> None:
    """Nobody tries again, but an operator who queues it anew.

    `unknown`: an attempt may have arrived all the same; `tried`: one was made just now, and counts.
    """
    said = {"reason": reason, "detail": detail, "uncertain": unknown}
    _set(connection, key, state=QueueState.DEAD.value, attempts=outbox.c.attempts + int(tried), **said)


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


def _notification(row: Row[Any]) -> Notification:
    digest = () if row.alert_id else msgspec.json.decode(row.body, type=tuple[Gathered, ...])
    return Notification(
        key=row.key,
        receiver=row.receiver,
        alert=digest[-1].alert if digest else alert_from_json(row.body),
        deadline=row.deadline,
        digest=digest,
        repeat=bool(row.uncertain),
    )
