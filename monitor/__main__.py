"""`monitor COMMAND …`: finds the command, runs it, and turns what went wrong into a line and an exit status."""

import argparse
import gc
import os
import sys
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version
from typing import Protocol

from monitor import threads

threads.one_each()

from monitor.cli import (  # noqa: E402
    alerts,
    backtest,
    check,
    corrections,
    db,
    demo,
    doctor,
    event,
    label,
    narrative,
    replay,
    run,
    silence,
    source,
    spikes,
    tag,
    test_alert,
)
from monitor.cli.log import escaped, last  # noqa: E402
from monitor.errors import SettingsError, StoreError  # noqa: E402

DESCRIPTION = "Watches claims about an event spread, and tells the newsroom while it happens."
EPILOG = """
exit status:
  0    done
  1    the store, a file or the network failed; one line says what to do
  2    the command line or the configuration is wrong; every mistake is listed
  130  interrupted

examples:
  monitor demo                                    the fall of Panjshir, live in this terminal
  monitor check --config config                   is the configuration good?
  monitor run --config config                     the daemon
  monitor event preview fall.toml                 what would it have matched? then: monitor event add fall.toml
  monitor replay posts.ndjson --event fall.toml   recorded posts through the same stages

`monitor COMMAND --help` says more.
"""
INTERRUPTED = 130
_COLLECT = (100_000, 50, 100)
"""The memories hold very many small objects and no cycles: looking for some less often is 10 % faster."""


class Command(Protocol):
    """A module of `monitor.cli`."""

    NAME: str

    def add(self, commands: "argparse._SubParsersAction[argparse.ArgumentParser]", /) -> None:
        """Adds the command and its options to the parser."""
        ...

    def run(self, arguments: argparse.Namespace, /) -> int:
        """Does it; returns the exit status. May raise SettingsError and StoreError."""
        ...


COMMANDS: tuple[Command, ...] = (
    *(demo, check, run, source, event, narrative, alerts, silence, label, corrections),
    *(replay, backtest, tag, spikes, test_alert, db, doctor),
)


def parser() -> argparse.ArgumentParser:
    """The command line with all commands."""
    top = argparse.ArgumentParser(
        prog="monitor",
        description=DESCRIPTION,
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    top.add_argument("--version", action="version", version=f"%(prog)s {_version()}")
    commands = top.add_subparsers(dest="command", metavar="COMMAND", required=True, title="commands")
    for command in COMMANDS:
        command.add(commands)
    return top


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one command; returns the exit status and never shows a traceback for a mistake of the operator's."""
    chosen = parser().parse_args(arguments)
    gc.freeze()
    gc.set_threshold(*_COLLECT)
    run = next(command.run for command in COMMANDS if chosen.command == command.NAME)
    try:
        status = run(chosen)
        sys.stdout.flush()
    except (SettingsError, StoreError) as error:
        return _failed(error)
    except BaseExceptionGroup as group:
        known, unknown = group.split((SettingsError, StoreError))
        if known is None or unknown is not None:
            raise
        return _failed(_first(known))
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        return _reader_gone()
    return status


def _failed(error: BaseException) -> int:
    """Says what went wrong, a line each, in which nothing acts that a file or a daemon brought; the exit status."""
    lines = error.mistakes if isinstance(error, SettingsError) else (str(error),)
    if not last(lines):
        sys.stderr.writelines(f"monitor: {escaped(line)}\n" for line in lines)
    return 2 if isinstance(error, SettingsError) else 1


def _first(error: BaseException) -> BaseException:
    """The first error of a group that tasks left; what one task cannot write, the next cannot either."""
    return _first(error.exceptions[0]) if isinstance(error, BaseExceptionGroup) else error


def _reader_gone() -> int:
    """Whoever read our output has seen enough, as in `monitor … | head`; nothing more is written at exit."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    os.close(nowhere)
    return 0


def _version() -> str:
    try:
        return version("virality-monitor")
    except PackageNotFoundError:
        return "(not installed)"


if __name__ == "__main__":
    sys.exit(main())
