"""`monitor event`: what an event would match, and which events the running daemon watches."""

import argparse
from datetime import timedelta
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
from rich.text import Text

from monitor.app.preview import preview
from monitor.cli import options, shown
from monitor.cli.api_client import ApiClient
from monitor.cli.hours import chart, step_of
from monitor.errors import SettingsError
from monitor.settings import load_event, load_store
from monitor.store.reader import Reader
from monitor.watched import Event
from monitor.web.bodies import EventChange, EventList, Preview

NAME = "event"
HELP = "previews, adds, lists and removes watched events, without a restart"
EPILOG = """
preview reads the store directly, beside the daemon or without one; the others ask the daemon that [web] names.

exit status:
  0  done
  1  the store cannot be read, or no daemon answers; one line says what to do
  2  the event file has mistakes, or the daemon refuses; every reason is listed

examples:
  monitor event preview fall.toml         # what would it have matched in the archive?
  monitor event add fall.toml             # watched from the next post on
  monitor event add fall.toml --replace   # with other terms or rules
  monitor event list
  monitor event remove fall-of-panjshir
"""
PREVIEWED = """
Counts what the event's own terms match among archived mentions, per hour of event time; answers to them would come on
top. The archive holds the mentions of the events that are watched, so only what those saw can be found.

examples:
  monitor event preview fall.toml
  monitor event preview fall.toml --most 100000    # only the newest hundred thousand mentions
  monitor event preview fall.toml --json
"""


def add(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Adds the command and its options."""
    parser = options.command(commands, NAME, HELP, EPILOG)
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    previewing = options.command(actions, "preview", "what an event file would match in the archive", PREVIEWED)
    previewing.add_argument("file", type=Path, metavar="FILE", help="event file (TOML)")
    previewing.add_argument(
        "--most", type=options.positive, default=1_000_000, metavar="N", help="newest mentions read (default: 1000000)"
    )
    adding = options.command(
        actions, "add", "watches an event from the next post on", "\nexamples:\n  monitor event add fall.toml\n"
    )
    adding.add_argument("file", type=Path, metavar="FILE", help="event file (TOML)")
    adding.add_argument("--replace", action="store_true", help="changes the event of this name")
    listing = options.command(actions, "list", "the watched events", "\nexamples:\n  monitor event list --json\n")
    removing = options.command(
        actions,
        "remove",
        "watches an event no more, and removes its file",
        "\nexamples:\n  monitor event remove fall\n",
    )
    removing.add_argument("name", metavar="NAME", help="the event's name")
    for one in (previewing, adding, listing, removing):
        options.config(one)
        options.as_json(one)


def run(arguments: argparse.Namespace) -> int:
    """Does it; returns the exit status."""
    match arguments.action:
        case "preview":
            _preview(load_event(arguments.file), arguments)
        case "add":
            load_event(arguments.file)
            toml = _text(arguments.file)
            query = {"replace": "true"} if arguments.replace else {}
            client = ApiClient(arguments.config)
            _changed(client.ask("POST", "events", wanted=EventChange, toml=toml, query=query), arguments)
        case "list":
            _list(ApiClient(arguments.config).ask("GET", "events", wanted=EventList), arguments)
        case _:
            client = ApiClient(arguments.config)
            _changed(client.ask("DELETE", "events", arguments.name, wanted=EventChange), arguments)
    return 0


def _text(path: Path) -> str:
    try:
        return path.read_text("utf-8-sig")
    except OSError as error:
        raise SettingsError([f"{path}: cannot be read ({error.strerror})"]) from error


def _changed(change: EventChange, arguments: argparse.Namespace) -> None:
    if arguments.json:
        shown.as_json(change)
        return
    then = (
        "watched no more"
        if change.done == "removed"
        else "watched from the next post on; it alarms once its baseline is warm"
    )
    print(f"{change.name}: {change.done} ({change.file}), {then}")


def _list(found: EventList, arguments: argparse.Namespace) -> None:
    if arguments.json:
        shown.as_json(found)
        return
    rows = [(one.name, one.terms, one.file, one.proposition) for one in found.events]
    shown.table(("event", "terms", "file", "proposition"), rows, "no event is watched")


def _preview(event: Event, arguments: argparse.Namespace) -> None:
    console = Console(stderr=True)
    columns = (TextColumn("preview"), BarColumn(), MofNCompleteColumn())
    with (
        Reader(load_store(arguments.config).reveal()) as reader,
        Progress(*columns, console=console, disable=not console.is_terminal or arguments.json, transient=True) as bar,
    ):
        reader.check()
        task = bar.add_task("preview", total=None)
        found = preview(event, reader, arguments.most, lambda done, of: bar.update(task, completed=done, total=of))
    if arguments.json:
        shown.as_json(found)
    else:
        _show(found)


def _show(found: Preview) -> None:
    console = shown.screen()
    console.print(Text(f"{found.event}: {found.matched:,} of {found.read:,} archived posts match"))
    if not found.read:
        console.print(Text("the archive is empty; replay a recording, or let the daemon collect for a while"))
    elif not found.matched:
        console.print(Text("none of them; the archive holds only mentions of the events that are watched"))
    if found.hours:
        console.print(Text(f"posts per {_length(step_of(found.hours))} of event time, UTC"))
    for line in ("", *chart(found.hours, min(console.width, 100)), ""):
        console.print(Text(line), no_wrap=True)
    if found.matched:
        shown.table(("term", "posts"), [(one.term, f"{one.posts:,}") for one in found.terms], "")
        samples = [(one.posted_at, one.platform, one.term, one.text) for one in found.samples]
        shown.table(("posted", "platform", "term", "newest texts"), samples, "")


def _length(step: timedelta) -> str:
    return f"{step.days} d" if step.days else f"{step // timedelta(hours=1)} h"
