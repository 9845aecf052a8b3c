"""Tables of counts over time, as `timestamp,value` CSV: read with each bad line named, laid on a grid, written back."""

import csv
import itertools
from collections.abc import Iterator
from datetime import UTC, datetime
from math import isfinite
from pathlib import Path
from statistics import median
from typing import NamedTuple

from monitor.cli.outputs import writing
from monitor.errors import SettingsError

MOST_NAMED = 20
"""Bad lines that are named; the others are counted."""
STEP = 300
"""Seconds between rows where there are too few to tell."""
_ODD = 1.5


class Row(NamedTuple):
    """One line of the input."""

    timestamp: str
    """As it was written."""
    text: str
    """The value as it was written."""
    at: int
    """Seconds since 1970."""
    value: float | None
    """None where it is unknown."""


class Scored(NamedTuple):
    """What a row gets."""

    score: float
    alarm: bool


class Grid(NamedTuple):
    """Where the rows lie in time."""

    step: int
    """Seconds."""
    begin: int
    """Of bin 0, seconds."""
    bins: list[int]
    """Per row."""
    order: list[int]
    """Rows by time; those of one bin in the order of the input."""
    odd: dict[str, int]
    """What was not as in a plain series → how often."""

    def end(self, place: int) -> int:
        """The second at which a bin ends."""
        return self.begin + (place + 1) * self.step


def read(path: Path) -> list[Row]:
    """The rows; raises SettingsError that names each line that cannot be used."""
    rows: list[Row] = []
    mistakes: list[str] = []
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            for number, found in _lines(path, file):
                if isinstance(found, Row):
                    rows.append(found)
                else:
                    mistakes.append(f"{path}: line {number}: {found}")
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        why = error.strerror if isinstance(error, OSError) else "it is no CSV in UTF-8"
        raise SettingsError([f"{path}: cannot be read ({why})"]) from error
    if len(mistakes) > MOST_NAMED:
        mistakes = [*mistakes[:MOST_NAMED], f"{path}: and {len(mistakes) - MOST_NAMED:,} more bad lines"]
    if mistakes:
        raise SettingsError(mistakes)
    return rows


def grid(path: Path, rows: list[Row], step: int | None = None) -> Grid:
    """Lays the rows on a grid of `step` seconds, or of the step that is found in them; each to the nearest point."""
    times = [row.at for row in rows]
    ordered = sorted(set(times))
    gaps = [after - before for before, after in itertools.pairwise(ordered)]
    usual = max(1, round(median(gaps))) if gaps else STEP
    if step is not None and gaps and step > _ODD * usual:
        why = f"rows are {usual} s apart: --step {step} would leave most of them out"
        raise SettingsError([f"{path}: {why}"])
    chosen = step or usual
    begin = ordered[0] if ordered else 0
    bins = [(at - begin + chosen // 2) // chosen for at in times]
    order = sorted(range(len(rows)), key=bins.__getitem__)
    taken = len(set(bins))
    odd = {
        "rows out of order": sum(after < before for before, after in itertools.pairwise(times)),
        "rows repeat a time, the first of it counts": len(rows) - taken,
        "bins missing": max(bins) + 1 - taken if bins else 0,
        "values empty": sum(row.value is None for row in rows),
    }
    return Grid(chosen, begin, bins, order, odd)


def write(path: Path, rows: list[Row], scored: list[Scored]) -> None:
    """Writes `timestamp,value,score,alarm`, a line per row in the order of the input."""
    with writing(path), path.open("w", encoding="utf-8", newline="") as file:
        lines = csv.writer(file, lineterminator="\n")
        lines.writerow(("timestamp", "value", "score", "alarm"))
        for row, one in zip(rows, scored, strict=True):
            lines.writerow((row.timestamp, row.text, f"{one.score:.6f}", int(one.alarm)))


def _lines(path: Path, file: Iterator[str]) -> Iterator[tuple[int, Row | str]]:
    """The number of each line, with its row or what is wrong with it."""
    lines = csv.reader(file)
    header = [name.strip().lower() for name in next(lines, [])]
    missing = [name for name in ("timestamp", "value") if name not in header]
    if missing:
        there = ", ".join(repr(name[:40]) for name in header[:8]) or "nothing"
        raise SettingsError([f"{path}: line 1: has no column {' and no column '.join(missing)}; there is {there}"])
    time, value = header.index("timestamp"), header.index("value")
    for cells in lines:
        if not cells:
            continue
        if len(cells) <= max(time, value):
            yield lines.line_num, f"has {len(cells)} of {len(header)} columns"
        else:
            yield lines.line_num, _row(cells[time], cells[value])


def _row(timestamp: str, text: str) -> Row | str:
    try:
        at = datetime.fromisoformat(timestamp.strip())
    except ValueError:
        return f"{timestamp[:40]!r} is no time such as 2021-09-03 18:05:00"
    try:
        value = float(text) if text.strip() else None
    except ValueError:
        return f"{text[:40]!r} is no number"
    if value is not None and (value < 0 or not isfinite(value)):
        return f"{text[:40]!r} is no count: it must be 0 or more"
    known = at if at.tzinfo else at.replace(tzinfo=UTC)
    return Row(timestamp, text, int(known.timestamp()), value)
