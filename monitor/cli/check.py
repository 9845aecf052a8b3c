"""`monitor check`: every mistake of a configuration, or a summary of it."""

import argparse
from pathlib import Path

from monitor.cli import options
from monitor.errors import StoreError
from monitor.settings import Settings, doubts, load, schema

NAME = "check"
HELP = "lists every mistake of a configuration"
EPILOG = """
Reads monitor.toml and events/*.toml in DIR, and the files and environment variables they name. Nothing is started and
nothing is written.

exit status:
  0  the configuration is good; a summary is printed, and what is allowed but hardly meant
  2  it is not; every mistake is listed with its file and path

examples:
  monitor check
  monitor check --config /etc/virality-monitor
  monitor check --schema config/schema.json     # for editors that complete and check TOML
"""


def add(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Adds the command and its options."""
    parser = commands.add_parser(
        NAME, help=HELP, description=HELP, epilog=EPILOG, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    what = parser.add_mutually_exclusive_group()
    options.config(what)
    what.add_argument(
        "--schema", type=Path, metavar="PATH", help="checks nothing, but writes the configuration's JSON Schema to PATH"
    )


def run(arguments: argparse.Namespace) -> int:
    """Checks, or writes the schema; returns the exit status."""
    if arguments.schema is not None:
        return _write_schema(arguments.schema)
    print(_summary(arguments.config, load(arguments.config)))
    return 0


def _write_schema(path: Path) -> int:
    try:
        path.write_bytes(schema())
    except OSError as error:
        why = f"cannot write {path}: {error.strerror}"
        raise StoreError(why) from error
    return 0


def _summary(directory: Path, settings: Settings) -> str:
    parts = {
        "events": [event.name for event in settings.events],
        "sources": [source.name for source in settings.monitor.sources],
        "receivers": [receiver.name for receiver in settings.monitor.receivers],
    }
    lines = [f"{directory}: good"]
    lines += [f"  {name:<10} {len(named):>3}  {', '.join(named) or 'none'}" for name, named in parts.items()]
    lines += [f"  doubtful: event {event.name}: {said}" for event in settings.events for said in doubts.of_event(event)]
    return "\n".join(lines)
