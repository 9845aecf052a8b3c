"""`monitor backtest`: recorded posts, counted once and judged by a grid of rules."""

import argparse
import os
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import NamedTuple, Self

import polars as pl
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from monitor.app.backtest import report
from monitor.app.backtest.archived import Precision, count_archive, precision
from monitor.app.backtest.count import count_recording
from monitor.app.backtest.counts import CountsReader, Labels, Totals
from monitor.app.backtest.grid import Point, grid
from monitor.app.backtest.picture import picture
from monitor.app.backtest.stories import FLOOR, Officials, Outcome, Story, outcome, stories
from monitor.app.backtest.workers import judged_by
from monitor.app.walk import rates_of
from monitor.cli import options, shown
from monitor.cli.outputs import writing
from monitor.clock import SystemClock
from monitor.collect.recorded import batches, standard_input_as_file, survey
from monitor.errors import SettingsError
from monitor.settings import packaged_model
from monitor.store.reader import Reader
from monitor.tag.tagger import load_tagger

NAME = "backtest"
HELP = "replays recorded posts over a grid of rules: what would have fired when"
EPILOG = """
The posts are matched, tagged, clustered and counted once; every point of the grid is judged from the same counts, on
all cores, and fires what `monitor replay` with these rules would. A setting of [rules] is swept by its name; several
--sweep make a grid; without one the presets are compared. A list is written with +, as in alert_on=race,race+spike.

A story is a stretch of a narrative with --story original claims or more within half an hour. It is missed if no alert
of its narrative, or of its event as a whole, fired before its busiest half hour. Leads are told of its first alert.

With --archive the mentions of a store are judged, tagged as they were then. Where the desk said which were useful
(`monitor alerts useful`), a second table has the precision of every point: of the answered alerts, how many it would
have fired (same narrative, begun within an hour) and how many of those were useful, with the 95 % interval.

exit status:
  0  done
  1  a file could not be read or written, or a process was killed; one line says what to do
  2  the event file, a sweep or the command line is wrong; every mistake is listed

examples:
  monitor backtest posts.ndjson --event fall.toml
  monitor backtest posts.ndjson --event fall.toml --sweep alpha=0.01,0.05,0.1 --sweep minimum_originals=5,10,20
  monitor backtest 2021-*.parquet --event fall.toml --sweep for=1m,2m,5m --output alerts.csv --picture backtest.svg
  monitor backtest --archive var/monitor.sqlite --event fall.toml
"""
BATCH_POSTS = 65_536
MOST_ALERTS = 1_000_000


