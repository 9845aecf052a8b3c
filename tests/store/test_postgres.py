"""What a database server does to a store: it stops, refuses, has another writer, or answers nothing."""

import signal
from collections.abc import Iterator
from datetime import timedelta
from types import MethodType

import psycopg
import pytest
from sqlalchemy import event
from sqlalchemy.engine import Connection
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import PoolProxiedConnection

from monitor.errors import StoreError
from monitor.marks import GapMark
from monitor.store.reader import Reader
from monitor.store.store import Commit, Store
from tests.fakes.mentions import START, clustered, none
from tests.fakes.postgres import PASSWORD, Postgres, running

MINUTE = timedelta(minutes=1)
GAP = GapMark(source="posts", begins=START, ends=START + MINUTE, why="lost")


@pytest.fixture(scope="module")
def server() -> Iterator[Postgres]:
    """One of our own, that may be stopped."""
    with running() as started:
        yield started


def test_a_server_that_stops_is_said_and_the_store_goes_on_when_it_is_back(server: Postgres) -> None:
    with Store(server.place()) as store:
        store.commit(Commit(clustered({}), resume={"s": "1"}))
        server.stop(signal.SIGQUIT)
        for _ in range(2):
            with pytest.raises(StoreError, match=r"server|connection") as told:
                store.commit(Commit(clustered({"id": "7"}), resume={"s": "2"}))
            assert told.value.passes
        server.start()
        store.commit(Commit(clustered({"id": "7"}), resume={"s": "2"}))
        assert store.resume_points() == {"s": "2"}
        assert store.recent_mentions(9).height == 2


@pytest.mark.parametrize("done", [True, False], ids=["done", "not done"])
def test_a_batch_whose_commit_nobody_saw_end_is_written_once(
    server: Postgres, monkeypatch: pytest.MonkeyPatch, *, done: bool
) -> None:
    """The connection breaks after the COMMIT was sent, once behind its end and once before it."""
    with Store(server.place()) as store:
        commit = store._engine.dialect.do_commit  # noqa: SLF001  where the network is put

        def breaks(_: object, connection: PoolProxiedConnection) -> None:
            if done:
                commit(connection)
            monkeypatch.undo()
            server.tell(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'virality-monitor'"
            )
            raise psycopg.OperationalError

        dialect = store._engine.dialect  # noqa: SLF001
        batch = Commit(clustered({}), gaps=[GAP], resume={"s": "1"})
        monkeypatch.setattr(dialect, "do_commit", MethodType(breaks, dialect))
        with pytest.raises(StoreError) as told:
            store.commit(batch)
        assert told.value.passes
        written = recorded(store)
        until_it_goes(store, batch)
        assert store.gaps() == [GAP]
        assert store.recent_mentions(9).height == 1
        assert ("mentions" in "".join(written)) is not done


def until_it_goes(store: Store, batch: Commit) -> None:
    """Again and again, as the worker does; a broken connection is noticed at its next use."""
    for _ in range(200):
        try:
            store.commit(batch)
        except StoreError as error:
            assert error.passes  # noqa: PT017  it may go at once
        else:
            return
    store.commit(batch)


def recorded(store: Store) -> list[str]:
    """The inserts from here on."""
    seen: list[str] = []

    def note(_: Connection, __: object, statement: str, *___: object) -> None:
        seen.append(statement if statement.startswith("INSERT") else "")

    event.listen(store._engine, "before_cursor_execute", note)  # noqa: SLF001
    return seen


def test_a_second_monitor_is_refused_and_let_in_when_the_first_has_gone(server: Postgres) -> None:
    place = server.place()
    with Store(place), pytest.raises(StoreError, match="another monitor works on it; stop that one"):
        Store(place)
    with Store(place), Store(server.place()):
        pass


def test_who_lost_the_connection_writes_no_more_while_another_monitor_works(server: Postgres) -> None:
    place = server.place()
    with Store(place) as first:
        server.stop()
        server.start()
        with Store(place) as second:
            second.commit(Commit(clustered({})))
            for _ in range(2):
                with pytest.raises(StoreError, match=r"server|connection|another monitor"):
                    first.commit(Commit(clustered({"id": "9"})))
        first.commit(Commit(clustered({"id": "9"})))
        assert first.recent_mentions(9).height == 2


def test_a_connection_that_breaks_in_the_middle_of_the_mentions_is_said(server: Postgres) -> None:
    with Store(server.place()) as store:

        def breaks(_: Connection, __: object, statement: str, *___: object) -> None:
            if "pg_current_xact_id" in statement:
                event.remove(store._engine, "after_cursor_execute", breaks)  # noqa: SLF001
                server.stop(signal.SIGQUIT)

        event.listen(store._engine, "after_cursor_execute", breaks)  # noqa: SLF001
        batch = Commit(clustered({}))
        with pytest.raises(StoreError) as told:
            store.commit(batch)
        assert told.value.passes
        server.start()
        until_it_goes(store, batch)
        assert store.recent_mentions(9).height == 1


def test_readers_are_no_monitors_and_can_change_nothing(server: Postgres) -> None:
    place = server.place()
    with Store(place) as store, Reader(place) as one, Reader(place) as other:
        store.commit(Commit(none(), gaps=[GAP]))
        assert one.gaps(5) == other.gaps(5) == [GAP]
        with pytest.raises(DBAPIError, match="read-only transaction"), one._engine.begin() as connection:  # noqa: SLF001
            connection.exec_driver_sql("DELETE FROM gaps")


def test_what_the_server_refuses_is_said_without_the_password(server: Postgres) -> None:
    refused = {
        server.url("postgres").replace("monitor:", "nobody:"): 'failed for user "nobody"',
        server.url("postgres").replace("a%20word", "no%20word"): 'failed for user "monitor"',
        server.url("nowhere"): 'database "nowhere" does not exist',
        server.url("postgres").replace(str(server.port), "1"): "; check that it runs",
    }
    for url, said in refused.items():
        with pytest.raises(StoreError, match=said) as told:
            Store(url)
        assert "word of" not in str(told.value)
        assert PASSWORD not in str(told.value)


def test_a_user_without_rights_and_a_server_that_is_read_only_are_said(server: Postgres) -> None:
    server.tell("CREATE ROLE guest LOGIN PASSWORD 'guest'")
    guest = f"postgresql://guest:guest@127.0.0.1:{server.port}/postgres"
    with pytest.raises(StoreError, match="lacks a right"):
        Store(guest)
    place = server.place()
    Store(place).close()
    with (
        Store(f"{place}%20-cdefault_transaction_read_only%3Don") as store,
        pytest.raises(StoreError, match="the server is read-only") as told,
    ):
        store.commit(Commit(clustered({})))
    assert told.value.passes
