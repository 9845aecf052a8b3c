"""The unit is one that systemd takes, and starts the monitor again after a crash but not after a mistake."""

import sys
from pathlib import Path

from tests.deploy.test_prometheus import told

UNIT = Path(__file__).parents[2] / "deploy" / "systemd" / "virality-monitor.service"


def test_systemd_takes_the_unit_without_a_word(tmp_path: Path) -> None:
    """Its own tool says of every setting whether it knows it; only the program is another, since none is installed."""
    text = UNIT.read_text("utf-8").replace("/opt/virality-monitor/.venv/bin/monitor", sys.executable)
    (tmp_path / UNIT.name).write_text(text, "utf-8")
    said = told("systemd-analyze", "verify", f"./{UNIT.name}", folder=tmp_path)
    assert [line for line in said.splitlines() if UNIT.name in line] == []
