"""`monitor run` with a parser that one text kills: `python -m tests.faults.poisoned CONFIG raise|exit`."""

import os
import sys
from collections.abc import Sequence
from datetime import datetime

from monitor.__main__ import main
from monitor.collect import file, tail
from monitor.collect.parsed import Parsed
from monitor.collect.post1 import parse

POISON = b"poison pill"
PIECE = 1000
"""Bytes of a payload, so that there are several."""


def deadly(bodies: Sequence[bytes], source: str, seen_at: datetime, *, as_sent: bool = False) -> Parsed:
    """As `parse`, but for the poison."""
    if any(POISON in body for body in bodies):
        if sys.argv[2] == "exit":
            os._exit(9)
        _ = 1 / 0
    return parse(bodies, source, seen_at, as_sent=as_sent)


if __name__ == "__main__":
    file.parse = deadly  # type: ignore[attr-defined]
    tail.CHUNK = PIECE
    sys.exit(main(["run", "--config", sys.argv[1]]))
