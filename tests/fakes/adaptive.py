"""Adaptive Cards as Microsoft's own library for JavaScript reads them (npm `adaptivecards`).

Missing on this machine: tests skip with the reason; with CI=true they fail. `make servers` installs it.
"""

import os
import subprocess
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from tests.fakes.mosquitto import installed, program

LIBRARY = Path(__file__).parents[2] / ".servers" / "adaptivecards"
_PATIENCE = 120.0


def complaints(cards: Iterable[dict[str, Any]]) -> list[list[str]]:
    """What is wrong with each card: unknown elements, words that are no values, properties that are missing."""
    installed("node")
    if not (LIBRARY / ".ready").exists():
        why = "adaptivecards is not installed; `make servers` does that"
        if os.environ.get("CI") == "true":
            pytest.fail(why)
        pytest.skip(why)
    lines = b"\n".join(msgspec.json.encode(card) for card in cards)
    command = [program("node"), str(LIBRARY / "validate.cjs")]
    done = subprocess.run(command, input=lines, capture_output=True, check=True, timeout=_PATIENCE)  # noqa: S603 -- our own script
    return [msgspec.json.decode(line) for line in done.stdout.splitlines()]
