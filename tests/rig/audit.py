"""Compares what was acknowledged outside with what the store holds, what was counted, and what the webhook got."""

from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import numpy as np
from sqlalchemy import Connection, create_engine, text
from sqlalchemy.pool import NullPool

from tests.rig.feed import Ledger

_FED = text("SELECT id FROM mentions WHERE id LIKE 'f%'")


class Audit(NamedTuple):
    """What came of a run; the first three must be 0."""

    lost: int
    """Mentions that were acknowledged and are not in the archive."""
    doubled: int
    """Mentions that stand in the archive twice, or were counted more often than they stand there."""
    alerts_lost: int
    """Notifications that were queued and never reached the webhook, and alerts of which nothing was queued."""
    uncounted: int
    """Archived mentions of the last ten minutes that were not counted, because they came late."""
    acknowledged: int
    archived: int
    alerts: int
    repeated: int
    """Notifications that came more than once, under the same key."""
    quarantined: int

    def __str__(self) -> str:
        """One line."""
        return ", ".join(f"{name.replace('_', ' ')} {value:,}" for name, value in self._asdict().items())


@contextmanager
def reading(store: str) -> Iterator[Connection]:
    """A connection to the store of that URL, for one look."""
    engine = create_engine(store.replace("postgresql:", "postgresql+psycopg:", 1), poolclass=NullPool)
    with engine.connect() as connection:
        yield connection


def archived_ids(store: str) -> set[str]:
    """What of the feeds is in the archive, also while the daemon runs."""
    with reading(store) as connection:
        return set(connection.execute(_FED).scalars())


def audit(store: str, ledger: Ledger, received: Mapping[str, Any], requests: list[str], quarantine: Path) -> Audit:
    """Reads the store of a daemon that has stopped. `received`: key → alert; `requests`: the key of each request."""
    with reading(store) as connection:
        mentions = Counter(connection.execute(_FED).scalars())
        queued = set(connection.execute(text("SELECT key FROM outbox")).scalars())
        rows = connection.execute(text("SELECT key, value FROM state WHERE key LIKE 'judge/event/%/spikes'")).all()
        counts = [_compared(connection, key.split("/")[2], value) for key, value in rows]
        untold = _untold(connection)
    archived = mentions.total()
    twice = sum(count - 1 for count in mentions.values())
    return Audit(
        lost=len(ledger.acknowledged - set(mentions)),
        doubled=twice + sum(one.more for one in counts),
        alerts_lost=len(queued - set(received)) + untold,
        uncounted=sum(one.fewer for one in counts),
        acknowledged=len(ledger.acknowledged),
        archived=archived,
        alerts=len(queued),
        repeated=len(requests) - len(set(requests)),
        quarantined=len(list(quarantine.glob("*.payload"))),
    )


class _Counts(NamedTuple):
    """Posts counted too often, and archived ones not counted, tick by tick."""

    more: int
    fewer: int


def _compared(connection: Connection, event: str, row: bytes) -> _Counts:
    """What the judge counted at the ticks it remembers (ten minutes), against the archive of that time."""
    ticks, posts, *_ = msgspec.msgpack.decode(row)
    seconds = np.frombuffer(ticks, np.int64).tolist()
    if not seconds:
        return _Counts(0, 0)
    counted = Counter(dict(zip(seconds, np.frombuffer(posts, np.int64).tolist(), strict=True)))
    asked = text(
        "SELECT seen_at / 1000000 + 1 AS tick, count(*) FROM mentions"
        " WHERE event = :event AND seen_at / 1000000 + 1 BETWEEN :first AND :last GROUP BY tick"
    )
    span = {"event": event, "first": seconds[0], "last": seconds[-1]}
    archived = Counter[int]()
    for tick, count in connection.execute(asked, span):
        archived[tick] = count
    return _Counts((counted - archived).total(), (archived - counted).total())


def _untold(connection: Connection) -> int:
    """Alerts that fired or resolved, unsilenced, and for which nothing was ever queued."""
    told = set(connection.execute(text("SELECT alert_id FROM outbox")).scalars())
    alerts = (msgspec.json.decode(one) for one in connection.execute(text("SELECT json FROM alerts")).scalars())
    return sum(one["state"] != "pending" and not one["silenced"] and one["id"] not in told for one in alerts)
