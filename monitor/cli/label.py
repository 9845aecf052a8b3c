"""`monitor label`: an editor's tag for a mention that the tagger read wrongly."""

import argparse

from monitor.cli import options, shown
from monitor.cli.api_client import ApiClient
from monitor.frames import TAGS, Tag
from monitor.marks import Correction
from monitor.web.bodies import LabelAsked

NAME = "label"
HELP = "corrects the tag of a mention, and of its copies from here on"
EPILOG = """
The same text under the same parent is tagged so from the next post on; what was counted stays counted. Asks the daemon
that [web] names.

exit status:
  0  done
  1  no daemon answers, or it cannot write now
  2  there is no such event, or the archive has no such mention

examples:
  monitor label fall-of-panjshir bluesky 3kabc denial --by desk
"""


def add(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Adds the command and its options."""
    parser = options.command(commands, NAME, HELP, EPILOG)
    parser.add_argument("event", metavar="EVENT", help="the event's name")
    parser.add_argument("platform", metavar="PLATFORM", help="where it was posted, as in bluesky")
    parser.add_argument("id", metavar="ID", help="the platform's id of the post")
    parser.add_argument("tag", metavar="TAG", choices=[tag.value for tag in TAGS], help="%(choices)s")
    parser.add_argument("--by", required=True, metavar="WHO", help="who says so")
    options.config(parser)
    options.as_json(parser)


def run(arguments: argparse.Namespace) -> int:
    """Sends it; returns the exit status."""
    client = ApiClient(arguments.config)
    asked = LabelAsked(
        event=arguments.event, platform=arguments.platform, id=arguments.id, tag=Tag(arguments.tag), by=arguments.by
    )
    mark = client.ask("POST", "labels", wanted=Correction, body=asked)
    if arguments.json:
        shown.as_json(mark)
    else:
        print(f"{mark.event}: {mark.platform} {shown.cell(mark.id)} is {mark.tag}, and its copies from here on")
    return 0
