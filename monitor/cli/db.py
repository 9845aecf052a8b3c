"""`monitor db`: the store itself – its schema, its health, backups, and the way to another database."""

import argparse
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from monitor.cli import options, shown
from monitor.errors import StoreError
from monitor.settings import RetentionSettings, load_retention, load_store
from monitor.settings.sentences import written
from monitor.store import moved
from monitor.store.dialect import tidy
from monitor.store.sole import sole
from monitor.store.state_of import State, look
from monitor.store.store import Store

NAME = "db"
HELP = "checks, upgrades, tidies, backs up and restores the store"
EPILOG = """
Works on the store that [store] of monitor.toml names, SQLite or PostgreSQL. check and backup run beside the daemon;
upgrade, vacuum and restore want it stopped, and are refused while it works.

exit status:
  0  done
  1  the store cannot be used, is damaged, or a daemon works on it; one line says what to do
  2  the configuration is wrong

examples:
  monitor db check                           # schema, size, rows, and whether the file is whole
  monitor db backup /backup/monitor.sqlite   # while the daemon runs
  monitor db restore /backup/monitor.sqlite  # into the empty store that [store] names: also SQLite → PostgreSQL
  monitor db vacuum
  monitor db upgrade                         # `monitor run` does so by itself
"""
_DOES = {
    "check": "shows schema, size and rows, and looks for damage",
    "upgrade": "brings the schema to this version of the program",
    "vacuum": "gives unused room back to the disk",
    "backup": "copies the store to a SQLite file, beside the daemon",
    "restore": "copies a backup into the store, which must be empty",
}


def add(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Adds the command and its options."""
    parser = options.command(commands, NAME, HELP, EPILOG)
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    for name, does in _DOES.items():
        file = " /backup/monitor.sqlite" if name in {"backup", "restore"} else ""
        action = options.command(actions, name, does, f"\nexamples:\n  monitor db {name}{file}\n")
        if file:
            action.add_argument("file", type=Path, metavar="FILE", help="the backup")
        if name == "backup":
            action.add_argument("--force", action="store_true", help="takes the place of a FILE that is there")
        if name == "check":
            options.as_json(action)
        options.config(action)


def run(arguments: argparse.Namespace) -> int:
    """Does it; returns the exit status."""
    url = load_store(arguments.config).reveal()
    match arguments.action:
        case "check":
            return _check(look(url), load_retention(arguments.config), as_json=arguments.json)
        case "upgrade":
            with _stopped(url), Store(url):
                pass
        case "vacuum":
            with _stopped(url):
                tidy(url)
        case "backup":
            if arguments.file.exists() and not arguments.force:
                why = f"{arguments.file}: is there already; name another file, or take its place with --force"
                raise StoreError(why)
            with _progress("backup") as progress:
                moved.backup(url, arguments.file, progress)
        case "restore":
            with _stopped(url), _progress("restore") as progress:
                moved.restore(arguments.file, url, progress)
    print(f"{arguments.action}: done")
    return 0


@contextmanager
def _stopped(url: str) -> Iterator[None]:
    """No daemon works on the store meanwhile."""
    lock = sole(url)
    try:
        yield
    finally:
        lock.close()


def _check(found: State, keeps: RetentionSettings, *, as_json: bool) -> int:
    lasts = {field.name: written(getattr(keeps, field.name)) for field in msgspec.structs.fields(keeps)}
    if as_json:
        shown.as_json(found._asdict() | {"held": [one._asdict() for one in found.held], "retention": lasts})
    else:
        schema = found.schema or "none yet"
        print(f"schema {schema}{'' if found.current else ', not of this program: monitor db upgrade'}")
        print(f"size   {found.size / 1e6:,.1f} MB")
        rows = [(one.table, f"{one.rows:,}", one.first, one.last) for one in found.held]
        shown.table(("table", "rows", "first", "last"), rows, "nothing is in it")
        print(f"kept   {', '.join(f'{name} {lasts[name]}' for name in lasts)}")
    if found.damage:
        why = f"the store is damaged: {'; '.join(found.damage[:5])}; restore a backup"
        raise StoreError(why)
    return 0


@contextmanager
def _progress(does: str) -> Iterator[moved.Progress]:
    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, disable=not console.is_terminal, transient=True) as bar:
        task = bar.add_task(does, total=None)
        yield lambda table, done, of: bar.update(task, description=f"{does} {table}", completed=done, total=of)
