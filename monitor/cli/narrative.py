"""`monitor narrative`: what is asserted about an event, and what is established about it."""

import argparse
from collections.abc import Iterator

from msgspec import Struct

from monitor.alert.harmless import post_link
from monitor.alert.phrases import LATE
from monitor.cli import options, shown
from monitor.cli.api_client import ApiClient
from monitor.marks import MergeMark, SplitMark, Status, StatusMark
from monitor.web.bodies import NarrativeList, NarrativeRow, StatusAsked
from monitor.web.ruling_bodies import MergeAsked, SplitAsked, Suggestion, SuggestionList

NAME = "narrative"
HELP = "lists an event's narratives, sets their status, merges and splits them"
EPILOG = """
A status is what somebody established – never this program: unconfirmed, confirmed, denied or debunked, by whom and on
what evidence. It ends the narrative's race and stands on its cards. A merge holds from the next post on, and over
restarts, until it is undone; what is split is never joined again but by an editor. Asks the daemon that [web] names.

exit status:
  0  done
  1  no daemon answers, or it cannot write now
  2  there is no such event or narrative

examples:
  monitor narrative list fall-of-panjshir
  monitor narrative status fall-of-panjshir 5e1c0ffee5e1c0ff denied --by "desk, A. Karimi" --evidence "governor, phone"
"""


