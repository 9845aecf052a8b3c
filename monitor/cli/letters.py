"""`monitor alerts dead` and `replay`: what could not be delivered, and sending it again."""

import argparse
import re

from monitor.cli import options, shown
from monitor.cli.api_client import ApiClient
from monitor.web.letters import DeadList, DeadRow, ReplayAsked, Replayed

_DEAD = """
examples:
  monitor alerts dead
  monitor alerts dead --receiver slack --json
"""
_REPLAY = """
What is sent again has a new deadline and the same idempotency key. Where an attempt may have arrived all the same, the
message says that it may be a repeat. Letters to receivers that monitor.toml no longer has stay where they are.

examples:
  monitor alerts replay 2f1c8d0b6a7e4f3390c1d2e3f4a5b6c7
  monitor alerts replay --receiver slack
  monitor alerts replay --all
"""


def add(actions: "argparse._SubParsersAction[argparse.ArgumentParser]") -> list[argparse.ArgumentParser]:
    """Adds the two actions; answers their parsers."""
    dead = options.command(actions, "dead", "notifications that were given up, the newest last", _DEAD)
    dead.add_argument("--receiver", metavar="NAME", help="only those to this receiver")
    dead.add_argument("--limit", type=options.positive, default=100, metavar="N", help="how many (default: 100)")
    replay = options.command(actions, "replay", "sends dead letters again", _REPLAY)
    which = replay.add_mutually_exclusive_group(required=True)
    which.add_argument(
        "keys", nargs="*", default=[], type=_key, metavar="KEY", help="a letter's key, as `dead` shows it"
    )
    which.add_argument("--receiver", metavar="NAME", help="all of this receiver")
    which.add_argument("--all", action="store_true", help="all there are")
    return [dead, replay]


def _key(typed: str) -> str:
    if re.fullmatch(r"[0-9a-f]{32}", typed) is None:
        why = f"not a letter's key, which has 32 digits of 0-9 and a-f: {typed!r}; `monitor alerts dead` shows them"
        raise argparse.ArgumentTypeError(why)
    return typed


def run(arguments: argparse.Namespace, client: ApiClient) -> None:
    """Does what was typed."""
    if arguments.action == "dead":
        _dead(arguments, client)
        return
    asked = ReplayAsked(keys=tuple(arguments.keys), receiver=arguments.receiver, all=arguments.all)
    done = client.ask("POST", "notifications", "replay", wanted=Replayed, body=asked)
    if arguments.json:
        shown.as_json(done)
        return
    print(f"on their way again: {len(done.queued)}")
    if done.without_receiver:
        print(f"left where they are, their receivers are gone: {len(done.without_receiver)}")
    for key in done.unknown:
        print(f"no dead letter: {shown.cell(key)}")


def _dead(arguments: argparse.Namespace, client: ApiClient) -> None:
    query = {"limit": str(arguments.limit)} | ({"receiver": arguments.receiver} if arguments.receiver else {})
    found = client.ask("GET", "notifications", "dead", wanted=DeadList, query=query)
    if arguments.json:
        shown.as_json(found)
        return
    headings = ("key", "receiver", "alert", "at", "state", "attempts", "reason", "said")
    shown.table(headings, map(_row, found.letters), "nothing was given up")


def _row(one: DeadRow) -> tuple[object, ...]:
    said = f"{one.detail} (may have arrived)" if one.unknown else one.detail
    return (one.key, one.receiver, one.alert, one.at, one.state.value, one.attempts, one.reason, said)
