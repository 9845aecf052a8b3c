"""Reads a store beside the daemon that writes it: every call sees what is committed, and nothing can be changed.

SQLite's write-ahead log lets it read while another connection writes; a server's database does so anyway. Raises
StoreError as the store does. Synchronous, safe from several threads at once, and for an event loop it has threads of
its own: whoever else makes threads wait does not make its askers wait.
"""

import asyncio
from collections.abc import Callable, Collection, Iterator
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Self, TypeVar

import polars as pl
from sqlalchemy import Connection, select

from monitor.arrivals import Answered, Request
from monitor.errors import StoreError
from monitor.marks import Correction, FactCheck, GapMark, Mark, Ruling, Silence, StatusMark
from monitor.records import Alert, AlertState, Answer
from monitor.store import alerts, archive, fired, lookups, marks, migrate, queue
from monitor.store.dialect import clear_errors, reading_engine
from monitor.store.lookups import NarrativeCount
from monitor.store.queue import DeadLetter
from monitor.store.schema import state
from monitor.watched import Exchange

T = TypeVar("T")


class Reader:
    """A store's rows, for questions of people and of requests."""

    def __init__(self, url: str) -> None:
        """Opens nothing yet; raises StoreError for a URL that is of no use here."""
        self._engine = reading_engine(url)
        self._recalls = ThreadPoolExecutor(2, "recall")
        self._questions = ThreadPoolExecutor(2, "question")
        self._scans = ThreadPoolExecutor(1, "scan")

    def close(self) -> None:
        """Waits for what is read, and gives threads and connections back."""
        for pool in (self._recalls, self._questions, self._scans):
            pool.shutdown(cancel_futures=True)
        self._engine.dispose()

    async def recall(self, source: str, request: Request, since: datetime) -> list[Answered]:
        """`answered`, for the event loop: no question of people keeps it waiting."""
        return await _in(self._recalls, lambda: self.answered(source, request, since))

    async def ask(self, question: Callable[[], T]) -> T:
        """Asks a question of this reader, for the event loop."""
        return await _in(self._questions, question)

    async def scan(self, question: Callable[[], T]) -> T:
        """Asks a question that reads much of the archive; one at a time, in their order."""
        return await _in(self._scans, question)

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

    def check(self) -> None:
        """Raises StoreError if there is no store, or one of another schema than this program's."""
        url = self._engine.url
        if url.get_backend_name() == "sqlite" and not Path(url.database or "").exists():
            where = "relative paths start where the monitor is started: go there"
            why = f"store {url.database}: no such file; {where}, or start `monitor run` once"
            raise StoreError(why)
        with self._connection() as connection:
            migrate.check(connection)

    def look(self, question: Callable[[Connection], T]) -> T:
        """Asks a question of the store as it stands now."""
        with self._connection() as connection:
            return question(connection)

    def statuses(self, limit: int) -> list[StatusMark]:
        """The last statuses that were set, in the order of the stream."""
        with self._connection() as connection:
            return marks.read_statuses(connection, limit)

    def statuses_of(self, event: str) -> list[StatusMark]:
        """Every status that was set of an event's narratives, in the order of the stream."""
        with self._connection() as connection:
            return marks.read_statuses(connection, event=event)

    def gaps(self, limit: int) -> list[GapMark]:
        """The last gaps of sources, in the order of the stream."""
        with self._connection() as connection:
            return marks.read_gaps(connection, limit)

    def silence(self, name: str) -> Silence | None:
        """The silence of an id, also one that has expired."""
        with self._connection() as connection:
            return marks.read_silence(connection, name)

    def silences(self, after: datetime) -> list[Silence]:
        """Silences that expire after a time, oldest first."""
        with self._connection() as connection:
            return marks.read_silences(connection, after)

    def corrections(self, limit: int) -> list[Correction]:
        """The last corrections of tags, in the order of the stream."""
        with self._connection() as connection:
            return marks.read_corrections(connection, limit)

    def rulings(self, limit: int) -> list[Ruling]:
        """The last merges and splits of narratives, in the order of the stream."""
        with self._connection() as connection:
            return marks.read_rulings(connection, limit)

    def checks(self, limit: int) -> list[FactCheck]:
        """What fact-checkers said last, in the order of the stream."""
        with self._connection() as connection:
            return marks.read_checks(connection, limit)

    def alerts(self, state: AlertState | None, limit: int) -> list[Alert]:
        """The last step of the `limit` newest alerts, in the order in which they began; of one state if named."""
        with self._connection() as connection:
            return alerts.newest(connection, state, limit)

    def has_alert(self, alert: str) -> bool:
        """Whether there is an alert of this id."""
        with self._connection() as connection:
            return alerts.known(connection, alert)

    def alert(self, alert: str) -> Alert | None:
        """The last step of the alert of an id."""
        with self._connection() as connection:
            return alerts.one(connection, alert)

    def dead_letters(self, receiver: str | None, limit: int, keys: Collection[str] | None = None) -> list[DeadLetter]:
        """The newest dead letters, oldest first: of one receiver or of all; only those of these keys, if named."""
        with self._connection() as connection:
            return queue.dead_letters(connection, receiver, limit, keys)

    def firing(self, alert: str) -> str | None:
        """The id of the alert, or of one that shares its card, if it fires; None if none does."""
        with self._connection() as connection:
            return alerts.in_force(connection, alert)

    def fired(self, alert: str) -> tuple[Alert, Alert | None] | None:
        """The last step of an alert, and the step at which it fired first; None if there is no alert of this id."""
        with self._connection() as connection:
            return fired.read(connection, alert)

    def answers(self, limit: int | None = None) -> list[Answer]:
        """The last answer about each alert, in the order in which they were given: all, or the newest."""
        with self._connection() as connection:
            return alerts.read_answers(connection, limit)

    def mention(self, event: str, platform: str, post: str) -> pl.DataFrame:
        """MENTIONS of one living mention, with its parent's text; no row if the archive has none."""
        with self._connection() as connection:
            return lookups.mention(connection, event, platform, post)

    def narratives(self, event: str, most: int = lookups.MOST_COUNTED) -> list[NarrativeCount]:
        """The counts of every narrative of an event among the `most` newest mentions of all events, per tag."""
        with self._connection() as connection:
            return lookups.narratives(connection, event, most)

    def has_narrative(self, event: str, narrative: str) -> bool:
        """Whether the archive has a mention of it."""
        with self._connection() as connection:
            return lookups.has_narrative(connection, event, narrative)

    def following(self, after: int, limit: int) -> tuple[pl.DataFrame, int]:
        """CLUSTERED: at most `limit` mentions behind the number `after`, and the number of the last.

        In the order of the stream, with tags and narratives as they were given. A deleted one has the text "".
        """
        with self._connection() as connection:
            return archive.following(connection, after, limit)

    def marks(self) -> tuple[list[StatusMark], list[GapMark], list[Silence]]:
        """All that judges and alerts heeded beside mentions, each kind in the order of the stream."""
        with self._connection() as connection:
            silences = marks.read_every_silence(connection)
            return marks.read_statuses(connection), marks.read_gaps(connection), silences

    def every_mark(self) -> list[Mark]:
        """Every mark that came with the stream; each kind in its order, one kind after the other."""
        with self._connection() as connection:
            return [
                *marks.read_gaps(connection),
                *marks.read_statuses(connection),
                *marks.read_every_silence(connection),
                *marks.read_acknowledgements(connection),
                *marks.read_corrections(connection),
                *marks.read_rulings(connection),
                *marks.read_checks(connection),
            ]

    def exchanges(self) -> list[Exchange]:
        """Which events were watched from when on, in the order of the stream."""
        with self._connection() as connection:
            return marks.read_exchanges(connection)

    def state_row(self, key: str) -> bytes | None:
        """A row of the stages' state."""
        with self._connection() as connection:
            return connection.execute(select(state.c.value).where(state.c.key == key)).scalar()

    def last_number(self) -> int:
        """The number of the newest mention; 0 if there is none."""
        with self._connection() as connection:
            return lookups.last_number(connection)

    def texts(self, after: int, limit: int) -> tuple[pl.DataFrame, int]:
        """Texts of at most `limit` mentions behind the number `after`, and the number of the last."""
        with self._connection() as connection:
            return lookups.texts(connection, after, limit)

    @contextmanager
    def _connection(self) -> Iterator[Connection]:
        with clear_errors(self._engine.url), self._engine.connect() as connection:
            yield connection


async def _in(pool: Executor, question: Callable[[], T]) -> T:
    return await asyncio.get_running_loop().run_in_executor(pool, question)
