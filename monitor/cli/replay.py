"""`monitor replay`: recorded posts through the daemon's own stages, on event time."""

import argparse
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import timedelta
from pathlib import Path

import msgspec
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

from monitor.app import Walk
from monitor.cli.outputs import AlertLines, TaggedPosts, Tally, writing
from monitor.clock import SystemClock, pause
from monitor.collect.recorded import Recording, batches, standard_input_as_file, survey
from monitor.frames import Batch
from monitor.settings import load_event, packaged_model
from monitor.store.store import Commit, Store
from monitor.tag.tagger import load_tagger

NAME = "replay"
HELP = "plays recorded posts through the daemon's own stages"
EPILOG = """
Posts are post/1 documents: NDJSON lines or Parquet columns. Out of order inputs are sorted first; the same input
gives the same alerts, byte for byte.

examples:
  monitor replay posts.ndjson --event config/events/fall.toml --alerts alerts.ndjson
  monitor replay 2021-09-*.parquet --event fall.toml --tagged tagged.parquet --summary summary.json --no-store
  zcat posts.ndjson.gz | monitor replay - --event fall.toml --speed 60
"""
BATCH_POSTS = 16_384


def add(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Adds the command and its options."""
    parser = commands.add_parser(
        NAME, help=HELP, description=HELP, epilog=EPILOG, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("inputs", nargs="+", metavar="INPUT", help="NDJSON or Parquet files, or - for standard input")
    parser.add_argument("--event", action="append", required=True, type=Path, metavar="FILE", help="event file (TOML)")
    parser.add_argument("--alerts", type=Path, metavar="OUT.ndjson", help="one line per step in an alert's life")
    parser.add_argument("--tagged", type=Path, metavar="OUT.parquet", help="every mention with what was found")
    parser.add_argument("--summary", type=Path, metavar="OUT.json", help="counts, speed and memory")
    parser.add_argument("--speed", default="max", type=_speed, metavar="N|max", help="N times real time (default: max)")
    parser.add_argument("--batch", default=BATCH_POSTS, type=_positive, metavar="POSTS", help="posts per batch")
    parser.add_argument("--model", type=Path, metavar="FILE", help="tagger artifact (default: the one that ships)")
    store = parser.add_mutually_exclusive_group()
    store.add_argument("--no-store", action="store_true", help="keeps no archive")
    store.add_argument(
        "--archive", type=Path, default=Path("var/replay.sqlite"), help="made anew (default: %(default)s)"
    )


def run(arguments: argparse.Namespace) -> int:
    """Plays the inputs; returns the exit status."""
    clock = SystemClock()
    walk = Walk([load_event(path) for path in arguments.event], load_tagger(arguments.model or packaged_model()))
    with ExitStack() as stack:
        paths = [
            stack.enter_context(standard_input_as_file()) if name == "-" else Path(name) for name in arguments.inputs
        ]
        recording = survey(paths)
        store = None if arguments.no_store else stack.enter_context(_archive(arguments.archive))
        alerts = AlertLines(arguments.alerts) if arguments.alerts else None
        tagged = TaggedPosts(arguments.tagged) if arguments.tagged else None
        tally = Tally()
        began = clock.monotonic()
        for batch in _paced(_with_progress(recording, arguments.batch), arguments.speed):
            walked = walk(batch)
            tally.add(batch, walked)
            if store is not None:
                store.commit(Commit(mentions=walked.mentions, state=walked.state, alerts=walked.alerts))
            for output in (alerts, tagged):
                if output is not None:
                    output.add(walked)
        for output in (alerts, tagged):
            if output is not None:
                output.close()
        summary = tally.summary(clock.monotonic() - began)
    text = msgspec.json.format(msgspec.json.encode(summary)).decode() + "\n"
    if arguments.summary:
        with writing(arguments.summary):
            arguments.summary.write_text(text, "utf-8")
    else:
        sys.stdout.write(text)
    return 0


@contextmanager
def _archive(path: Path) -> Iterator[Store]:
    """A new archive at `path`; an older replay's is removed."""
    with writing(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        for name in (path, path.with_name(f"{path.name}-wal"), path.with_name(f"{path.name}-shm")):
            name.unlink(missing_ok=True)
    store = Store(f"sqlite:///{path}")
    try:
        yield store
    finally:
        store.close()


def _with_progress(recording: Recording, size: int) -> Iterator[Batch]:
    """The batches, with a bar on the terminal while they are worked on."""
    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, disable=not console.is_terminal) as progress:
        bar: TaskID = progress.add_task("replay", total=recording.documents)
        for batch in batches(recording, size):
            yield batch
            description = f"replay {batch.upto:%Y-%m-%d %H:%M}"
            progress.update(bar, advance=batch.posts.height + sum(batch.rejected.values()), description=description)


def _paced(stream: Iterator[Batch], speed: float | None) -> Iterator[Batch]:
    """Holds each batch back until its time has come, `speed` times faster than it was recorded."""
    clock = SystemClock()
    began, first = clock.monotonic(), None
    for batch in stream:
        first = first or batch.upto
        if speed is not None:
            due = (batch.upto - first).total_seconds() / speed
            pause(timedelta(seconds=max(0.0, due - (clock.monotonic() - began))))
        yield batch


def _speed(text: str) -> float | None:
    if text == "max":
        return None
    speed = float(text)
    if speed <= 0:
        raise argparse.ArgumentTypeError(SPEED)
    return speed


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        why = "must be 1 or more"
        raise argparse.ArgumentTypeError(why)
    return number


SPEED = "must be a number above 0, or max"
