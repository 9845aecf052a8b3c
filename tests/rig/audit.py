"""Compares what was acknowledged outside with what the store holds, what was counted, and what the webhook got."""

from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import numpy as np
from sqlalchemy import Connection, create_engine, text

from tests.rig.feed import Ledger

_FED = text("SELECT id FROM mentions WHERE id LIKE 'f%'")


class Audit(NamedTuple):
    """What came of a run; the first three must be 0."""

    lost: int
    """Mentions that were acknowledged and are not in the archive."""
    doubled: int
    """Mentions that stand in the archive twice, or were counted more often than they stand there."""
    alerts_lost: int
    """Notifications that were queued and never reached the webhook."""
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


def archived_ids(store: Path) -> set[str]:
    """What of the feeds is in the archive, also while the daemon runs."""
    with create_engine(f"sqlite:///{store}").connect() as connection:
        return set(connection.execute(_FED).scalars())


def audit(store: Path, ledger: Ledger, received: Mapping[str, Any], requests: list[str], quarantine: Path) -> Audit:
    """Reads the store of a daemon that has stopped. `received`: key → alert; `requests`: the key of each request."""
    with create_engine(f"sqlite:///{store}").connect() as connection:
        mentions = Counter(connection.execute(_FED).scalars())
        queued = set(connection.execute(text("SELECT key FROM outbox")).scalars())
        rows = connection.execute(text("SELECT key, value FROM state WHERE key LIKE 'judge/event/%/spikes'")).all()
        differences = [_difference(connection, key.split("/")[2], value) for key, value in rows]
    archived = mentions.total()
    twice = sum(count - 1 for count in mentions.values())
    return Audit(
        lost=len(ledger.acknowledged - set(mentions)),
        doubled=twice + sum(max(0, difference) for difference in differences),
        alerts_lost=len(queued - set(received)),
        uncounted=sum(max(0, -difference) for difference in differences),
        acknowledged=len(ledger.acknowledged),
        archived=archived,
        alerts=len(queued),
        repeated=len(requests) - len(set(requests)),
        quarantined=len(list(quarantine.glob("*.payload"))),
    )


def _difference(connection: Connection, event: str, row: bytes) -> int:
    """Posts the judge counted at the ticks it remembers (ten minutes), less those the archive has of that time."""
    ticks, posts, *_ = msgspec.msgpack.decode(row)
    seconds = np.frombuffer(ticks, np.int64)
    if not seconds.size:
        return 0
    asked = text(
        "SELECT count(*) FROM mentions WHERE event = :event AND seen_at / 1000000 + 1 BETWEEN :first AND :last"
    )
    span = {"event": event, "first": int(seconds[0]), "last": int(seconds[-1])}
    return int(np.frombuffer(posts, np.int64).sum()) - int(connection.execute(asked, span).scalar_one())
