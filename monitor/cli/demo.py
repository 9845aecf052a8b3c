"""`monitor demo`: the fall of Panjshir, September 2021, through the real pipeline, in a live terminal view."""

import argparse
import asyncio
import signal
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

from rich.console import Console
from rich.live import Live

from monitor.app import Walk
from monitor.cli.outputs import writing
from monitor.clock import SystemClock
from monitor.demo.board import Board
from monitor.demo.picture import HEIGHT, WIDTH, picture
from monitor.demo.play import EVENTS, WHOLE_STORY, Outcome, Play, Script, write
from monitor.demo.story import NAMES
from monitor.demo.summary import summary
from monitor.demo.view import headline, progress, render
from monitor.errors import SettingsError, StoreError
from monitor.settings import packaged_model
from monitor.tag.tagger import load_tagger

NAME = "demo"
HELP = "plays the fall of Panjshir, 3-6 September 2021, through the real pipeline"
EPILOG = """
All posts are invented by a seeded generator; their facts are those of the press. A chat of its own, on this machine,
receives the alerts through the real webhook receiver. Nothing leaves this machine. The same posts as a file, to replay
or backtest: docs/backtest.md.

examples:
  monitor demo
  monitor demo --speed max --once
  monitor demo --scenario quiet-week --seed 7 --speed max --once
"""
SEED = 20_210_903
INTERRUPTED = 130
LINE = 120
"""Columns of the summary where there is no terminal."""
REDRAW = 0.1
"""Seconds between two drawings of the view."""

Watch = Callable[[Board], None]


def add(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Adds the command and its options."""
    parser = commands.add_parser(
        NAME, help=HELP, description=HELP, epilog=EPILOG, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--speed", type=_speed, metavar="N|max", help="N times real time (default: the whole story in two minutes)"
    )
    parser.add_argument("--once", action="store_true", help="ends after the story instead of staying on screen")
    parser.add_argument("--seed", type=int, default=SEED, metavar="N", help="another seed, other posts")
    parser.add_argument("--scenario", choices=NAMES, default=NAMES[0], help="default: %(default)s")
    parser.add_argument("--posts", type=int, metavar="N", help="about so many posts (default: as the scenario says)")
    parser.add_argument("--picture", type=Path, metavar="FILE.svg", help="draws the view as the first race alert fires")


def run(arguments: argparse.Namespace) -> int:
    """Plays the story; returns the exit status: 130 where it was interrupted before its end."""
    if not EVENTS.is_dir():
        raise SettingsError(["the demo's event files are not part of what is installed; in a checkout: make demo"])
    console = _console()
    with console.status("writing the story …"):
        script = write(arguments.scenario, arguments.seed, arguments.posts)
        walk = Walk([script.event], load_tagger(packaged_model()))
    speed = _chosen(arguments.speed, script)
    pace = "as fast as it goes" if speed is None else f"{speed:,.0f} × real time"
    drawn = drawing(arguments.picture, pace)
    stay = console.is_terminal and not arguments.once
    with _screen(console, pace) as show, tempfile.TemporaryDirectory(prefix="monitor-demo-") as folder:
        play = Play(script, walk, speed=speed, clock=SystemClock())

        def watch(board: Board) -> None:
            drawn(board)
            show(board)

        try:
            outcome = asyncio.run(perform(play, Path(folder) / "demo.sqlite", watch, stay=stay))
        except ExceptionGroup as group:
            raise _alone(group) from group
    console.print(summary(outcome))
    return 0 if outcome.finished else INTERRUPTED


def _alone(group: ExceptionGroup[Exception]) -> Exception:
    """The StoreError that ended the play, or else all that did."""
    stores, others = group.split(StoreError)
    if stores is None or others is not None:
        return group
    error = stores.exceptions[0]
    return _alone(error) if isinstance(error, ExceptionGroup) else error


def _console() -> Console:
    """Standard output; where it is no terminal, lines may be long."""
    console = Console()
    return console if console.is_terminal else Console(width=LINE)


async def perform(play: Play, archive: Path, watch: Watch, *, stay: bool) -> Outcome:
    """The play until it ends (`stay`: and then until an interrupt) or is interrupted; a second interrupt kills."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()

    def interrupted() -> None:
        stop.set()
        loop.remove_signal_handler(signal.SIGINT)

    loop.add_signal_handler(signal.SIGINT, interrupted)
    try:
        outcome = await play.run(archive, watch, stop)
        if stay:
            await stop.wait()
    finally:
        loop.remove_signal_handler(signal.SIGINT)
    return outcome


@contextmanager
def _screen(console: Console, pace: str) -> Iterator[Watch]:
    """Draws the live view on a terminal; elsewhere prints a line for every hour of the story and every alert."""
    if not console.is_terminal:
        yield _Lines(console).show
        return
    clock = SystemClock()
    drawn_at = 0.0
    with Live(console=console, screen=True, auto_refresh=False) as live:

        def show(board: Board) -> None:
            nonlocal drawn_at
            over = board.now >= board.ends
            if over or clock.monotonic() - drawn_at >= REDRAW:
                note = "the end: Ctrl-C leaves" if over else pace
                live.update(render(board, console.width, console.height, note), refresh=True)
                drawn_at = clock.monotonic()

        yield show


class _Lines:
    """Progress where there is no terminal."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._alerts = 0
        self._hour = -1

    def show(self, board: Board) -> None:
        """Prints new alert steps, and one line an hour."""
        for alert in board.alerts[self._alerts :]:
            self._print(f"  {headline(alert)}")
        self._alerts = len(board.alerts)
        hour = (board.now - board.begins) // timedelta(hours=1)
        if hour > self._hour:
            self._hour = hour
            self._print(progress(board))

    def _print(self, line: str) -> None:
        self._console.print(line, markup=False, highlight=False, soft_wrap=True)


def drawing(path: Path | None, pace: str) -> Watch:
    """Draws to `path` once, when the first race alert has fired and its card has arrived; raises StoreError."""
    left = [path] if path else []

    def draw(board: Board) -> None:
        if left and board.fired("race") is not None and board.messages:
            target = left.pop()
            with writing(target):
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_text(picture(render(board, WIDTH, HEIGHT, pace), "monitor demo"), "utf-8")

    return draw


def _chosen(speed: float | None, script: Script) -> float | None:
    """Times real time, None as fast as it goes; without a choice the story takes WHOLE_STORY."""
    if speed is None:
        return (script.ends - script.begins) / WHOLE_STORY
    return None if speed == float("inf") else speed


def _speed(text: str) -> float:
    if text == "max":
        return float("inf")
    try:
        speed = float(text)
    except ValueError:
        speed = 0.0
    if not 1 <= speed < float("inf"):
        why = f"{text!r} is no speed; write max, or a number of at least 1: so many times real time"
        raise argparse.ArgumentTypeError(why)
    return speed
