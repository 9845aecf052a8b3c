"""The store: everything that must survive, written in one transaction per batch.

Synchronous; one caller at a time (the pipeline's worker thread). Every method raises StoreError with a sentence that
says what to do when the disk is full, the file read-only, damaged, or held by somebody else; a failed call leaves
nothing behind.
"""

import secrets
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import NamedTuple, Self, TypeVar

import polars as pl
from sqlalchemy import Connection

from monitor.arrivals import Answered
from monitor.errors import StoreError
from monitor.marks import AckMark, Correction, FactCheck, GapMark, Ruling, Silence, StatusMark
from monitor.records import Alert, AlertState, Answer, Notification
from monitor.store import alerts, archive, fired, marks, migrate, queue, restart, withdrawn
from monitor.store.dialect import arrived, clear_errors, open_engine, transaction_number
from monitor.store.queue import DeadLetter, Due
from monitor.store.withdrawn import Attempted
from monitor.watched import Exchange

T = TypeVar("T")


class Commit(NamedTuple):
    """What one batch leaves: all of it is written, or nothing."""

    mentions: pl.DataFrame
    """CLUSTERED rows in the order of the stream."""
    resume: Mapping[str, str] = {}
    """Source → where it goes on after this batch."""
    state: Mapping[str, bytes] = {}
    """State rows that changed; an empty value removes the row."""
    alerts: Sequence[Alert] = ()
    outbox: Sequence[Notification] = ()
    gaps: Sequence[GapMark] = ()
    statuses: Sequence[StatusMark] = ()
    silences: Sequence[Silence] = ()
    acknowledgements: Sequence[AckMark] = ()
    exchanges: Sequence[Exchange] = ()
    corrections: Sequence[Correction] = ()
    rulings: Sequence[Ruling] = ()
    checks: Sequence[FactCheck] = ()
    answered: Sequence[Answered] = ()
    until: Mapping[str, datetime] = {}
    """Receiver → how long it may be tried to tell it of deletions; empty: nobody is told."""
    gone: Sequence[int] = ()
    """Keys of mentions whose author is gone: they lose what a deletion takes, and who was shown them is told."""
    expired: Sequence[int] = ()
    """Keys of mentions that lose text, author and links because of their age; nobody is told."""


class _Unsure(NamedTuple):
    """A batch whose transaction was being committed."""

    batch: Commit
    number: str
    """The transaction's, at the server."""


