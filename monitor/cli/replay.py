"""`monitor replay`: recorded posts, or an archive, through the daemon's own stages, on event time."""

import argparse
import sqlite3
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

from monitor.app import Walk
from monitor.app.archived import Step, walked_again, watched_first
from monitor.cli.outputs import AlertLines, TaggedPosts, Tally, writing
from monitor.clock import SystemClock, pause
from monitor.collect.recorded import batches, standard_input_as_file, survey
from monitor.errors import SettingsError
from monitor.settings import load_event, packaged_model
from monitor.store.reader import Reader
from monitor.store.store import Commit, Store
from monitor.tag.tagger import load_tagger
from monitor.watched import Event

NAME = "replay"
HELP = "plays recorded posts, or an archive, through the daemon's own stages"
EPILOG = """
Posts are post/1 documents: NDJSON lines or Parquet columns. Out of order inputs are sorted first; the same input
gives the same alerts, byte for byte.

With --from-archive the posts of a store are walked again, with every status, silence, outage, correction, merge
and split at its time, and with the events as they were watched; --event watches these all the time instead. Alerts are
those of the daemon, byte for byte, by the same tagger, but for this: posts that were deleted are missing, those that
were edited have their last text from the begin, an outage is known at its end.

examples:
  monitor replay posts.ndjson --event config/events/fall.toml --alerts alerts.ndjson
  monitor replay 2021-09-*.parquet --event fall.toml --tagged tagged.parquet --summary summary.json --no-store
  zcat posts.ndjson.gz | monitor replay - --event fall.toml --speed 60
  monitor replay --from-archive var/monitor.sqlite --no-store --alerts alerts.ndjson
"""
BATCH_POSTS = 16_384


class _Given(NamedTuple):
    """What is to be walked."""

    steps: Iterable[Step]
    documents: int
    """How many there are, about."""
    events: Sequence[Event]
    """Those to begin with."""


_OF_DAEMONS = frozenset({"resume_points", "exchanges", "outbox", "answers"})
"""Tables of a store in which only a daemon writes."""


