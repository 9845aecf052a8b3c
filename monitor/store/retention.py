"""What is older than it may be kept, found and removed a portion at a time.

Mentions are numbered in the order in which they were seen, so their age needs no index: texts are walked by number
behind a mark that is kept among the state rows, and rows go from the begin of the table.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

import polars as pl
from sqlalchemy import ColumnElement, Connection, Select, and_, delete, exists, func, select

from monitor.records import AlertState
from monitor.store.alerts import portions
from monitor.store.authors import deletions
from monitor.store.queue import QueueState
from monitor.store.schema import (
    EPOCH,
    acknowledgements,
    alerts,
    answers,
    evidence,
    fired,
    mentions,
    outbox,
    state,
)

CLASSES = ("texts", "mentions", "gaps", "alerts", "deliveries", "decisions")
"""What has a limit of its own, gaps that of mentions; the label values of `monitor_retention_removed_total`."""
MARK = "retention/texts"
"""The state row with the number of the last mention whose text was looked at."""

_RESOLVED = alerts.c.state == AlertState.RESOLVED.value
_SENT = outbox.c.state == QueueState.SENT.value
_OVER = outbox.c.state.in_([QueueState.DEAD.value, QueueState.GATHERED.value])


class Aged(NamedTuple):
    """A portion of mentions that are too old to keep their texts."""

    keys: Sequence[int]
    """Of those that have theirs still."""
    posts: pl.DataFrame
    """POSTS without times: their deletion, as their source would tell it."""
    mark: bytes
    """What MARK holds once they are gone."""


def aged(connection: Connection, before: datetime, limit: int) -> Aged | None:
    """The next mentions, at most `limit`, that were seen before a time; None if there are no more."""
    after = int(connection.execute(select(state.c.value).where(state.c.key == MARK)).scalar() or 0)
    seen = (mentions.c.number, mentions.c.key, mentions.c.seen_at, mentions.c.deleted)
    told = (mentions.c.source, mentions.c.platform, mentions.c.id)
    found = select(*seen, *told).where(mentions.c.number > after).order_by(mentions.c.number).limit(limit)
    old = [row for row in connection.execute(found) if row.seen_at < _microseconds(before)]
    if not old:
        return None
    living = [row for row in old if not row.deleted]
    return Aged(
        [row.key for row in living],
        deletions((row.source, row.platform, row.id) for row in living),
        _mark(old[-1].number),
    )


def remove_mentions(connection: Connection, before: datetime, limit: int) -> int:
    """Removes the oldest mentions, at most `limit`, that were seen before a time; answers how many.

    What alerts show of them is known to be theirs until those go too.
    """
    oldest = select(mentions.c.number, mentions.c.seen_at).order_by(mentions.c.number).limit(limit)
    old = [row.number for row in connection.execute(oldest) if row.seen_at < _microseconds(before)]
    if old:
        connection.execute(delete(mentions).where(mentions.c.number <= old[-1]))
        if connection.execute(select(mentions.c.number).limit(1)).first() is None:  # SQLite counts from 1 again
            connection.execute(delete(state).where(state.c.key == MARK))
    return len(old)


def remove_alerts(connection: Connection, before: datetime, limit: int) -> int:
    """Removes alerts, at most `limit`, that were resolved before a time, and all that was kept of them.

    With their notifications, which no deletion would reach any more; one of which a notification waits stays.
    """
    waits = exists().where(outbox.c.alert_id == alerts.c.id, outbox.c.state == QueueState.QUEUED.value)
    old = select(alerts.c.id).where(_RESOLVED, alerts.c.updated_at < before, ~waits)
    gone = connection.execute(old.order_by(alerts.c.number).limit(limit)).scalars().all()
    of = (
        fired.c.alert_id,
        evidence.c.alert_id,
        answers.c.alert,
        acknowledgements.c.alert,
        outbox.c.alert_id,
        alerts.c.id,
    )
    for some in portions(gone):
        for column in of:
            connection.execute(delete(column.table).where(column.in_(some)))
    return len(gone)


def remove_deliveries(connection: Connection, before: datetime, limit: int) -> int:
    """Removes notifications, at most `limit`, that were sent or given up before a time; answers how many.

    Never what waits, nor the last that a receiver has of an alert that is not resolved, or of its card.
    """
    old = (
        and_(_SENT, outbox.c.sent_at < before),
        and_(_SENT, outbox.c.sent_at.is_(None), outbox.c.deadline < before),
        and_(_OVER, outbox.c.deadline < before),
    )
    gone: list[int] = []
    for one in old:  # each has an index that finds it
        gone += connection.execute(_deliveries(one).limit(limit - len(gone))).scalars().all()
    for some in portions(gone):
        connection.execute(delete(outbox).where(outbox.c.number.in_(some)))
    return len(gone)


def _deliveries(old: ColumnElement[bool]) -> Select[int]:
    mine = outbox.alias("mine")
    open_cards = select(mine.c.card).join(alerts, alerts.c.id == mine.c.alert_id).where(~_RESOLVED)
    last = select(func.max(mine.c.number)).where(mine.c.state == QueueState.SENT.value, mine.c.card.in_(open_cards))
    last = last.group_by(mine.c.receiver, mine.c.card, mine.c.alert_id)
    return select(outbox.c.number).where(old, outbox.c.number.not_in(last))


def _microseconds(time: datetime) -> int:
    return (time - EPOCH) // timedelta(microseconds=1)


def _mark(number: int) -> bytes:
    return str(number).encode()
