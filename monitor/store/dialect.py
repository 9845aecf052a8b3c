"""What differs between databases, in one place: how they are opened, how they insert, what their errors mean."""

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from sqlite3 import Connection as SqliteConnection
from urllib.parse import quote

import msgspec
import polars as pl
from sqlalchemy import Connection, Engine, Insert, Table, create_engine, event
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import URL, Dialect, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError
from sqlalchemy.pool import StaticPool

from monitor.errors import StoreError
from monitor.store import postgres

_PRAGMAS = (
    "journal_mode = WAL",
    "synchronous = FULL",  # what is acknowledged to a source survives a power cut, not only a crash
    "cache_size = -16384",  # KiB
    "wal_autocheckpoint = 4000",  # pages
    "journal_size_limit = 67108864",  # bytes
)

_SENTENCES = {
    "SQLITE_FULL": "the disk is full; free space, and it goes on by itself: nothing acknowledged is lost",
    "SQLITE_READONLY": "it is read-only; give the monitor's user the right to write the file and its folder",
    "SQLITE_CANTOPEN": "it cannot be opened; check that the folder exists and that the monitor's user may write there",
    "SQLITE_PERM": "access is refused; give the monitor's user the right to read and write the file and its folder",
    "SQLITE_NOTADB": "the file is no SQLite database; name another file or move this one away",
    "SQLITE_CORRUPT": "the file is damaged; restore a backup, or save what is left with sqlite3's .recover",
    "SQLITE_BUSY": "another program holds it; stop the other writer, the monitor must be the only one",
    "SQLITE_LOCKED": "another program holds it; stop the other writer, the monitor must be the only one",
    "SQLITE_PROTOCOL": "another program holds it; stop the other writer, the monitor must be the only one",
    "SQLITE_NOMEM": "there is no memory left for the database; free some",
    "SQLITE_IOERR": "the disk cannot be read or written; check the disk and the system's log",
}


def open_engine(url: str, *, sole: bool = True) -> Engine:
    """An engine for `sqlite:///path` or `postgresql://host/name`; raises StoreError if the URL is of no use.

    With `sole` a server's engine has one connection, and only one such engine at a time works on a schema.
    """
    try:
        parsed = make_url(url)
        if parsed.drivername in postgres.DRIVERS:
            return postgres.engine(parsed, sole=sole)
        if parsed.get_backend_name() != "sqlite":
            raise NoSuchModuleError(parsed.drivername)  # noqa: TRY301  said below, as for a name nobody knows
        _make_folder(parsed)
        engine = create_engine(parsed, poolclass=StaticPool, connect_args={"check_same_thread": False})
    except (ArgumentError, NoSuchModuleError) as error:
        why = "the store's URL is not understood; write sqlite:///path or postgresql://user@host/name"
        raise StoreError(why) from error
    event.listen(engine, "connect", _prepare)
    event.listen(engine, "begin", _begin)
    return engine


def reading_engine(url: str) -> Engine:
    """An engine that changes nothing, beside a daemon that writes; raises StoreError if the URL is of no use here."""
    try:
        parsed = make_url(url)
    except ArgumentError:
        return open_engine(url)  # which says what is wrong with it
    if parsed.get_backend_name() != "sqlite":
        return open_engine(url, sole=False).execution_options(postgresql_readonly=True)
    if not parsed.database or parsed.database.startswith((":", "file:")):
        why = "a store in memory cannot be read by others; name a file under [store]"
        raise StoreError(why)
    path = f"file:{quote(parsed.database)}?mode=ro"
    return create_engine(parsed, creator=lambda: sqlite3.connect(path, uri=True, check_same_thread=False))


@contextmanager
def snapshot(engine: Engine) -> Iterator[Connection]:
    """A connection that sees the store as it stands at its first look, however long it looks."""
    with clear_errors(engine.url), engine.connect() as connection:
        if connection.dialect.name == "postgresql":
            yield connection.execution_options(isolation_level="REPEATABLE READ", stream_results=True)
        else:
            connection.exec_driver_sql("BEGIN")
            yield connection


