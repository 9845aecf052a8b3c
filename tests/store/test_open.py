"""What stops a store, and what the operator is told."""

import sqlite3
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import inspect, text
from sqlalchemy.engine import make_url
from sqlalchemy.schema import CreateTable

from monitor.errors import StoreError
from monitor.store import archive, dialect, migrate, schema
from monitor.store.store import Commit, Store
from tests.fakes.mentions import clustered


def url(path: Path) -> str:
    return f"sqlite:///{path}"


def test_the_migrated_schema_is_the_one_on_the_page(place: str) -> None:
    engine = dialect.open_engine(place)
    migrate.upgrade(engine)
    with engine.connect() as connection:
        options = {"version_table": schema.VERSION_TABLE, "compare_type": True}
        assert compare_metadata(MigrationContext.configure(connection, opts=options), schema.METADATA) == []
    engine.dispose()


def test_migrations_go_both_ways(place: str) -> None:
    engine = dialect.open_engine(place)
    migrate.upgrade(engine)
    migrate.downgrade(engine, "base")
    assert inspect(engine).get_table_names() == [schema.VERSION_TABLE]
    migrate.upgrade(engine)
    assert set(inspect(engine).get_table_names()) == {schema.VERSION_TABLE, *schema.METADATA.tables}
    engine.dispose()


def test_a_migration_that_fails_half_way_leaves_the_store_as_it_was(
    place: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = dialect.open_engine(place)
    monkeypatch.setattr("alembic.operations.base.Operations.create_table", failing_at("outbox"))
    with pytest.raises(KeyError):
        migrate.upgrade(engine)
    assert inspect(engine).get_table_names() == []
    engine.dispose()


def failing_at(name: str) -> object:
    from alembic.operations.base import Operations  # noqa: PLC0415  the real one, before it is replaced

    create = Operations.create_table

    def create_table(self: Operations, table: str, *columns: object, **more: object) -> object:
        if table == name:
            raise KeyError(name)
        return create(self, table, *columns, **more)  # type: ignore[arg-type]

    return create_table


def test_a_store_of_a_newer_version_is_refused_and_left_alone(place: str) -> None:
    with Store(place) as store:
        store.change(lambda connection: connection.execute(text("UPDATE meta SET version_num = '9999'")))
    with pytest.raises(StoreError, match=r"schema 9999.*newer.*upgrade the monitor"):
        Store(place)


def test_a_file_that_is_no_database_is_named_and_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    path.write_bytes(b"this is no database" * 200)
    with pytest.raises(StoreError, match=r"store\.db: the file is no SQLite database"):
        Store(url(path))
    assert path.read_bytes() == b"this is no database" * 200


def test_a_damaged_file_is_named(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    with Store(url(path)) as store:
        store.commit(Commit(clustered(*({} for _ in range(500)))))
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2] + b"\xff" * (len(content) - len(content) // 2))
    with (
        pytest.raises(StoreError, match=r"store\.db: the file is damaged; restore a backup"),
        Store(url(path)) as store,
    ):
        store.recent_mentions(500)


def test_a_full_disk_is_said_and_leaves_nothing_of_the_batch(tmp_path: Path) -> None:
    with Store(url(tmp_path / "store.db")) as store:
        store.commit(Commit(clustered({}), resume={"s": "1"}))
        with store._engine.connect() as connection:  # noqa: SLF001  stands for a disk that fills up
            pages = connection.exec_driver_sql("PRAGMA page_count").scalar()
            connection.exec_driver_sql(f"PRAGMA max_page_count = {pages}")
        many = clustered(*({"id": str(n)} for n in range(1000, 3000)))
        with pytest.raises(StoreError, match=r"store\.db: the disk is full; free space"):
            store.commit(Commit(many, resume={"s": "2"}))
        assert store.resume_points() == {"s": "1"}
        with store._engine.connect() as connection:  # noqa: SLF001
            connection.exec_driver_sql("PRAGMA max_page_count = 100000")
        store.commit(Commit(many, resume={"s": "2"}))
        assert len(store.recent_mentions(5000)) == 2001


def test_a_read_only_store_is_said_at_the_first_write(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    Store(url(path)).close()
    with (
        Store(f"sqlite:///file:{path}?mode=ro&uri=true") as store,
        pytest.raises(StoreError, match=r"read-only; give the monitor's user the right"),
    ):
        store.commit(Commit(clustered({})))


def test_a_store_held_by_another_writer_is_said(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    with Store(f"{url(path)}?timeout=0") as store:
        other = sqlite3.connect(path, isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreError, match="stop the other writer"):
            store.commit(Commit(clustered({})))
        other.execute("ROLLBACK")
        other.close()
        store.commit(Commit(clustered({})))


def test_a_folder_that_is_missing_is_made(tmp_path: Path) -> None:
    Store(url(tmp_path / "data" / "here" / "store.db")).close()
    assert (tmp_path / "data" / "here" / "store.db").exists()


def test_a_folder_that_cannot_be_made_is_said(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("a file", "utf-8")
    with pytest.raises(StoreError, match="its folder cannot be made"):
        Store(url(tmp_path / "data" / "store.db"))


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ("store.db", "write sqlite:///path"),
        ("nosuch://host/name", "write sqlite:///path"),
        ("postgresql+nosuch://host/name", "write sqlite:///path"),
        ("mysql+pymysql://host/name", "write sqlite:///path"),
    ],
)
def test_a_url_of_no_use_is_said(wrong: str, said: str) -> None:
    with pytest.raises(StoreError, match=said):
        Store(wrong)


def test_every_table_and_insert_compiles_for_postgresql() -> None:
    server = make_url("postgresql://").get_dialect()()
    for table in schema.METADATA.sorted_tables:
        assert "CREATE TABLE" in str(CreateTable(table).compile(dialect=server))
        key = [column.name for column in table.primary_key]
        assert "ON CONFLICT" in str(dialect.insert_new(server, table, key).compile(dialect=server))
        assert "DO UPDATE" in str(dialect.insert_or_replace(server, table, key, key).compile(dialect=server))
    assert "number BIGSERIAL" in str(CreateTable(schema.mentions).compile(dialect=server))
    assert "coalesce" in str(archive._REPLACE_NUMBERS.compile(dialect=server))  # noqa: SLF001
