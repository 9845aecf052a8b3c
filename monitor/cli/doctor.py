"""`monitor doctor`: looks over configuration, machine and everything the monitor talks to, and says what to do."""

import argparse
import asyncio

from monitor.app.doctor import Check, Verdict, examined
from monitor.cli import options, shown
from monitor.clock import SystemClock
from monitor.settings import Settings, load

NAME = "doctor"
HELP = "looks over clock, disk, port, store, model, sources and receivers, and says what to do"
EPILOG = """
Runs beside the daemon or without it. Changes nothing and sends nothing that anybody sees: servers are connected to, and
those that can be asked whether they know us are asked. `monitor test-alert NAME` proves a receiver to the end.

exit status:
  0  nothing is bad; there may be doubts
  1  something is bad
  2  the configuration is wrong; every mistake is listed

examples:
  monitor doctor
  monitor doctor --json --config /etc/virality-monitor
"""


def add(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Adds the command and its options."""
    parser = options.command(commands, NAME, HELP, EPILOG)
    options.as_json(parser)
    options.config(parser)


def run(arguments: argparse.Namespace) -> int:
    """Looks; returns the exit status."""
    checks = asyncio.run(_all(load(arguments.config)))
    if arguments.json:
        shown.as_json({"checks": [check._asdict() for check in checks]})
    else:
        rows = [(check.what, check.verdict.value, check.found, check.do) for check in checks]
        shown.table(("what", "", "found", "what to do"), rows, "nothing to look at")
    return int(any(check.verdict is Verdict.BAD for check in checks))


async def _all(settings: Settings) -> list[Check]:
    return [check async for check in examined(settings, SystemClock())]
