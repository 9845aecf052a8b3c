"""What commands print: tables for people, in which no text of a post acts, and JSON for programs."""

import sys
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

import msgspec
from rich.box import SIMPLE
from rich.console import Console
from rich.table import Table
from rich.text import Text

from monitor.alert.harmless import harmless

LONGEST = 200
"""Characters of one cell."""
WIDE = 160
"""Characters of a line where no terminal says how many fit."""


def table(headings: Sequence[str], rows: Iterable[Sequence[object]], none: str) -> None:
    """Prints rows under their headings, or `none` where there are none; only the last column is folded."""
    *firm, last = headings
    shown = Table(box=SIMPLE, pad_edge=False, show_edge=False)
    for heading in firm:
        shown.add_column(heading, no_wrap=True)
    shown.add_column(last, overflow="fold")
    for row in rows:
        shown.add_row(*(Text(cell(one)) for one in row))
    console = screen()
    if shown.row_count:
        console.print(shown)
    else:
        console.print(Text(none))


def screen() -> Console:
    """The terminal, or wide lines for what is not one."""
    console = Console()
    return console if console.is_terminal else Console(width=WIDE)


def cell(value: object) -> str:
    """A value as it stands in a table."""
    if isinstance(value, datetime):
        return f"{value.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"
    if value is None:
        return "–"
    return harmless(str(value), LONGEST)


def as_json(value: object) -> None:
    """Prints a value as one line of JSON."""
    sys.stdout.write(msgspec.json.encode(value).decode() + "\n")