def tidy(url: str) -> None:
    """Gives room back that nothing fills, and renews what the database knows of its tables; nobody else may write."""
    engine = open_engine(url)
    try:
        with clear_errors(engine.url), engine.connect() as connection:
            if connection.dialect.name == "postgresql":
                connection.execution_options(isolation_level="AUTOCOMMIT").exec_driver_sql("VACUUM (ANALYZE)")
                return
            raw = connection.connection.driver_connection
            for statement in ("VACUUM", "ANALYZE", "PRAGMA wal_checkpoint(TRUNCATE)"):
                raw.execute(statement)  # type: ignore[union-attr]
    finally:
        engine.dispose()


def _make_folder(url: URL) -> None:
    if not url.database or url.database.startswith((":", "file:")):
        return
    folder = Path(url.database).parent
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        why = f"store {url.database}: its folder cannot be made ({error.strerror}); name another place"
        raise StoreError(why) from error


def _prepare(connection: SqliteConnection, _record: object) -> None:
    connection.isolation_level = None  # SQLAlchemy begins and ends transactions, so that DDL is part of them
    for pragma in _PRAGMAS:
        connection.execute(f"PRAGMA {pragma}")


def _begin(connection: Connection) -> None:
    connection.exec_driver_sql("BEGIN")


def insert_new(dialect: Dialect, table: Table, key: Sequence[str]) -> Insert:
    """An insert that leaves a row alone whose `key` is there already."""
    return _insert(dialect, table).on_conflict_do_nothing(index_elements=list(key))


def insert_or_replace(dialect: Dialect, table: Table, key: Sequence[str], replaced: Sequence[str]) -> Insert:
    """An insert that overwrites the columns `replaced` of a row whose `key` is there already."""
    statement = _insert(dialect, table)
    new = {name: statement.excluded[name] for name in replaced}
    return statement.on_conflict_do_update(index_elements=list(key), set_=new)


def _insert(dialect: Dialect, table: Table) -> sqlite.Insert | postgresql.Insert:
    return postgresql.insert(table) if dialect.name == "postgresql" else sqlite.insert(table)


def write_new(connection: Connection, table: Table, key: str, frame: pl.DataFrame) -> None:
    """Inserts the rows of `frame`, in their order, whose `key` the table has not: the one hot insert.

    The frame's columns bear the table's names.
    """
    if connection.dialect.name == "postgresql":
        postgres.write_new(connection, table, key, frame)
        return
    statement = insert_new(connection.dialect, table, [key])
    compiled = statement.compile(dialect=connection.dialect, column_keys=frame.columns)
    connection.exec_driver_sql(str(compiled), frame.select(_order(compiled.positiontup)).rows())


def transaction_number(connection: Connection) -> str | None:
    """What names this transaction if nobody sees it end; None where the commit of an embedded database is seen."""
    return postgres.begun(connection) if connection.dialect.name == "postgresql" else None


def arrived(connection: Connection, transaction: str) -> bool:
    """Whether the transaction of that number was committed; raises StoreError while that is not known."""
    return postgres.arrived(connection, transaction)


def _order(names: Sequence[str] | None) -> list[str]:
    return list(names or ())


@contextmanager
def clear_errors(url: URL) -> Iterator[None]:
    """Turns what the operator can mend into a StoreError of one sentence; lets every other error pass."""
    try:
        yield
    except (DBAPIError, *postgres.ERRORS) as error:
        cause = error.orig if isinstance(error, DBAPIError) else error
        sentence = _sentence(cause)
        if sentence is None:
            raise
        why = f"store {_named(url)}: {sentence}"
        raise StoreError(why, passes=_passes(cause)) from error
    except msgspec.DecodeError as error:
        why = f"store {_named(url)}: {_UNREADABLE} ({error})"
        raise StoreError(why) from error


_UNREADABLE = (
    "a document in it was written by another build, or is damaged; start the version that wrote it, or bring back a "
    "backup with `monitor db restore FILE`"
)
_FOR_GOOD = ("SQLITE_NOTADB", "SQLITE_CORRUPT")
"""What no waiting mends."""


def _named(url: URL) -> str:
    """The store, without its password."""
    return str(url.database) if url.get_backend_name() == "sqlite" else url.render_as_string(hide_password=True)


def _passes(error: BaseException | None) -> bool:
    code: str | None = getattr(error, "sqlite_errorname", None)
    return code is None or not code.startswith(_FOR_GOOD)


def _sentence(error: BaseException | None) -> str | None:
    code: str | None = getattr(error, "sqlite_errorname", None)
    if code is not None:
        return next((text for start, text in _SENTENCES.items() if code.startswith(start)), None)
    return postgres.sentence(error)
