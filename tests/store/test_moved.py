"""Backups, the way between databases, and how a store is."""

from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import text

from monitor.errors import StoreError
from monitor.marks import GapMark, Status, StatusMark
from monitor.store import moved
from monitor.store.dialect import open_engine, reading_engine, tidy
from monitor.store.schema import METADATA
from monitor.store.state_of import look
from monitor.store.store import Commit, Store
from tests.fakes.alerts import AT, a_notification, an_alert
from tests.fakes.mentions import clustered, none
from tests.fakes.postgres import Postgres


def silent(*_: object) -> None:
    """Shows no progress."""


def filled(url: str) -> None:
    with Store(url, stand_in=lambda: "gone") as store:
        store.commit(
            Commit(
                clustered(*({"id": str(n), "text": f"نص {n}"} for n in range(5_000))),
                resume={"s": "1"},
                state={"judge/x": b"\x00\xff"},
                alerts=[an_alert()],
                outbox=[a_notification()],
                gaps=[GapMark(source="s", begins=AT, ends=AT + timedelta(minutes=1), why="lost")],
                statuses=[StatusMark(at=AT, event="fall", narrative="n", status=Status.DENIED, by="desk", voice=True)],
            )
        )


def contents(url: str) -> dict[str, list[tuple[object, ...]]]:
    engine = reading_engine(url)
    with engine.connect() as connection:
        found = {
            name: [
                tuple(bytes(value) if isinstance(value, memoryview) else value for value in row)
                for row in connection.execute(table.select().order_by(*table.primary_key.columns))
            ]
            for name, table in METADATA.tables.items()
        }
    engine.dispose()
    return found


def test_a_backup_restores_every_row_of_every_table_and_the_store_goes_on(place: str, tmp_path: Path) -> None:
    filled(place)
    backup = tmp_path / "backup.sqlite"
    moved.backup(place, backup, silent)
    again = f"sqlite:///{tmp_path}/again.sqlite"
    moved.restore(backup, again, silent)
    assert contents(again) == contents(place) == contents(f"sqlite:///{backup}")
    with Store(again) as store:
        store.commit(Commit(clustered({"id": "new"})))
        assert store.recent_mentions(1)["id"].to_list() == ["new"]


def test_a_file_moves_to_a_server_and_numbers_go_on(postgres: Postgres, tmp_path: Path) -> None:
    filled(f"sqlite:///{tmp_path}/m.sqlite")
    there = postgres.place()
    moved.restore(tmp_path / "m.sqlite", there, silent)
    assert contents(there) == contents(f"sqlite:///{tmp_path}/m.sqlite")
    with Store(there) as store:
        store.commit(Commit(clustered({"id": "new"}), alerts=[an_alert(id="a2")]))
        assert store.recent_mentions(2)["id"].to_list() == ["4999", "new"]


def test_a_backup_is_taken_of_one_moment_while_the_store_is_written(place: str, tmp_path: Path) -> None:
    filled(place)
    with Store(place) as store:

        def meanwhile(table: str, done: int, _: int) -> None:
            if (table, done) == ("mentions", 2_000):
                store.commit(Commit(clustered({"id": "late"}), resume={"s": "2"}))

        moved.backup(place, tmp_path / "backup.sqlite", meanwhile)
        assert store.resume_points() == {"s": "2"}
    found = contents(f"sqlite:///{tmp_path}/backup.sqlite")
    assert len(found["mentions"]) == 5_000
    assert found["resume_points"] == [("s", "1")]


def test_a_store_with_anything_in_it_is_not_overwritten(place: str, tmp_path: Path) -> None:
    filled(f"sqlite:///{tmp_path}/backup.sqlite")
    with Store(place) as store:
        store.commit(Commit(none(), resume={"mine": "7"}))
    with pytest.raises(StoreError, match="is not empty, and nothing is overwritten"):
        moved.restore(tmp_path / "backup.sqlite", place, silent)
    with Store(place) as store:
        assert store.resume_points() == {"mine": "7"}
        assert store.recent_mentions(1).is_empty()


def test_a_backup_that_fails_leaves_the_last_one_and_nothing_else(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/m.sqlite"
    filled(url)
    backup = tmp_path / "to" / "backup.sqlite"
    backup.parent.mkdir()
    moved.backup(url, backup, silent)
    before = backup.read_bytes()

    def fails(table: str, *_: int) -> None:
        if table == "state":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        moved.backup(url, backup, fails)
    assert backup.read_bytes() == before
    assert list(backup.parent.iterdir()) == [backup]


def test_what_is_no_backup_is_refused(tmp_path: Path) -> None:
    (tmp_path / "no.sqlite").write_bytes(b"nothing of the kind" * 100)
    for name, why in {"no.sqlite": "is no SQLite database", "none.sqlite": "no such file"}.items():
        with pytest.raises(StoreError, match=why):
            moved.restore(tmp_path / name, f"sqlite:///{tmp_path}/m.sqlite", silent)


def test_a_look_tells_schema_size_and_rows(place: str) -> None:
    filled(place)
    found = look(place)
    held = {one.table: one for one in found.held}
    assert (found.current, found.damage) == (True, ())
    assert found.size > 100_000
    assert (held["mentions"].rows, held["alerts"].rows, held["rulings"].rows) == (5_000, 1, 0)
    assert held["gaps"].last == AT + timedelta(minutes=1)


def test_a_damaged_file_is_found(tmp_path: Path) -> None:
    filled(f"sqlite:///{tmp_path}/m.sqlite")
    whole = bytearray((tmp_path / "m.sqlite").read_bytes())
    whole[40_000:48_000] = b"\xaa" * 8_000
    (tmp_path / "m.sqlite").write_bytes(whole)
    try:
        assert look(f"sqlite:///{tmp_path}/m.sqlite").damage
    except StoreError as error:
        assert "damaged" in str(error)  # noqa: PT017  either way it is said


def test_room_is_given_back(tmp_path: Path, postgres: Postgres) -> None:
    url = f"sqlite:///{tmp_path}/m.sqlite"
    filled(url)
    engine = open_engine(url)
    with engine.begin() as connection:
        connection.execute(text("DELETE FROM mentions"))
    engine.dispose()
    before = look(url).size
    tidy(url)
    assert look(url).size < before / 2
    place = postgres.place()
    filled(place)
    tidy(place)
    assert look(place).held[0].rows == 5_000
