"""Every table of the store on one page. A change here needs a migration beside it; a test compares the two.

Times are whole microseconds since 1970 in UTC, documents are JSON text, so that every database keeps them alike.
"""

from datetime import UTC, datetime, timedelta

import polars as pl
from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Float,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    TypeDecorator,
    false,
)
from sqlalchemy.engine import Dialect

from monitor.frames import CLUSTERED

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
METADATA = MetaData()
VERSION_TABLE = "meta"
"""Holds the schema's version; Alembic writes it."""


class Time(TypeDecorator[datetime]):
    """An aware UTC time, kept as microseconds since 1970."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> int | None:  # noqa: ARG002
        """To the database."""
        return None if value is None else (value - EPOCH) // timedelta(microseconds=1)

    def process_result_value(self, value: int | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        """From the database."""
        return None if value is None else EPOCH + timedelta(microseconds=value)


NUMBER = BigInteger().with_variant(Integer(), "sqlite")  # only an INTEGER is SQLite's own row number


def _type(dtype: pl.DataType | type[pl.DataType]) -> BigInteger | Boolean | Float[float] | Text:
    if isinstance(dtype, pl.Datetime) or dtype in {pl.Int64, pl.UInt64}:
        return BigInteger()
    if dtype == pl.Float64:
        return Float()
    return Boolean() if dtype == pl.Boolean else Text()


MENTION_COLUMNS = tuple(name for name in CLUSTERED if name not in {"op", "root_text", "cues"})
"""What the archive keeps of a mention: `op` is spent, the root's text stands in the root's own row, cues are quotes."""

mentions = Table(
    "mentions",
    METADATA,
    Column("number", NUMBER, primary_key=True),  # grows in the order of the stream
    Column("key", BigInteger, nullable=False, unique=True),  # 64-bit hash of (platform, id, event)
    *(Column(name, _type(CLUSTERED[name]), index=name == "author" or None) for name in MENTION_COLUMNS),
    Column("deleted", Boolean, nullable=False),
)

resume_points = Table(
    "resume_points",
    METADATA,
    Column("source", Text, primary_key=True),
    Column("cursor", Text, nullable=False),
)

state = Table(
    "state",
    METADATA,
    Column("key", Text, primary_key=True),
    Column("value", LargeBinary, nullable=False),
)

alerts = Table(
    "alerts",
    METADATA,
    Column("number", NUMBER, primary_key=True),
    Column("id", Text, nullable=False, unique=True),
    Column("fingerprint", Text, nullable=False, index=True),
    Column("state", Text, nullable=False, index=True),
    Column("json", Text, nullable=False),
    Column("updated_at", Time, nullable=False),
)

evidence = Table(  # which alerts show which mention, so that a deletion reaches them
    "evidence",
    METADATA,
    Column("mention", BigInteger, primary_key=True, autoincrement=False),
    Column("alert_id", Text, primary_key=True),
)

fired = Table(  # alerts as they stood when they fired first: the frozen evidence
    "fired",
    METADATA,
    Column("alert_id", Text, primary_key=True),
    Column("json", Text, nullable=False),
)

outbox = Table(
    "outbox",
    METADATA,
    Column("number", NUMBER, primary_key=True),
    Column("key", Text, nullable=False, unique=True),
    Column("receiver", Text, nullable=False),
    Column("alert_id", Text, nullable=False, index=True),
    Column("body", Text, nullable=False),  # the Alert as JSON
    Column("deadline", Time, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("next_attempt_at", Time, nullable=False),
    Column("state", Text, nullable=False, index=True),  # queued, sent, dead
    Column("reason", Text, nullable=False),  # of the last failure, a word of a bounded set
    Column("detail", Text, nullable=False),
    Column("receipt", Text, nullable=False),  # what the receiver answered
    Column("uncertain", Boolean, nullable=False, server_default=false()),  # an attempt may have arrived
    Column("card", Text, nullable=False, server_default="", index=True),  # what shares one card at the receiver
    Column("sent_at", Time, index=True),
)

statuses = Table(
    "statuses",
    METADATA,
    Column("number", NUMBER, primary_key=True),
    Column("at", Time, nullable=False),
    Column("event", Text, nullable=False),
    Column("narrative", Text, nullable=False),
    Column("status", Text, nullable=False),
    Column("by", Text, nullable=False),
    Column("evidence", Text, nullable=False),
    Column("voice", Boolean, nullable=False, server_default=false()),
)

gaps = Table(
    "gaps",
    METADATA,
    Column("number", NUMBER, primary_key=True),
    Column("source", Text, nullable=False),
    Column("begins", Time, nullable=False),
    Column("ends", Time, nullable=False),
    Column("why", Text, nullable=False),
)

silences = Table(  # every form of each; the last one of an id counts
    "silences",
    METADATA,
    Column("number", NUMBER, primary_key=True),
    Column("id", Text, nullable=False, index=True),
    Column("json", Text, nullable=False),
    Column("at", Time, nullable=False),
    Column("expires_at", Time, nullable=False),
)

acknowledgements = Table(  # who took which alert on; the last one of an alert counts
    "acknowledgements",
    METADATA,
    Column("number", NUMBER, primary_key=True),
    Column("at", Time, nullable=False),
    *(Column(name, Text, nullable=False) for name in ("alert", "by", "assignee", "comment")),
)

exchanges = Table(  # which events were watched from when on
    "exchanges",
    METADATA,
    Column("number", NUMBER, primary_key=True),
    Column("at", Time, nullable=False),
    Column("events", Text, nullable=False),  # a JSON list, as in the files
)

corrections = Table(  # what editors say instead of the tagger; the last one of a mention counts
    "corrections",
    METADATA,
    Column("number", NUMBER, primary_key=True),
    Column("at", Time, nullable=False),
    *(Column(name, Text, nullable=False) for name in ("event", "platform", "id", "tag", "by", "reads")),
)

answers = Table(  # was this alert useful? the last one of an alert counts
    "answers",
    METADATA,
    Column("number", NUMBER, primary_key=True),
    Column("at", Time, nullable=False),
    Column("alert", Text, nullable=False, index=True),
    Column("useful", Boolean, nullable=False),
    Column("by", Text, nullable=False),
    Column("comment", Text, nullable=False),
)

fact_checks = Table(  # what fact-checkers said of claims about the events
    "fact_checks",
    METADATA,
    Column("number", NUMBER, primary_key=True),
    Column("at", Time, nullable=False),
    Column("event", Text, nullable=False, index=True),
    Column("json", Text, nullable=False),
)

rulings = Table(  # which narratives editors say are one, and which are not
    "rulings",
    METADATA,
    Column("number", NUMBER, primary_key=True),
    Column("at", Time, nullable=False),
    Column("kind", Text, nullable=False),  # merge or split
    Column("json", Text, nullable=False),
)

answered = Table(  # requests that may come again, and what was answered
    "answered",
    METADATA,
    Column("source", Text, primary_key=True),
    Column("key", Text, primary_key=True),
    Column("digest", Text, nullable=False, index=True),
    Column("json", Text, nullable=False),
    Column("at", Time, nullable=False, index=True),
)
