"""What only PostgreSQL needs: how it is opened, what its errors mean, whether a commit nobody saw end was done."""

from contextlib import ExitStack

import polars as pl
import psycopg
from psycopg import Connection as Psycopg
from psycopg import sql
from sqlalchemy import Connection, Engine, Table, create_engine, event, text
from sqlalchemy.engine import URL

from monitor.errors import StoreError

DRIVERS = frozenset({"postgresql", "postgresql+psycopg"})
"""How the URL of such a store begins."""
ERRORS = (psycopg.Error,)
"""What the driver raises where SQLAlchemy is not asked."""
_CONNECT = {
    "application_name": "virality-monitor",
    "connect_timeout": 10,  # seconds
    "keepalives_idle": 30,
    "tcp_user_timeout": 30_000,  # milliseconds: a dead network is a lost connection, not a call that never returns
}
_LONGEST_REASON = 200
_TAKE = (
    "SET lock_timeout = '5s'; "  # a process that was just killed may not have left yet
    "SELECT pg_advisory_lock(hashtext('virality-monitor'), hashtext(current_schema())); "
    "SET lock_timeout = 0"
)
_INCOMING = sql.SQL(
    "CREATE TEMPORARY TABLE incoming ON COMMIT DROP AS SELECT {names} FROM {table} WITH NO DATA;"
    " ALTER TABLE incoming ADD COLUMN row bigserial"
)
_COPY = sql.SQL("COPY incoming ({names}) FROM STDIN (FORMAT csv, ENCODING 'UTF8')")
_INSERT = sql.SQL(
    "INSERT INTO {table} ({names}) SELECT {names} FROM incoming ORDER BY row ON CONFLICT ({key}) DO NOTHING;"
    " DROP TABLE incoming"
)
_SENTENCES = {
    "08": "the connection broke; check network and server",
    "25006": "the server is read-only, perhaps a standby; name the primary in the URL",
    "42501": "the user lacks a right; give it the right to create and write tables in its schema",
    "53100": "the server's disk is full; free space, and it goes on by itself: nothing acknowledged is lost",
    "53": "the server has no connections or memory left; raise its limits",
    "55P03": "another monitor works on it; stop that one, or name another store",
    "57P": "the server stops or starts; it goes on by itself",
}


def engine(url: URL, *, sole: bool) -> Engine:
    """An engine over psycopg; with `sole` it has one connection, which holds the schema's lock while it lives.

    The lock goes with the writing connection, not with the process: whoever lost the connection, and with it the lock,
    cannot write again before it has both.
    """
    driver = url.set(drivername="postgresql+psycopg")
    if not sole:
        return create_engine(driver, connect_args=_CONNECT)
    made = create_engine(driver, connect_args=_CONNECT, pool_size=1, max_overflow=0)
    event.listen(made, "connect", _take)
    return made


def _take(connection: Psycopg[object], _record: object) -> None:
    with ExitStack() as undo:
        undo.callback(connection.close)
        connection.execute(_TAKE)
        connection.commit()
        undo.pop_all()


def sentence(error: BaseException | None) -> str | None:
    """What the operator can do about an error of the server; None if nothing, because it is a bug."""
    code: str = getattr(error, "sqlstate", None) or ""
    known = next((said for start, said in _SENTENCES.items() if code.startswith(start)), None)
    if known is not None:
        return known
    if isinstance(error, psycopg.OperationalError | psycopg.InterfaceError | psycopg.InternalError):
        last = (str(error).strip().splitlines() or ["no reason"])[-1]
        reason = "".join(filter(str.isprintable, last))[:_LONGEST_REASON]
        return f"the database server cannot be used now ({reason}); check that it runs and takes the URL's credentials"
    return None


def write_new(connection: Connection, table: Table, key: str, frame: pl.DataFrame) -> None:
    """Inserts the rows of `frame`, in their order, whose `key` the table has not; COPY is three times an INSERT."""
    names = sql.SQL(", ").join(map(sql.Identifier, frame.columns))
    made = {"names": names, "table": sql.Identifier(table.name), "key": sql.Identifier(key)}
    connection.exec_driver_sql(_INCOMING.format(**made).as_string())
    raw: Psycopg[object] | None = connection.connection.driver_connection
    if raw is None:
        why = "a connection that is in a transaction has a driver's connection"
        raise AssertionError(why)
    with raw.cursor() as cursor, cursor.copy(_COPY.format(**made)) as copy:
        copy.write(frame.write_csv(include_header=False, quote_style="non_numeric"))
    connection.exec_driver_sql(_INSERT.format(**made).as_string())


def begun(connection: Connection) -> str:
    """The number of the transaction that this connection is in."""
    return str(connection.execute(text("SELECT pg_current_xact_id()")).scalar_one())


def arrived(connection: Connection, transaction: str) -> bool:
    """Whether a transaction of that number was committed; raises StoreError while the server still works on it.

    Source: PostgreSQL's documentation of `pg_xact_status`, which is for just this question.
    """
    known = text(
        "SELECT CASE WHEN CAST(:number AS xid8) < pg_snapshot_xmax(pg_current_snapshot()) "
        "THEN pg_xact_status(CAST(:number AS xid8)) END"
    )
    status = connection.execute(known, {"number": transaction}).scalar()
    if status == "in progress":
        why = "the server still works on the last transaction"
        raise StoreError(why, passes=True)
    return bool(status == "committed")
