"""What people ask of the archive: one mention, the narratives of an event, and its texts in portions."""

from datetime import datetime, timedelta
from typing import NamedTuple

import polars as pl
from sqlalchemy import Connection, func, select

from monitor.frames import MENTIONS, TIME, Schema
from monitor.store.archive import key_of
from monitor.store.schema import EPOCH, MENTION_COLUMNS, mentions

TEXTS: Schema = {
    "platform": pl.String,
    "id": pl.String,
    "text": pl.String,
    "url": pl.String,
    "posted_at": TIME,
    "seen_at": TIME,
}
"""What a portion of `texts` holds; a deleted mention has the text ""."""
MOST_COUNTED = 1_000_000
"""Mentions that are looked at for counts of narratives: an index would slow down every insert by a twelfth."""
_TIMES = ("posted_at", "seen_at", "event_time", "author_created_at")


class NarrativeCount(NamedTuple):
    """How many archived mentions of a narrative have a tag, and when the first and the last was seen."""

    narrative: str
    tag: str
    mentions: int
    first_seen: datetime
    last_seen: datetime


def mention(connection: Connection, event: str, platform: str, post: str) -> pl.DataFrame:
    """MENTIONS of one living mention, with its parent's text; no row if the archive has none."""
    columns = [mentions.c[name] for name in MENTION_COLUMNS]
    key = key_of(platform, post, event)
    row = connection.execute(select(*columns).where(mentions.c.key == key, mentions.c.deleted.is_(False))).first()
    if row is None or (row.platform, row.id, row.event) != (platform, post, event):
        return pl.DataFrame(schema=MENTIONS)
    found = dict(zip(MENTION_COLUMNS, row, strict=True)) | {"op": "create"}
    if found["parent"] is not None:
        parent = select(mentions.c.text).where(mentions.c.key == key_of(platform, str(found["parent"]), event))
        found["parent_text"] = connection.execute(parent).scalar() or ""
    physical = {name: pl.Int64() if name in _TIMES else dtype for name, dtype in MENTIONS.items()}
    frame = pl.DataFrame([{name: found.get(name) for name in MENTIONS}], schema=physical)
    return frame.select(pl.col(name).cast(dtype) for name, dtype in MENTIONS.items())


def narratives(connection: Connection, event: str, most: int) -> list[NarrativeCount]:
    """The counts of every narrative of an event among the `most` newest mentions of all events, per tag."""
    seen, oldest = mentions.c.seen_at, last_number(connection) - most
    counts = (
        select(mentions.c.narrative, mentions.c.tag, func.count(), func.min(seen), func.max(seen))
        .where(mentions.c.number > oldest, mentions.c.event == event, mentions.c.narrative.is_not(None))
        .group_by(mentions.c.narrative, mentions.c.tag)
    )
    rows = connection.execute(counts).all()
    return [NarrativeCount(name, tag, count, _time(first), _time(last)) for name, tag, count, first, last in rows]


def has_narrative(connection: Connection, event: str, narrative: str) -> bool:
    """Whether the archive has a mention of it."""
    of = select(mentions.c.number).where(mentions.c.event == event, mentions.c.narrative == narrative)
    return connection.execute(of.limit(1)).first() is not None


def last_number(connection: Connection) -> int:
    """The number of the newest mention; 0 if there is none."""
    return connection.execute(select(func.max(mentions.c.number))).scalar() or 0


def texts(connection: Connection, after: int, limit: int) -> tuple[pl.DataFrame, int]:
    """TEXTS of at most `limit` mentions behind the number `after`, and the number of the last (`after` if none)."""
    columns = [mentions.c.number, *(mentions.c[name] for name in TEXTS)]
    found = connection.execute(
        select(*columns).where(mentions.c.number > after).order_by(mentions.c.number).limit(limit)
    )
    schema: Schema = {"number": pl.Int64()} | {n: pl.Int64() if n in _TIMES else t for n, t in TEXTS.items()}
    frame = pl.DataFrame([tuple(row) for row in found], schema=schema, orient="row")
    last = int(frame["number"][-1]) if frame.height else after
    return frame.select(pl.col(name).cast(dtype) for name, dtype in TEXTS.items()), last


def _time(microseconds: int) -> datetime:
    return EPOCH + timedelta(microseconds=microseconds)
