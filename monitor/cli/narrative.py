"""`monitor narrative`: what is asserted about an event, and what is established about it."""

import argparse

from monitor.cli import options, shown
from monitor.cli.api_client import ApiClient
from monitor.marks import Status, StatusMark
from monitor.web.bodies import NarrativeList, NarrativeRow, StatusAsked

NAME = "narrative"
HELP = "lists an event's narratives and sets their status"
EPILOG = """
A status is what somebody established – never this program: unconfirmed, confirmed, denied or debunked, by whom and on
what evidence. It ends the narrative's race and stands on its cards. Asks the daemon that [web] names.

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
    example = (
        "\nexamples:\n  monitor narrative status fall 5e1c0ffe confirmed --by desk --evidence https://example.org/1\n"
    )
    setting = options.command(actions, "status", "sets a narrative's status", example)
    setting.add_argument("event", metavar="EVENT", help="the event's name")
    setting.add_argument("narrative", metavar="NARRATIVE", help="its id, as `monitor narrative list` shows it")
    setting.add_argument("status", metavar="STATUS", choices=[one.value for one in Status], help="%(choices)s")
    setting.add_argument("--by", required=True, metavar="WHO", help="who says so")
    setting.add_argument("--evidence", required=True, metavar="WHAT", help="a link, a name, a document")
    for one in (listing, setting):
        options.config(one)
        options.as_json(one)


def run(arguments: argparse.Namespace) -> int:
    """Does it; returns the exit status."""
    client = ApiClient(arguments.config)
    if arguments.action == "status":
        asked = StatusAsked(status=Status(arguments.status), by=arguments.by, evidence=arguments.evidence)
        path = ("events", arguments.event, "narratives", arguments.narrative, "status")
        mark = client.ask("PUT", *path, wanted=StatusMark, body=asked)
        if arguments.json:
            shown.as_json(mark)
        else:
            print(f"{mark.event} {mark.narrative}: {mark.status.value}, by {shown.cell(mark.by)}")
        return 0
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
