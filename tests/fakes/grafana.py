"""Dashboards as Grafana's own types for TypeScript have them (npm `@grafana/schema`), held by TypeScript's compiler.

Missing on this machine: tests skip with the reason; with CI=true they fail. `make servers` installs them.
"""

import os
import subprocess
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from tests.fakes.mosquitto import installed, program

LIBRARY = Path(__file__).parents[2] / ".servers" / "grafana"
_PATIENCE = 120.0
_OPTIONS = ("--noEmit", "--strict", "--skipLibCheck", "--moduleResolution", "bundler", "--module", "esnext")


def complaints(dashboards: Iterable[dict[str, Any]], folder: Path) -> list[str]:
    """What the compiler finds wrong with dashboards, written to `folder` as values of the type Dashboard."""
    installed("node")
    if not (LIBRARY / ".ready").exists():
        why = "@grafana/schema is not installed; `make servers` does that"
        if os.environ.get("CI") == "true":
            pytest.fail(why)
        pytest.skip(why)
    (folder / "node_modules").symlink_to(LIBRARY / "node_modules")
    files = []
    for number, dashboard in enumerate(dashboards):
        file = folder / f"dashboard{number}.ts"
        literal = msgspec.json.encode(dashboard).decode()
        file.write_text(
            f"import type {{ Dashboard }} from '@grafana/schema';\nexport const made: Dashboard = {literal};\n"
        )
        files.append(str(file))
    compiler = str(LIBRARY / "node_modules" / "typescript" / "bin" / "tsc")
    command = [program("node"), compiler, *_OPTIONS, *files]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, timeout=_PATIENCE)  # noqa: S603
    return done.stdout.splitlines()
