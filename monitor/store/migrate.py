"""Brings a store's schema to this version of the program, or back."""

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine

from monitor.errors import StoreError
from monitor.store.schema import VERSION_TABLE


def upgrade(engine: Engine) -> None:
    """Migrates to the newest schema in one transaction; raises StoreError if the store is newer than this program."""
    config = _config()
    scripts = ScriptDirectory.from_config(config)
    with engine.connect() as connection:
        current = revision(connection)
    if current == scripts.get_current_head():
        return
    if not known(current):
        why = (
            f"the store has schema {current}, which this version of the monitor does not know; "
            "it was written by a newer one: upgrade the monitor, or name another store"
        )
        raise StoreError(why)
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "head")


def check(connection: Connection) -> None:
    """Raises StoreError unless the store has exactly this program's schema."""
    current = revision(connection)
    if current != newest():
        has = f"the store has schema {current or 'none'}, which is not this program's"
        why = f"{has}; start `monitor run` once, it brings the store up to date"
        raise StoreError(why)


def newest() -> str | None:
    """The schema of this program."""
    return ScriptDirectory.from_config(_config()).get_current_head()


def known(schema: str | None) -> bool:
    """Whether this program can bring a store of this schema (None: an empty one) up to date."""
    return schema is None or schema in {one.revision for one in ScriptDirectory.from_config(_config()).walk_revisions()}


def downgrade(engine: Engine, to: str) -> None:
    """Migrates back to the schema `to` (`base` is empty), in one transaction; what it has no place for is lost."""
    config = _config()
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.downgrade(config, to)


def revision(connection: Connection) -> str | None:
    """The store's schema version, None for an empty store."""
    return MigrationContext.configure(connection, opts={"version_table": VERSION_TABLE}).get_current_revision()


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", "monitor.store:migrations")
    config.set_main_option("path_separator", "os")
    return config
