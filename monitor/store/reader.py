"""Reads a store beside the daemon that writes it: every call sees what is committed, and nothing can be changed.

SQLite's write-ahead log lets it read while another connection writes; a server's database does so anyway. Raises
StoreError as the store does. Synchronous, safe from several threads at once.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Self
from urllib.parse import quote

from sqlalchemy import Connection, Engine, create_engine
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

from monitor.arrivals import Answered, Request
from monitor.errors import StoreError
from monitor.store import marks
from monitor.store.dialect import clear_errors, open_engine


class Reader:
    """A store's rows, for questions of people and of requests."""

    def __init__(self, url: str) -> None:
        """Opens nothing yet; raises StoreError for a URL that is of no use here."""
        self._engine = _read_only(url)

    def close(self) -> None:
        """Gives the connections back."""
        self._engine.dispose()

    def __enter__(self) -> Self:
        """Is itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Closes."""
        self.close()

    def answered(self, source: str, request: Request, since: datetime) -> list[Answered]:
        """What a source was answered since then under a request's key, or for its body."""
        with self._connection() as connection:
            return marks.read_answered_to(connection, source, request, since)

    @contextmanager
    def _connection(self) -> Iterator[Connection]:
        with clear_errors(self._engine.url), self._engine.connect() as connection:
            yield connection


def _read_only(url: str) -> Engine:
    try:
        parsed = make_url(url)
    except ArgumentError:
        return open_engine(url)  # which says what is wrong with it
    if parsed.get_backend_name() != "sqlite":
        return open_engine(url).execution_options(postgresql_readonly=True)
    if not parsed.database or parsed.database.startswith((":", "file:")):
        why = "a store in memory cannot be read by others; name a file under [store]"
        raise StoreError(why)
    path = f"file:{quote(parsed.database)}?mode=ro"
    return create_engine(parsed, creator=lambda: sqlite3.connect(path, uri=True, check_same_thread=False))
