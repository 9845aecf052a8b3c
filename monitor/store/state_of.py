"""How a store is: its schema, what it holds, and whether it is whole."""

from datetime import datetime, timedelta
from pathlib import Path
from typing import NamedTuple

from sqlalchemy import Connection, func, inspect, select, text
from sqlalchemy.engine import make_url

from monitor.store import migrate
from monitor.store.dialect import reading_engine, snapshot
from monitor.store.schema import (
    EPOCH,
    METADATA,
    acknowledgements,
    alerts,
    answered,
    answers,
    corrections,
    exchanges,
    fact_checks,
    gaps,
    mentions,
    outbox,
    rulings,
    silences,
    state,
    statuses,
)


class Held(NamedTuple):
    """What a table holds."""

    table: str
    rows: int
    first: datetime | None
    """The oldest time in it; None where it has none."""
    last: datetime | None


class State(NamedTuple):
    """A store, looked at."""

    schema: str | None
    """None: there is no store yet."""
    current: bool
    """Whether that is this program's schema."""
    size: int
    """Bytes."""
    damage: tuple[str, ...]
    """What the database finds wrong with its own file."""
    held: tuple[Held, ...]


class Glance(NamedTuple):
    """What is seen of a store without counting anything in it."""

    schema: str | None
    """None: nothing is in it yet."""
    current: bool
    """Whether that is this program's schema."""
    known: bool
    """Whether this program can bring it up to date."""
    clock: datetime | None
    """What the server's clock says; None where there is no server."""
    row: bytes | None
    """A row of the stages' state."""


_TIMES = {
    "mentions": mentions.c.seen_at,
    "alerts": alerts.c.updated_at,
    "gaps": gaps.c.ends,
    "outbox": outbox.c.sent_at,
    "silences": silences.c.expires_at,
    **{
        table.name: table.c.at
        for table in (statuses, acknowledgements, exchanges, corrections, answers, fact_checks, rulings, answered)
    },
}


def look(url: str) -> State:
    """Looks at the store of a URL beside its daemon; raises StoreError."""
    engine = reading_engine(url)
    try:
        with snapshot(engine) as connection:
            schema = migrate.revision(connection)
            current = schema == migrate.newest()
            damage = _damage(connection) + (_missing(connection) if current else ())
            readable = current and not damage
            held = tuple(_held(connection, name) for name in METADATA.tables) if readable else ()
            return State(schema, current, size_of(connection, url), damage, held)
    finally:
        engine.dispose()


def glance(url: str, row: str) -> Glance:
    """Opens the store of a URL, beside its daemon if there is one, and changes nothing; raises StoreError."""
    engine = reading_engine(url)
    try:
        with snapshot(engine) as connection:
            schema = migrate.revision(connection)
            current = schema == migrate.newest()
            server = connection.dialect.name == "postgresql"
            clock = connection.execute(text("SELECT clock_timestamp()")).scalar() if server else None
            kept = connection.execute(select(state.c.value).where(state.c.key == row)).scalar() if current else None
            return Glance(schema, current, migrate.known(schema), clock, kept)
    finally:
        engine.dispose()


def _held(connection: Connection, name: str) -> Held:
    table, at = METADATA.tables[name], _TIMES.get(name)
    rows = connection.execute(select(func.count()).select_from(table)).scalar_one()
    if at is None:
        return Held(name, rows, None, None)
    first, last = connection.execute(select(func.min(at), func.max(at))).one()
    return Held(name, rows, _time(first), _time(last))


def _time(value: datetime | int | None) -> datetime | None:
    return EPOCH + timedelta(microseconds=value) if isinstance(value, int) else value


def size_of(connection: Connection, url: str) -> int:
    """Bytes that the store takes, with indexes and SQLite's log."""
    if connection.dialect.name == "postgresql":
        tables = ", ".join(f"('{name}')" for name in METADATA.tables)
        sizes = f"SELECT sum(pg_total_relation_size(to_regclass(name))) FROM (VALUES {tables}) AS ours (name)"  # noqa: S608  ours
        return int(connection.execute(text(sizes)).scalar() or 0)
    path = make_url(url).database or ""
    files = (Path(path), Path(f"{path}-wal"))
    return sum(file.stat().st_size for file in files if file.exists())


def _missing(connection: Connection) -> tuple[str, ...]:
    """A store of this schema that lacks tables was made by a program that was never released."""
    there = set(inspect(connection).get_table_names())
    return tuple(f"there is no table {name}" for name in METADATA.tables if name not in there)


def _damage(connection: Connection) -> tuple[str, ...]:
    if connection.dialect.name == "postgresql":
        return ()
    found = connection.exec_driver_sql("PRAGMA quick_check").scalars().all()
    return tuple(str(one) for one in found if one != "ok")
