"""Compares what was acknowledged outside with what the store holds, what was counted, and what the webhook got."""

from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
from sqlalchemy import Connection, create_engine, text
from sqlalchemy.pool import NullPool

from monitor.judge.measures import MEASURES, Measures
from monitor.judge.scan import POSTS, SEEN
from monitor.watched import Measure, Rules
from monitor.window.counts import LATENESS
from tests.rig.feed import Ledger

MINUTES = 10
_EDGE = 2_000_000
"""Microseconds before the end of a minute: what is seen then and waits for a batch in hand counts in the next one."""
_FED = text("SELECT id FROM mentions WHERE id LIKE 'f%'")
_LATE = text("SELECT count(*) FROM mentions WHERE id LIKE 'f%' AND seen_at - posted_at > :lateness")


class Audit(NamedTuple):
    """What came of a run; the first four must be 0."""

    lost: int
    """Mentions that were acknowledged and are not in the archive."""
    lost_pushed: int
    """Those of them that were pushed over HTTP, where the monitor itself acknowledges, and not a broker."""
    doubled: int
    """Mentions that stand in the archive twice, or were counted more often than they stand there."""
    alerts_lost: int
    """Notifications that were queued and never reached the webhook, and alerts of which nothing was queued."""
    uncounted: int
    """Archived mentions of the last ten minutes that were not counted, because they came late."""
    late: int
    """Archived mentions that were seen longer after they were posted than posts may be late: these are in no count."""
    acknowledged: int
    archived: int
    alerts: int
    repeated: int
    """Notifications that came more than once, under the same key."""
    quarantined: int
    counted: int
    """What the judge counted in the last ten minutes: 0 would make the second and the fourth figure mean nothing."""

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


def queued(store: str) -> int:
    """Notifications for the desk that wait."""
    with reading(store) as connection:
        waiting = text("SELECT count(*) FROM outbox WHERE receiver = 'desk' AND state = 'queued'")
        return int(connection.execute(waiting).scalar_one())


def audit(store: str, ledger: Ledger, received: Mapping[str, Any], requests: list[str], quarantine: Path) -> Audit:
    """Reads the store of a daemon that has stopped. `received`: key → alert; `requests`: the key of each request."""
    with reading(store) as connection:
        mentions = Counter(connection.execute(_FED).scalars())
        queued = connection.execute(text("SELECT count(*) FROM outbox WHERE receiver = 'desk'")).scalar_one()
        late = connection.execute(_LATE, {"lateness": LATENESS // timedelta(microseconds=1)}).scalar_one()
        alerts_lost = untaken(connection, received)
        rows = connection.execute(text("SELECT key, value FROM state WHERE key LIKE 'judge/measures/%'")).all()
        saved = {key.removeprefix("judge/measures/"): bytes(value) for key, value in rows}
        counts = [_compared(connection, event, saved) for event in saved if event]
    archived = mentions.total()
    twice = sum(count - 1 for count in mentions.values())
    return Audit(
        lost=len(ledger.acknowledged - set(mentions)),
        lost_pushed=len(ledger.promised - set(mentions)),
        doubled=twice + sum(one.more for one in counts),
        alerts_lost=alerts_lost,
        uncounted=sum(one.fewer for one in counts),
        late=late,
        acknowledged=len(ledger.acknowledged),
        archived=archived,
        alerts=queued,
        repeated=len(requests) - len(set(requests)),
        quarantined=len(list(quarantine.glob("*.payload"))),
        counted=sum(one.counted for one in counts),
    )


class _Counts(NamedTuple):
    """Posts counted too often, archived ones not counted, minute by minute, and all that were counted."""

    more: int
    fewer: int
    counted: int


def _compared(connection: Connection, event: str, saved: Mapping[str, bytes]) -> _Counts:
    """What the judge counted in the last whole minutes it remembers, at most ten, against the archive of that time."""
    measures = Measures({event: Rules()})
    measures.restore(saved)
    scan, last = measures._spikes._scan, measures._minute or 0  # noqa: SLF001  what it counted by
    ring, first = scan._ring[:, :, :, MEASURES.index(Measure.POSTS)], (int(scan.chunk[0]) - 1) * scan.lag + 1  # noqa: SLF001
    posts, seen = ring[POSTS].ravel().tolist(), ring[SEEN].ravel().tolist()
    counted = Counter(
        {
            first + place: int(count)
            for place, count in enumerate(posts)
            if seen[place] and last - MINUTES < first + place <= last
        }
    )
    if not counted.total():
        return _Counts(0, 0, 0)
    asked = text(
        "SELECT seen_at / 60000000 + 1 AS minute, count(*),"
        " sum(CASE WHEN seen_at % 60000000 >= :edge THEN 1 ELSE 0 END) FROM mentions"
        " WHERE event = :event AND seen_at / 60000000 + 1 BETWEEN :first AND :last GROUP BY minute"
    )
    span = {"event": event, "first": min(counted) - 1, "last": max(counted), "edge": 60_000_000 - _EDGE}
    archived, moved = Counter[int](), Counter[int]()
    for minute, count, edge in connection.execute(asked, span):
        archived[minute], moved[minute] = count, edge
    minutes = range(min(counted), max(counted) + 1)
    more = sum(max(0, counted[at] - archived[at] - moved[at - 1]) for at in minutes)
    fewer = sum(max(0, archived[at] - counted[at] - moved[at]) for at in minutes)
    return _Counts(more, fewer, counted.total())


def untaken(connection: Connection, received: Mapping[str, Any]) -> int:
    """Notifications queued for the desk that are not among the received, and alerts of which nothing was queued."""
    queued = set(connection.execute(text("SELECT key FROM outbox WHERE receiver = 'desk'")).scalars())
    return len(queued - set(received)) + _untold(connection)


def _untold(connection: Connection) -> int:
    """Alerts since the feed began that fired or resolved, unsilenced, and for which nothing was ever queued."""
    told = set(connection.execute(text("SELECT alert_id FROM outbox")).scalars())
    begun = connection.execute(text("SELECT min(seen_at) FROM mentions WHERE id LIKE 'f%'")).scalar_one() or 0
    alerts = (msgspec.json.decode(one) for one in connection.execute(text("SELECT json FROM alerts")).scalars())
    fed = (one for one in alerts if datetime.fromisoformat(one["at"]).timestamp() * 1e6 >= begun)
    return sum(one["state"] != "pending" and not one["silenced"] and one["id"] not in told for one in fed)
