"""`monitor alerts`: the alerts there were, who looks after them, and whether they were useful."""

import argparse

from monitor.cli import export, letters, options, shown
from monitor.cli.api_client import ApiClient
from monitor.marks import AckMark
from monitor.records import Alert, AlertState, Answer
from monitor.web.alert_bodies import AckAsked
from monitor.web.bodies import AlertList, AnswerAsked, AnswerList

NAME = "alerts"
HELP = "lists alerts, takes them on, writes briefs of them, and takes the desk's word on whether they were useful"
EPILOG = """
Who acknowledges a firing alert takes it on, with all that share its card: nobody is reminded of it any more, and
everybody is still told what changes. What the desk answers is kept beside the alerts and changes none of them: `monitor
backtest --archive` reads it and tells how many useful alerts each set of rules would have fired. The last answer about
an alert counts. Asks the daemon that [web] names.

exit status:
  0  done
  1  no daemon answers, or it cannot write now
  2  there is no such alert, or it does not fire

examples:
  monitor alerts list
  monitor alerts list --state firing
  monitor alerts acknowledge 9f86d081884c7d65 --by ada --assign ben
  monitor alerts export 9f86d081884c7d65 --output brief
  monitor alerts useful 9f86d081884c7d65 yes --by desk
  monitor alerts useful 9f86d081884c7d65 no --by desk --comment "a film, not the valley"
  monitor alerts dead
  monitor alerts replay --receiver slack
"""
ANSWERS = {"yes": True, "no": False}
MOST = 10_000


def add(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Adds the command and its options."""
    parser = options.command(commands, NAME, HELP, EPILOG)
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    example = "\nexamples:\n  monitor alerts list --state firing --limit 10\n"
    listing = options.command(actions, "list", "the newest alerts, the newest last", example)
    listing.add_argument("--state", choices=[one.value for one in AlertState], help="only those that are %(choices)s")
    listing.add_argument("--limit", type=options.positive, default=20, metavar="N", help="how many (default: 20)")
    example = "\nexamples:\n  monitor alerts useful 9f86d081884c7d65 yes --by desk\n"
    answering = options.command(actions, "useful", "was this alert useful?", example)
    answering.add_argument("id", metavar="ID", help="the alert's id, as `monitor alerts list` and its card show it")
    answering.add_argument("answer", metavar="yes|no", choices=list(ANSWERS), help="%(choices)s")
    answering.add_argument("--by", default="", metavar="WHO", help="who says so")
    answering.add_argument("--comment", default="", metavar="WHY", help="why")
    example = "\nexamples:\n  monitor alerts acknowledge 9f86d081884c7d65 --by ada --assign ben\n"
    taking = options.command(actions, "acknowledge", "takes a firing alert on: no more reminders", example)
    taking.add_argument("id", metavar="ID", help="the alert's id, as `monitor alerts list` and its card show it")
    taking.add_argument("--by", required=True, metavar="WHO", help="who takes it on")
    taking.add_argument("--assign", default="", metavar="WHO", help="who looks after it (default: who takes it on)")
    taking.add_argument("--comment", default="", metavar="WHY", help="what is to be said of it")
    export.add(actions)
    for one in (listing, answering, taking, *letters.add(actions)):
        options.config(one)
        options.as_json(one)


def run(arguments: argparse.Namespace) -> int:
    """Does it; returns the exit status."""
    client = ApiClient(arguments.config)
    match arguments.action:
        case export.ACTION:
            export.run(client, arguments)
        case "dead" | "replay":
            letters.run(arguments, client)
        case "useful":
            _answer(client, arguments)
        case "acknowledge":
            _acknowledge(client, arguments)
        case _:
            _list(client, arguments)
    return 0


def _answer(client: ApiClient, arguments: argparse.Namespace) -> None:
    asked = AnswerAsked(useful=ANSWERS[arguments.answer], by=arguments.by, comment=arguments.comment)
    answer = client.ask("POST", "alerts", arguments.id, "answer", wanted=Answer, body=asked)
    if arguments.json:
        shown.as_json(answer)
    else:
        print(f"{answer.alert}: {_said(answer)}")


def _acknowledge(client: ApiClient, arguments: argparse.Namespace) -> None:
    asked = AckAsked(by=arguments.by, assignee=arguments.assign, comment=arguments.comment)
    taken = client.ask("POST", "alerts", arguments.id, "acknowledge", wanted=AckMark, body=asked)
    if arguments.json:
        shown.as_json(taken)
    else:
        print(f"{taken.alert}: acknowledged by {shown.cell(taken.by)}, {shown.cell(taken.assignee or taken.by)} has it")


def _list(client: ApiClient, arguments: argparse.Namespace) -> None:
    query = {"limit": str(arguments.limit)} | ({"state": arguments.state} if arguments.state else {})
    found = client.ask("GET", "alerts", wanted=AlertList, query=query)
    if arguments.json:
        shown.as_json(found)
        return
    given = client.ask("GET", "answers", wanted=AnswerList, query={"limit": str(MOST)})
    answers = {answer.alert: answer for answer in given.answers}
    headings = ("id", "since", "event", "rule", "state", "answer", "says")
    shown.table(headings, (_row(one, answers.get(one.id)) for one in found.alerts), "there was no alert yet")


def _row(one: Alert, answer: Answer | None) -> tuple[object, ...]:
    return (one.id, one.since, one.event, one.rule, one.state.value, _said(answer), one.label)


def _said(answer: Answer | None) -> str:
    if answer is None:
        return "–"
    by = f", by {shown.cell(answer.by)}" if answer.by else ""
    return f"{'useful' if answer.useful else 'not useful'}{by}"
