"""Options that several commands share."""

import argparse
from pathlib import Path

from monitor.watched import Duration


def config(parser: argparse._ActionsContainer) -> None:
    """Adds `--config DIR` to a parser or to a group of one."""
    parser.add_argument(
        "--config",
        type=Path,
        default=Path("config"),
        metavar="DIR",
        help="where monitor.toml is (default: %(default)s)",
    )


def command(
    commands: "argparse._SubParsersAction[argparse.ArgumentParser]", name: str, does: str, epilog: str
) -> argparse.ArgumentParser:
    """Adds a command, or an action of one, whose help ends with `epilog` as it stands."""
    return commands.add_parser(
        name, help=does, description=does, epilog=epilog, formatter_class=argparse.RawDescriptionHelpFormatter
    )


def as_json(parser: argparse.ArgumentParser) -> None:
    """Adds `--json`."""
    parser.add_argument("--json", action="store_true", help="one line of JSON for programs, instead of text")


def positive(text: str) -> int:
    """A whole number of 1 or more."""
    number = int(text) if text.strip().isdecimal() else 0
    if number < 1:
        why = f"{text!r} is no whole number of 1 or more"
        raise argparse.ArgumentTypeError(why)
    return number


def duration(text: str) -> Duration:
    """A length of time above nothing, as in 90m."""
    try:
        length = Duration.parse(text)
    except (ValueError, OverflowError) as error:
        raise argparse.ArgumentTypeError(str(error)) from error
    if not length:
        why = "no time at all"
        raise argparse.ArgumentTypeError(why)
    return length