def add(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Adds the command and its options."""
    parser = options.command(commands, NAME, HELP, EPILOG)
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    example = "\nexamples:\n  monitor narrative list fall-of-panjshir --limit 10\n"
    listing = options.command(actions, "list", "an event's narratives, those with most mentions first", example)
    listing.add_argument("event", metavar="EVENT", help="the event's name")
    listing.add_argument("--limit", type=options.positive, default=20, metavar="N", help="how many (default: 20)")
    example = "\nexamples:\n  monitor narrative status fall 5e1c0ffee5e1c0ff confirmed --by desk --evidence https://example.org/1\n"
    setting = options.command(actions, "status", "sets a narrative's status", example)
    setting.add_argument("event", metavar="EVENT", help="the event's name")
    setting.add_argument("narrative", metavar="NARRATIVE", help="its id, as `monitor narrative list` shows it")
    setting.add_argument("status", metavar="STATUS", choices=[one.value for one in Status], help="%(choices)s")
    setting.add_argument("--by", required=True, metavar="WHO", help="who says so")
    setting.add_argument("--evidence", required=True, metavar="WHAT", help="a link, a name, a document")
    for one in (listing, setting, *_more(actions)):
        options.config(one)
        options.as_json(one)


def _more(actions: "argparse._SubParsersAction[argparse.ArgumentParser]") -> list[argparse.ArgumentParser]:
    """The actions on what is one narrative and what is not."""
    showing = options.command(
        actions, "show", "one narrative", "\nexamples:\n  monitor narrative show fall 5e1c0ffee5e1c0ff\n"
    )
    example = "\nexamples:\n  monitor narrative suggestions fall\n"
    suggesting = options.command(actions, "suggestions", "narratives that may be one", example)
    example = "\nexamples:\n  monitor narrative merge fall 5e1c0ffee5e1c0ff 0badcafe0badcafe --by desk\n"
    merging = options.command(actions, "merge", "two narratives are one from now on", example)
    example = """
examples:
  monitor narrative split fall 5e1c0ffee5e1c0ff --by desk                    it was merged, and is its own again
  monitor narrative split fall 5e1c0ffee5e1c0ff --by desk --post mastodon 1  this post leaves it, and what answers it
"""
    splitting = options.command(actions, "split", "parts what was one narrative", example)
    for one in (showing, suggesting, merging, splitting):
        one.add_argument("event", metavar="EVENT", help="the event's name")
    for one in (showing, merging, splitting):
        one.add_argument("narrative", metavar="NARRATIVE", help="its id, as `monitor narrative list` shows it")
    suggesting.add_argument("--limit", type=options.positive, default=20, metavar="N", help="how many (default: 20)")
    merging.add_argument("into", metavar="INTO", help="the narrative that it belongs to from now on")
    splitting.add_argument(
        "--post", nargs=2, default=("", ""), metavar=("PLATFORM", "ID"), help="the archived post that is to leave it"
    )
    for one in (merging, splitting):
        one.add_argument("--by", required=True, metavar="WHO", help="who says so")
    return [showing, suggesting, merging, splitting]


def run(arguments: argparse.Namespace) -> int:
    """Does it; returns the exit status."""
    client = ApiClient(arguments.config)
    if arguments.action == "status":
        return _status(client, arguments)
    if arguments.action == "list":
        return _list(client, arguments)
    found, lines = _asked(client, arguments)
    if arguments.json:
        shown.as_json(found)
    elif isinstance(found, SuggestionList):
        headings = ("narrative", "may be", "likeness", "says", "and")
        shown.table(headings, map(_pair, found.suggestions), "no two narratives are alike")
    else:
        print("\n".join(lines))
    return 0


def _asked(client: ApiClient, arguments: argparse.Namespace) -> tuple[Struct, list[str]]:
    """What the daemon answers, and how it reads."""
    of = ("events", arguments.event)
    if arguments.action == "show":
        row = client.ask("GET", *of, "narratives", arguments.narrative, wanted=NarrativeRow)
        return row, list(_lines(row))
    if arguments.action == "suggestions":
        query = {"limit": str(arguments.limit)}
        return client.ask("GET", *of, "suggestions", wanted=SuggestionList, query=query), []
    if arguments.action == "merge":
        asked = MergeAsked(narrative=arguments.narrative, into=arguments.into, by=arguments.by)
        mark = client.ask("POST", *of, "merges", wanted=MergeMark, body=asked)
        return mark, [f"{mark.event}: {mark.narrative} belongs to {mark.into}, by {shown.cell(mark.by)}"]
    platform, identity = arguments.post
    wish = SplitAsked(narrative=arguments.narrative, by=arguments.by, platform=platform, id=identity)
    split = client.ask("POST", *of, "splits", wanted=SplitMark, body=wish)
    what = f"{shown.cell(identity)} left {split.narrative}" if identity else f"{split.narrative} is its own again"
    return split, [f"{split.event}: {what}, by {shown.cell(split.by)}"]


def _lines(row: NarrativeRow) -> Iterator[str]:
    """A narrative for people."""
    yield f"{row.id}: {shown.cell(row.label)}"
    yield f"status       {row.status.value}{f', by {shown.cell(row.by)}' if row.by else ''}"
    counts = ("claims", "denials", "celebrations", "questions", "others")
    yield "mentions     " + ", ".join(f"{getattr(row, name):,} {name}" for name in counts)
    yield f"seen         {row.first_seen:%Y-%m-%d %H:%M} to {row.last_seen:%Y-%m-%d %H:%M} UTC"
    for name, cited in (("first post", row.first_post), ("first denial", row.first_denial)):
        if cited is not None:
            who = f", by {shown.cell(cited.voice)}" if cited.voice else ""
            at, seen = cited.posted_at or cited.seen_at, cited.seen_at
            late = f" (seen {seen:%Y-%m-%d %H:%M} UTC)" if seen - at > LATE else ""
            where = post_link(None, cited.id) or cited.id
            yield f"{name:<12} {at:%Y-%m-%d %H:%M} UTC{late}, {cited.platform} {shown.cell(where)}{who}"
    for name, told in (("voices", row.voices), ("platforms", row.platforms), ("languages", row.languages)):
        if told:
            yield f"{name:<12} {', '.join(map(shown.cell, told))}"


def _pair(one: Suggestion) -> tuple[object, ...]:
    return (one.narrative, one.into, f"{one.likeness:.2f}", one.label, one.into_label)


def _status(client: ApiClient, arguments: argparse.Namespace) -> int:
    asked = StatusAsked(status=Status(arguments.status), by=arguments.by, evidence=arguments.evidence)
    path = ("events", arguments.event, "narratives", arguments.narrative, "status")
    mark = client.ask("PUT", *path, wanted=StatusMark, body=asked)
    if arguments.json:
        shown.as_json(mark)
    else:
        print(f"{mark.event} {mark.narrative}: {mark.status.value}, by {shown.cell(mark.by)}")
    return 0


def _list(client: ApiClient, arguments: argparse.Namespace) -> int:
    query = {"limit": str(arguments.limit)}
    found = client.ask("GET", "events", arguments.event, "narratives", wanted=NarrativeList, query=query)
    if arguments.json:
        shown.as_json(found)
    else:
        headings = ("narrative", "status", "state", "claims", "denials", "celebrating", "race", "says")
        shown.table(headings, map(_row, found.narratives), "no mention asserts anything yet")
        if found.total > len(found.narratives):
            print(f"and {found.total - len(found.narratives)} more; --limit shows them")
    return 0


def _row(one: NarrativeRow) -> tuple[object, ...]:
    race = "–" if one.race is None else f"{one.race.claims}:{one.race.denials}{' firing' if one.race.holds else ''}"
    state = "–" if one.state is None else one.state.value
    return (one.id, one.status.value, state, one.claims, one.denials, one.celebrations, race, one.label)
