"""A whole store copied into another: a backup, what a backup restores, and the way from one database to the other.

A backup is a SQLite store of its own, whatever the store is, read in one transaction beside the daemon that writes.
"""

import os
from collections.abc import Callable
from pathlib import Path

from sqlalchemy import Connection, Engine, func, insert, select, text

from monitor.errors import StoreError
from monitor.store import migrate
from monitor.store.dialect import clear_errors, open_engine, reading_engine, snapshot
from monitor.store.schema import METADATA

_AT_ONCE = 2_000
"""Rows that are in memory at once."""

Progress = Callable[[str, int, int], None]
"""Table, rows copied so far, rows in all."""


def backup(url: str, path: Path, progress: Progress) -> None:
    """Copies the store at `url` to a new file, which appears under its name when it is whole.

    Raises StoreError where the store cannot be read, is of another schema, or the file cannot be written.
    """
    part = path.with_name(f"{path.name}.part")
    _remove(part)
    try:
        _copy(reading_engine(url), open_engine(f"sqlite:///{part}"), progress)
        _to_disk(part)
        part.replace(path)
        _to_disk(path.parent)
    except OSError as error:
        why = f"{path}: cannot be written ({error.strerror}); name another place"
        raise StoreError(why) from error
    finally:
        _remove(part)


def restore(path: Path, url: str, progress: Progress) -> None:
    """Copies a backup into the store at `url`, which must be new or empty and have no daemon.

    All of it, or nothing. Raises StoreError.
    """
    if not path.exists():
        why = f"{path}: no such file; name what `monitor db backup` wrote"
        raise StoreError(why)
    _copy(reading_engine(f"sqlite:///{path}"), open_engine(url), progress)


def _copy(source: Engine, target: Engine, progress: Progress) -> None:
    try:
        with clear_errors(target.url):
            migrate.upgrade(target)
        with snapshot(source) as reading:
            migrate.check(reading)
            with clear_errors(target.url), target.begin() as writing:
                _must_be_empty(writing, target)
                for name, table in METADATA.tables.items():
                    _copy_table(reading, writing, name, progress)
                    if "number" in table.c:
                        _number_on(writing, name)
    finally:
        source.dispose()
        target.dispose()


def _copy_table(reading: Connection, writing: Connection, name: str, progress: Progress) -> None:
    table = METADATA.tables[name]
    total = reading.execute(select(func.count()).select_from(table)).scalar_one()
    copied = 0
    progress(name, copied, total)
    rows = reading.execute(select(table).order_by(*table.primary_key.columns))
    for portion in rows.partitions(_AT_ONCE):
        writing.execute(insert(table), [dict(row._mapping) for row in portion])  # noqa: SLF001  SQLAlchemy's own name
        copied += len(portion)
        progress(name, copied, total)


def _must_be_empty(connection: Connection, engine: Engine) -> None:
    for table in METADATA.tables.values():
        if connection.execute(select(1).select_from(table).limit(1)).first() is not None:
            where = engine.url.render_as_string(hide_password=True)
            why = f"store {where}: is not empty, and nothing is overwritten; name a new store, or move this one away"
            raise StoreError(why)


def _number_on(connection: Connection, table: str) -> None:
    """The next row's number follows the last; SQLite sees to that itself."""
    if connection.dialect.name == "postgresql":
        last = f"SELECT setval(pg_get_serial_sequence('{table}', 'number'), max(number)) FROM {table}"  # noqa: S608  ours
        connection.execute(text(last))


def _remove(path: Path) -> None:
    for name in (path, path.with_name(f"{path.name}-wal"), path.with_name(f"{path.name}-shm")):
        name.unlink(missing_ok=True)


def _to_disk(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
