"""Options that several commands share."""

import argparse
from pathlib import Path


def config(parser: argparse.ArgumentParser) -> None:
    """Adds `--config DIR`."""
    parser.add_argument(
        "--config",
        type=Path,
        default=Path("config"),
        metavar="DIR",
        help="where monitor.toml is (default: %(default)s)",
    )
