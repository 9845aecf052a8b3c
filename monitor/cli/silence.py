"""`monitor silence`: alerts that nobody is to be told of for a while."""

import argparse
from datetime import datetime, timedelta

from monitor.alert import words
from monitor.cli import options, shown
from monitor.cli.api_client import ApiClient
from monitor.clock import SystemClock
from monitor.errors import SettingsError
from monitor.marks import Silence
from monitor.web.bodies import SilenceAsked, SilenceList

NAME = "silence"
HELP = "silences alerts for a while, lists and ends silences"
EPILOG = """
A silenced alert goes on and is kept, but nobody is notified. A silence covers an event, a narrative, a rule, or what
several of them name together; never everything, never for ever. Asks the daemon that [web] names.

exit status:
  0  done
  1  no daemon answers, or it cannot write now
  2  what is to be silenced does not exist, or the silence is too broad or over already

examples:
  monitor silence add --event fall-of-panjshir --for 2h --by desk --comment "we have it on air"
  monitor silence add --event fall-of-panjshir --narrative 5e1c0ffee5e1c0ff --for 1d --by desk --comment settled
  monitor silence list
  monitor silence expire 9f86d081884c7d65
"""


def add(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Adds the command and its options."""
    parser = options.command(commands, NAME, HELP, EPILOG)
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    example = '\nexamples:\n  monitor silence add --event fall --for 90m --by desk --comment "on air"\n'
    adding = options.command(actions, "add", "silences alerts for a while", example)
    adding.add_argument("--event", default="", metavar="NAME", help="alerts of this event")
    adding.add_argument("--narrative", default="", metavar="ID", help="alerts of this narrative")
    rules = ", ".join(words.RULE)
    adding.add_argument("--rule", default="", metavar="RULE", help=f"alerts of this rule: one of {rules}")
    adding.add_argument(
        "--for", dest="lasts", required=True, type=options.duration, metavar="TIME", help="as in 90m, 2h"
    )
    adding.add_argument("--by", required=True, metavar="WHO", help="who silences")
    adding.add_argument("--comment", required=True, metavar="WHY", help="why")
    listing = options.command(
        actions, "list", "silences that have not expired", "\nexamples:\n  monitor silence list\n"
    )
    example = "\nexamples:\n  monitor silence expire 9f86d081884c7d65\n"
    ending = options.command(actions, "expire", "ends a silence now", example)
    ending.add_argument("id", metavar="ID", help="as `monitor silence list` shows it")
    for one in (adding, listing, ending):
        options.config(one)
        options.as_json(one)


def run(arguments: argparse.Namespace) -> int:
    """Does it; returns the exit status."""
    client = ApiClient(arguments.config)
    match arguments.action:
        case "add":
            asked = SilenceAsked(
                event=arguments.event,
                narrative=arguments.narrative,
                rule=arguments.rule,
                owner=arguments.by,
                comment=arguments.comment,
                expires_at=_until(arguments.lasts),
            )
            _tell(client.ask("POST", "silences", wanted=Silence, body=asked), arguments)
        case "expire":
            _tell(client.ask("DELETE", "silences", arguments.id, wanted=Silence), arguments)
        case _:
            _list(client.ask("GET", "silences", wanted=SilenceList), arguments)
    return 0


def _until(lasts: timedelta) -> datetime:
    try:
        return SystemClock().now() + lasts
    except OverflowError as error:
        raise SettingsError(["--for: longer than time goes; write less than a thousand years"]) from error


def _tell(silence: Silence, arguments: argparse.Namespace) -> None:
    if arguments.json:
        shown.as_json(silence)
    else:
        until = "ended" if arguments.action == "expire" else f"silenced until {shown.cell(silence.expires_at)}"
        print(f"{silence.id}: {_covers(silence)} {until}")


def _list(found: SilenceList, arguments: argparse.Namespace) -> None:
    if arguments.json:
        shown.as_json(found)
        return
    rows = [(s.id, _covers(s), s.owner, s.begins_at, s.expires_at, s.comment) for s in found.silences]
    shown.table(("silence", "covers", "by", "from", "until", "why"), rows, "nothing is silenced")


def _covers(silence: Silence) -> str:
    parts = {"event": silence.event, "narrative": silence.narrative, "rule": silence.rule}
    return ", ".join(f"{name} {shown.cell(value)}" for name, value in parts.items() if value)