class Store:
    """Archive, resume points, state rows, alerts and outbox behind one URL."""

    def __init__(self, url: str, *, stand_in: Callable[[], str] = lambda: secrets.token_hex(8)) -> None:
        """Opens and migrates; `stand_in` gives the random author of a deleted mention (seed it to repeat a run)."""
        self._engine = open_engine(url)
        self._stand_in = stand_in
        self._unsure: _Unsure | None = None
        try:
            with clear_errors(self._engine.url):
                migrate.upgrade(self._engine)
        except StoreError:
            self._engine.dispose()
            raise

    def close(self) -> None:
        """Gives the database back; the store is of no use afterwards."""
        self._engine.dispose()

    def __enter__(self) -> Self:
        """Is itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Closes."""
        self.close()

    def commit(self, batch: Commit) -> None:
        """Writes a batch in one transaction; the same batch again, after a failure, is written once all the same."""
        if self._has_arrived(batch):
            return
        with self._transaction() as connection:
            number = transaction_number(connection)
            gone = [*archive.write(connection, batch.mentions, self._stand_in), *batch.gone]
            archive.take(connection, batch.gone, self._stand_in)
            restart.write(connection, batch.resume, batch.state)
            _write_marks(connection, batch)
            alerts.put(connection, batch.alerts)
            queue.put(connection, batch.outbox)
            gone += alerts.note_evidence(connection, (*batch.alerts, *(one.alert for one in batch.outbox)))
            fired.put(connection, batch.alerts)
            if gone:
                withdrawn.withdraw(connection, set(gone), batch.until)
            if batch.expired:
                archive.take(connection, batch.expired, self._stand_in)
                withdrawn.withdraw(connection, set(batch.expired), {})
            self._unsure = _Unsure(batch, number) if number is not None else None
        self._unsure = None

    def _has_arrived(self, batch: Commit) -> bool:
        """Whether the commit of this very batch, whose end nobody saw, had been done."""
        unsure = self._unsure
        if unsure is None or unsure.batch is not batch:
            return False
        with self._transaction() as connection:
            done = arrived(connection, unsure.number)
        self._unsure = None
        return done

    def recent_mentions(self, limit: int) -> pl.DataFrame:
        """The last `limit` mentions, CLUSTERED, in the order of the stream."""
        with self._transaction() as connection:
            return archive.recent(connection, limit)

    def remembered(self, limit: int) -> pl.DataFrame:
        """REMEMBERED: what the memories of the last `limit` mentions are refilled from."""
        with self._transaction() as connection:
            return archive.remembered(connection, limit)

    def resume_points(self) -> dict[str, str]:
        """Source → where it goes on."""
        with self._transaction() as connection:
            return restart.points(connection)

    def load_state(self) -> dict[str, bytes]:
        """All state rows."""
        with self._transaction() as connection:
            return restart.rows(connection)

    def alerts(self, state: AlertState | None = None) -> list[Alert]:
        """The last step of every alert, in the order in which they began; of one state if named."""
        with self._transaction() as connection:
            return alerts.read(connection, state)

    def answer(self, answer: Answer) -> None:
        """Keeps what somebody said of an alert."""
        with self._transaction() as connection:
            alerts.put_answer(connection, answer)

    def statuses(self) -> list[StatusMark]:
        """Every status that was set, in the order of the stream."""
        with self._transaction() as connection:
            return marks.read_statuses(connection)

    def gaps(self) -> list[GapMark]:
        """Every gap of a source, in the order of the stream."""
        with self._transaction() as connection:
            return marks.read_gaps(connection)

    def silences(self, after: datetime) -> list[Silence]:
        """Silences that expire after a time, oldest first."""
        with self._transaction() as connection:
            return marks.read_silences(connection, after)

    def exchanges(self) -> list[Exchange]:
        """Which events were watched from when on, in the order of the stream."""
        with self._transaction() as connection:
            return marks.read_exchanges(connection)

    def corrections(self) -> list[Correction]:
        """Every correction of a tag, in the order of the stream."""
        with self._transaction() as connection:
            return marks.read_corrections(connection)

    def rulings(self) -> list[Ruling]:
        """Every merge and split of narratives, in the order of the stream."""
        with self._transaction() as connection:
            return marks.read_rulings(connection)

    def answered(self) -> list[Answered]:
        """What was answered to requests in the last day, oldest first."""
        with self._transaction() as connection:
            return marks.read_answered(connection)

    def change(self, work: Callable[[Connection], T]) -> T:
        """Does something in a transaction of its own; for what retention looks up and removes."""
        with self._transaction() as connection:
            return work(connection)

    def due(self, receiver: str, now: datetime, limit: int) -> Due:
        """What `receiver` can be sent at `now`, at most `limit`; an alert's steps one after the other."""
        with self._transaction() as connection:
            return queue.due(connection, receiver, now, limit)

    def waiting(self) -> int:
        """How many notifications are on their way, to any receiver."""
        with self._transaction() as connection:
            return queue.waiting(connection)

    def unclaimed(self, receivers: Collection[str]) -> list[Notification]:
        """Queued notifications to none of `receivers`."""
        with self._transaction() as connection:
            return queue.unclaimed(connection, receivers)

    def mark_begun(self, key: str) -> None:
        """An attempt begins; until it ends, nobody knows whether it arrived."""
        with self._transaction() as connection:
            queue.begun(connection, key)

    def mark_sent(
        self, key: str, receipt: str = "", at: datetime | None = None, attempted: Attempted | None = None
    ) -> None:
        """The receiver has it, since `at`; it is never due again. What was deleted since is taken off what it has."""
        with self._transaction() as connection:
            queue.sent(connection, key, receipt, at)
            if attempted is not None:
                withdrawn.since_sent(connection, key, attempted)

    def sent_since(self, receiver: str, since: datetime, *, edits: bool) -> list[datetime]:
        """When a receiver was sent something after a time, in order."""
        with self._transaction() as connection:
            return queue.sent_since(connection, receiver, since, edits=edits)

    def mark_held(self, key: str, until: datetime, reason: str, longer: timedelta) -> None:
        """Held back for a digest; its deadline is put off by `longer`."""
        with self._transaction() as connection:
            queue.hold(connection, key, until, reason, longer)

    def gather(self, receiver: str, now: datetime, *, edits: bool = False) -> bool:
        """Makes one message of what a receiver was not sent until `now`; says whether there was something."""
        with self._transaction() as connection:
            return queue.gather(connection, receiver, now, edits=edits)

    def mark_failed(
        self,
        key: str,
        next_at: datetime,
        reason: str = "",
        detail: str = "",
        *,
        unknown: bool = False,
        attempted: Attempted | None = None,
    ) -> None:
        """One attempt failed; due again at `next_at`. `unknown`: it, or one before it, may have arrived."""
        with self._transaction() as connection:
            queue.failed(connection, key, next_at, reason, detail, unknown=unknown)
            if attempted is not None and unknown:
                withdrawn.since_sent(connection, key, attempted)

    def standing(self, receiver: str) -> list[Alert]:
        """The last step that `receiver` has of every alert, oldest first, where that is not its end."""
        with self._transaction() as connection:
            return queue.standing(connection, receiver)

    def mark_dead(
        self, key: str, reason: str, detail: str = "", *, unknown: bool = False, attempted: Attempted | None = None
    ) -> None:
        """Given up: a dead letter. `unknown`: an attempt may have arrived all the same; None was made just now."""
        with self._transaction() as connection:
            queue.dead(connection, key, reason, detail, unknown=unknown, tried=attempted is not None)
            if attempted is not None and unknown:
                withdrawn.since_sent(connection, key, attempted)

    def dead_letters(self) -> list[DeadLetter]:
        """All dead letters, oldest first."""
        with self._transaction() as connection:
            return queue.dead_letters(connection)

    def requeue(self, key: str, deadline: datetime) -> bool:
        """Queues a dead letter anew until `deadline`; False if there is none of this key."""
        with self._transaction() as connection:
            return queue.requeue(connection, key, deadline)

    @contextmanager
    def _transaction(self) -> Iterator[Connection]:
        with clear_errors(self._engine.url), self._engine.begin() as connection:
            yield connection


def _write_marks(connection: Connection, batch: Commit) -> None:
    marks.put_gaps(connection, batch.gaps)
    marks.put_statuses(connection, batch.statuses)
    marks.put_silences(connection, batch.silences)
    marks.put_acknowledgements(connection, batch.acknowledgements)
    marks.put_exchanges(connection, batch.exchanges)
    marks.put_corrections(connection, batch.corrections)
    marks.put_rulings(connection, batch.rulings)
    marks.put_checks(connection, batch.checks)
    marks.put_answered(connection, batch.answered)