def add(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Adds the command and its options."""
    parser = options.command(commands, NAME, HELP, EPILOG)
    parser.add_argument("inputs", nargs="*", metavar="INPUT", help="NDJSON or Parquet files, or - for standard input")
    parser.add_argument("--archive", metavar="FILE|URL", help="a store's mentions instead of INPUT")
    parser.add_argument("--event", action="append", required=True, type=Path, metavar="FILE", help="event file (TOML)")
    parser.add_argument(
        "--sweep", action="append", default=[], metavar="SETTING=A,B", help="values of a setting of [rules]; repeatable"
    )
    parser.add_argument("--output", type=_output, metavar="OUT.json|.csv", help="every alert of every point")
    parser.add_argument("--picture", type=_drawing, metavar="OUT.svg", help="stories, alerts and leads, drawn")
    parser.add_argument(
        "--official", type=_time, metavar="TIME", help="when the first official word came, as in 2021-09-06T05:30:00Z"
    )
    parser.add_argument(
        "--story",
        type=options.positive,
        default=FLOOR,
        metavar="N",
        help="claims in half an hour (default: %(default)s)",
    )
    parser.add_argument("--jobs", type=options.positive, metavar="N", help="processes (default: one per core)")
    parser.add_argument("--model", type=Path, metavar="FILE", help="tagger artifact (default: the one that ships)")


class _Found(NamedTuple):
    """What a backtest found."""

    totals: Totals
    outcomes: list[Outcome]
    stories: list[Story]
    activity: pl.DataFrame
    answered: list[Precision]
    """Of every point; empty without answers."""


def run(arguments: argparse.Namespace) -> int:
    """Counts, judges and tells; returns the exit status."""
    if bool(arguments.inputs) == (arguments.archive is not None):
        raise SettingsError(["name recorded posts (INPUT) or a store (--archive), one of the two"])
    points = grid(arguments.event, arguments.sweep)
    found = _found(arguments, points)
    if arguments.output is not None:
        with writing(arguments.output):
            arguments.output.write_bytes(_written(arguments.output, points, found))
    if arguments.picture is not None:
        drawn = picture(points, found.outcomes, found.stories, found.activity)
        with writing(arguments.picture):
            arguments.picture.write_text(drawn, "utf-8")
    _tell(points, found)
    return 0


def _found(arguments: argparse.Namespace, points: Sequence[Point]) -> _Found:
    tagger = load_tagger(arguments.model or packaged_model())
    events = points[0].events
    with ExitStack() as stack:
        folder = Path(stack.enter_context(_folder()))
        bar = stack.enter_context(_Bar())
        reader = stack.enter_context(Reader(_url(arguments.archive))) if arguments.archive else None
        if reader is not None:
            reader.check()
            whole = reader.last_number()
            for progress in count_archive(reader, events, folder):
                bar.counted(progress.mentions, whole, progress.upto)
        else:
            names = arguments.inputs
            paths = [stack.enter_context(standard_input_as_file()) if one == "-" else Path(one) for one in names]
            recording = survey(paths)
            for batch in count_recording(batches(recording, BATCH_POSTS), events, tagger, folder, SystemClock()):
                bar.counted(batch.posts.height + sum(batch.rejected.values()), recording.documents, batch.upto)
        jobs = arguments.jobs or len(os.sched_getaffinity(0))
        steps = judged_by(jobs, folder, [point.events for point in points], rates_of(tagger), bar.judged)
        counts = CountsReader(folder)
        totals, activity = counts.recorded.totals, counts.frame("activity")
        labels = Labels(counts.frame("labels"), {event.name: event.proposition for event in events})
        officials = Officials(counts.frame("voices"), counts.recorded.statuses, arguments.official)
        told = stories(activity, labels, officials, arguments.story)
        outcomes = [outcome(mine, told, totals.span) for mine in steps]
        answers = reader.answers() if reader is not None else []
        alerts = reader.alerts(None, MOST_ALERTS) if reader is not None and answers else []
    answered = [precision(one, alerts, answers) for one in outcomes] if answers else []
    return _Found(totals, outcomes, told, activity, answered)


def _written(path: Path, points: Sequence[Point], found: _Found) -> bytes:
    if path.suffix.lower() == ".csv":
        return report.as_csv(points, found.outcomes)
    totals = found.totals
    about = {"posts": totals.posts, "mentions": totals.mentions, "begins": totals.begins, "ends": totals.ends}
    return report.as_json(points, found.outcomes, found.stories, about, found.answered)


def _url(archive: str) -> str:
    return archive if "://" in archive else f"sqlite:///{archive}"


def _tell(points: Sequence[Point], found: _Found) -> None:
    told = [story for story in found.stories if story.narrative]
    totals, days = found.totals, found.totals.span / timedelta(days=1)
    stories_told = "1 story" if len(told) == 1 else f"{len(told)} stories"
    print(f"{totals.posts:,} posts, {totals.mentions:,} mentions, {days:.1f} days; {stories_told}")
    if totals.rejected:
        print(f"{totals.rejected:,} documents are no post/1 and were left out; `monitor replay` counts them by reason")
    headings = ("alerts", "per day", "narratives", "missed", "lead before peak", "worst", "before official", "point")
    shown.table(headings, (_row(*pair) for pair in zip(points, found.outcomes, strict=True)), "nothing was judged")
    if found.answered:
        print(
            f"\nalerts that were answered: {found.answered[0].answered}, of them useful: {found.answered[0].all_useful}"
        )
        shown.table(("would fire", "useful", "precision", "95 %", "point"), map(_useful, points, found.answered), "–")


def _useful(point: Point, one: Precision) -> tuple[object, ...]:
    low, high = one.interval
    share = f"{one.useful / one.fired:.2f}" if one.fired else "–"
    return (one.fired, one.useful, share, f"{low:.2f}–{high:.2f}" if one.fired else "–", point.name)


def _row(point: Point, one: Outcome) -> tuple[object, ...]:
    leads, official = one.leads(), one.official_leads()
    return (
        len(one.fired),
        f"{one.per_day:.2f}",
        one.narratives,
        f"{len(one.missed)} of {one.stories}",
        _length(report.median(leads)),
        _length(min(leads, default=None)),
        _length(report.median(official)),
        point.name,
    )


def _length(lead: timedelta | None) -> str:
    """A lead in hours and minutes; one that is negative came after."""
    if lead is None:
        return "–"
    minutes = round(abs(lead) / timedelta(minutes=1))
    said = f"{minutes // 60} h {minutes % 60:02} min" if minutes >= 60 else f"{minutes} min"  # noqa: PLR2004 -- an hour
    return f"{said} after" if lead < timedelta() and minutes else said


@contextmanager
def _folder() -> Iterator[str]:
    with writing(Path(tempfile.gettempdir())), tempfile.TemporaryDirectory(prefix="monitor-backtest-") as name:
        yield name


class _Bar:
    """How far it is, on a terminal."""

    def __init__(self) -> None:
        console = Console(stderr=True)
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
        self._progress = Progress(*columns, console=console, disable=not console.is_terminal)
        self._counting = self._progress.add_task("count", total=None)
        self._judging = self._progress.add_task("judge", total=None, visible=False)

    def __enter__(self) -> Self:
        """Shows it."""
        self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Leaves it as it stands."""
        self._progress.stop()

    def counted(self, more: int, whole: int, upto: datetime) -> None:
        """So many more documents of all are counted."""
        said = f"count {upto:%Y-%m-%d %H:%M}"
        self._progress.update(self._counting, advance=more, total=whole, description=said)

    def judged(self, done: int, whole: int) -> None:
        """So many units of all are judged."""
        self._progress.update(self._judging, completed=done, total=whole, visible=True)


def _output(text: str) -> Path:
    return _named(text, ".json", ".csv")


def _drawing(text: str) -> Path:
    return _named(text, ".svg")


def _named(text: str, *endings: str) -> Path:
    """A file to write; what is wrong with its name is said before an hour's work is lost."""
    path = Path(text)
    if path.suffix.lower() not in endings:
        why = f"the name must end in {' or '.join(endings)}"
        raise argparse.ArgumentTypeError(why)
    if not path.parent.is_dir():
        why = f"there is no folder {path.parent}"
        raise argparse.ArgumentTypeError(why)
    return path


def _time(text: str) -> datetime:
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        at = None
    if at is None or at.tzinfo is None:
        why = f"{text!r} is no time with its zone; write one as in 2021-09-06T05:30:00Z"
        raise argparse.ArgumentTypeError(why)
    return at
