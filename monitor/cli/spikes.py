"""`monitor spikes`: causal spike scores and alarms of any series of counts."""

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from monitor.cli import options
from monitor.cli.counted import Grid, Row, Scored, grid, read, write
from monitor.judge.series import Watched

NAME = "spikes"
HELP = "scores any series of counts for spikes, and raises alarms at an announced rate"
EPILOG = """
INPUT.csv has the columns timestamp and value (others are left out): a count per minute, five minutes, hour … of
anything. OUT.csv has the same rows in the same order, then score and alarm. Nothing looks ahead: what a row gets
depends on rows of earlier times only.

  score  how surprising the row is, by the series' own past; on bursty series a spike is about 1, and there is no upper
         end. For a day after a high score only a higher one counts: a burst has one onset.
  alarm  1 at the onset of a spike, at most as often as announced.
The first day (twelve rows at least) is warm-up: score 0, no alarm.

Timestamps are ISO 8601 or YYYY-MM-DD hh:mm:ss, without an offset in UTC. Rows may be missing (a gap is unknown, not
zero; an empty value too), out of order (they are read in order of time) or repeated (the first counts; the others get
its score and no alarm).

exit status:
  0  done
  1  OUT.csv cannot be written
  2  INPUT.csv cannot be used; each bad line is named

examples:
  monitor spikes mentions.csv --output scored.csv                               steps are found in the data
  monitor spikes mentions.csv --output scored.csv --false-alarms-per-day 0.05   one false alarm in twenty days
  monitor spikes hourly.csv --output scored.csv --step 3600                     one row an hour, most are missing
"""
MOST_PER_DAY = 100.0
_EVERY = 1_000


def add(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Adds the command and its options."""
    parser = options.command(commands, NAME, HELP, EPILOG)
    parser.add_argument("input", type=Path, metavar="INPUT.csv", help="columns timestamp and value")
    parser.add_argument("--output", required=True, type=Path, metavar="OUT.csv", help="timestamp,value,score,alarm")
    parser.add_argument(
        "--false-alarms-per-day",
        type=_rate,
        default=0.1,
        metavar="RATE",
        help="at most this many false alarms a day (default: %(default)s)",
    )
    parser.add_argument(
        "--step", type=options.positive, metavar="SECONDS", help="seconds between rows (default: as found in the data)"
    )


def run(arguments: argparse.Namespace) -> int:
    """Scores the series; returns the exit status."""
    rows = read(arguments.input)
    placed = grid(arguments.input, rows, arguments.step)
    scored = scores(rows, placed, arguments.false_alarms_per_day)
    write(arguments.output, rows, scored)
    print(_summary(placed, scored))
    if doubt := _doubt(placed):
        print(doubt, file=sys.stderr)
    return 0


def scores(rows: list[Row], placed: Grid, per_day: float) -> list[Scored]:
    """The score and alarm of each row, in the order of the rows; with a progress bar on a terminal."""
    found = [Scored(0.0, alarm=False)] * len(rows)
    series = Watched(placed.step, 1, per_day)
    last, first = -1, -1
    for number in _with_progress(placed.order):
        place = placed.bins[number]
        if place == last:
            found[number] = found[first]._replace(alarm=False)
            continue
        last, first = place, number
        value = rows[number].value
        one = series.tick(placed.end(place), np.array([value or 0.0]), np.array([value is None]))
        found[number] = Scored(float(one.score[0]), bool(one.alarm[0]))
    return found


def _summary(placed: Grid, scored: list[Scored]) -> str:
    alarms = sum(one.alarm for one in scored)
    rung = "1 alarm" if alarms == 1 else f"{alarms:,} alarms"
    days = (max(placed.bins, default=0) + 1) * placed.step / 86_400
    parts = [f"{len(scored):,} rows every {placed.step} s over {days:,.1f} days: {rung}"]
    parts += [f"{count:,} {what}" for what, count in placed.odd.items() if count]
    return "; ".join(parts)


def _doubt(placed: Grid) -> str:
    """What speaks against the step: most of its bins hold no row."""
    held, steps = len(set(placed.bins)), max(placed.bins, default=0) + 1
    if 2 * held >= steps:
        return ""
    return (
        f"warning: {steps - held:,} of {steps:,} steps of {placed.step} s hold no row; they are unknown, not zero,"
        " and a series of them may never warm up: is --step too small?"
    )


def _with_progress(order: list[int]) -> Iterator[int]:
    """The numbers, with a bar on the terminal while they are worked on."""
    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, disable=not console.is_terminal, transient=True) as progress:
        bar = progress.add_task("spikes", total=len(order))
        for done, number in enumerate(order):
            yield number
            if done % _EVERY == 0:
                progress.update(bar, completed=done)


def _rate(text: str) -> float:
    try:
        rate = float(text)
    except ValueError:
        rate = 0.0
    if not 0 < rate <= MOST_PER_DAY:
        why = f"{text!r} is no number above 0 and at most {MOST_PER_DAY:g}"
        raise argparse.ArgumentTypeError(why)
    return rate
