"""Options that several commands share."""

import argparse
from pathlib import Path


def config(parser: argparse._ActionsContainer) -> None:
    """Adds `--config DIR` to a parser or to a group of one."""
    parser.add_argument(
        "--config",
        type=Path,
        default=Path("config"),
        metavar="DIR",
        help="where monitor.toml is (default: %(default)s)",
    )