def add(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Adds the command and its options."""
    parser = commands.add_parser(
        NAME, help=HELP, description=HELP, epilog=EPILOG, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("inputs", nargs="*", metavar="INPUT", help="NDJSON or Parquet files, or - for standard input")
    parser.add_argument("--from-archive", metavar="STORE", help="a store's file or URL instead: its mentions and marks")
    parser.add_argument("--event", action="append", default=[], type=Path, metavar="FILE", help="event file (TOML)")
    parser.add_argument("--alerts", type=Path, metavar="OUT.ndjson", help="one line per step in an alert's life")
    parser.add_argument("--tagged", type=Path, metavar="OUT.parquet", help="every mention with what was found")
    parser.add_argument("--summary", type=Path, metavar="OUT.json", help="counts, speed and memory")
    parser.add_argument("--speed", default="max", type=_speed, metavar="N|max", help="N times real time (default: max)")
    parser.add_argument("--batch", default=BATCH_POSTS, type=_positive, metavar="POSTS", help="posts per batch")
    parser.add_argument("--model", type=Path, metavar="FILE", help="tagger artifact (default: the one that ships)")
    store = parser.add_mutually_exclusive_group()
    store.add_argument("--no-store", action="store_true", help="keeps no archive")
    store.add_argument(
        "--archive",
        type=Path,
        default=Path("var/replay.sqlite"),
        help="where mentions are written: made anew, what an earlier replay left there is gone (default: %(default)s)",
    )


def run(arguments: argparse.Namespace) -> int:
    """Plays the inputs; returns the exit status."""
    if bool(arguments.inputs) == (arguments.from_archive is not None):
        raise SettingsError(["name recorded posts (INPUT) or a store (--from-archive), one of the two"])
    with ExitStack() as stack:
        given = (_recorded if arguments.from_archive is None else _archived)(stack, arguments)
        summary = _play(stack, arguments, given)
    text = msgspec.json.format(msgspec.json.encode(summary)).decode() + "\n"
    if arguments.summary:
        with writing(arguments.summary):
            arguments.summary.write_text(text, "utf-8")
    else:
        sys.stdout.write(text)
    return 0


def _play(stack: ExitStack, arguments: argparse.Namespace, given: _Given) -> dict[str, Any]:
    """Walks what is given and writes what was asked for; the summary."""
    clock = SystemClock()
    walk = Walk(given.events, load_tagger(arguments.model or packaged_model()))
    store = None if arguments.no_store else stack.enter_context(_archive(arguments.archive))
    alerts = AlertLines(arguments.alerts) if arguments.alerts else None
    tagged = TaggedPosts(arguments.tagged) if arguments.tagged else None
    tally = Tally()
    began = clock.monotonic()
    for batch, changed in _paced(_with_progress(given), arguments.speed):
        if changed is not None:
            walk.watch(walk.prepared(changed))
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
    return tally.summary(clock.monotonic() - began)


def _recorded(stack: ExitStack, arguments: argparse.Namespace) -> _Given:
    if not arguments.event:
        raise SettingsError(["name the file of an event (--event)"])
    events = [load_event(path) for path in arguments.event]
    names = arguments.inputs
    paths = [stack.enter_context(standard_input_as_file()) if name == "-" else Path(name) for name in names]
    recording = survey(paths)
    return _Given(map(Step, batches(recording, arguments.batch)), recording.documents, events)


def _archived(stack: ExitStack, arguments: argparse.Namespace) -> _Given:
    name = arguments.from_archive
    if not arguments.no_store and Path(name.removeprefix("sqlite:///")).resolve() == arguments.archive.resolve():
        why = "is what is to be read, and would be made anew; name another, or --no-store"
        raise SettingsError([f"--archive {arguments.archive}: {why}"])
    events: Sequence[Event] = [load_event(path) for path in arguments.event]
    reader = stack.enter_context(Reader(name if "://" in name else f"sqlite:///{name}"))
    reader.check()
    first = events or watched_first(reader)
    if not first:
        raise SettingsError(["the archive does not say which events were watched; name their files (--event)"])
    return _Given(walked_again(reader, arguments.batch, as_watched=not events), reader.last_number(), first)


@contextmanager
def _archive(path: Path) -> Iterator[Store]:
    """A new archive at `path`; an older replay's is removed, anything else is refused."""
    if not _of_a_replay(path):
        why = "is there, and no archive of a replay, which alone is made anew; name another file"
        raise SettingsError([f"--archive {path}: {why}"])
    with writing(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        for name in (path, path.with_name(f"{path.name}-wal"), path.with_name(f"{path.name}-shm")):
            name.unlink(missing_ok=True)
    store = Store(f"sqlite:///{path}")
    try:
        yield store
    finally:
        store.close()


def _with_progress(given: _Given) -> Iterator[Step]:
    """The steps, with a bar on the terminal while they are worked on."""
    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, disable=not console.is_terminal) as progress:
        bar: TaskID = progress.add_task("replay", total=given.documents)
        for step in given.steps:
            yield step
            batch = step.batch
            description = f"replay {batch.upto:%Y-%m-%d %H:%M}"
            progress.update(bar, advance=batch.posts.height + sum(batch.rejected.values()), description=description)


def _paced(stream: Iterator[Step], speed: float | None) -> Iterator[Step]:
    """Holds each batch back until its time has come, `speed` times faster than it was recorded."""
    clock = SystemClock()
    began, first = clock.monotonic(), None
    for step in stream:
        first = first or step.batch.upto
        if speed is not None:
            due = (step.batch.upto - first).total_seconds() / speed
            pause(timedelta(seconds=max(0.0, due - (clock.monotonic() - began))))
        yield step


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


def _of_a_replay(path: Path) -> bool:
    """Whether a replay may make `path` anew: there is nothing, or a store that no daemon wrote to."""
    if not path.exists() or not path.stat().st_size:
        return True
    try:
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as store:
            tables = {name for (name,) in store.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
            used = [store.execute(f"SELECT 1 FROM {name} LIMIT 1").fetchone() for name in _OF_DAEMONS & tables]  # noqa: S608 -- names of ours
    except sqlite3.Error:
        return False
    return "mentions" in tables and not any(used)
