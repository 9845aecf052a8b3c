"""How long a grid takes: a year at one post a second, from counts that are on disk, scaled up from a shorter time."""

import itertools
import os
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from monitor.app.backtest.workers import judged_by
from monitor.clock import SystemClock
from monitor.judge.rates import Rates
from monitor.records import AlertState
from monitor.watched import Event, Rules
from tests.bench.years import EVENT, write

pytestmark = pytest.mark.bench

DAYS = int(os.environ.get("BACKTEST_DAYS", "37"))
YEAR = 365
SLOW = 5
RATES = Rates.of_counts(np.array(np.eye(5) * 900 + 20, np.int64))


def grid(swept: dict[str, list[Any]]) -> list[tuple[Event, ...]]:
    """Every combination of the values of some settings."""
    chosen = [dict(zip(swept, values, strict=True)) for values in itertools.product(*swept.values())]
    return [(Event(name=EVENT, proposition="It has fallen", any=("x",), rules=Rules(**one)),) for one in chosen]


SAME_SPIKES = {
    "alpha": [0.01, 0.02, 0.05, 0.1, 0.2],
    "minimum_originals": [5, 10, 20, 40, 80],
    "minimum_authors": [4, 8, 16, 32],
}
OTHER_SPIKES = {
    "spike_ratio": [2.0 + 0.25 * step for step in range(10)],
    "alpha": [0.005 * step for step in range(1, 11)],
}


@pytest.mark.parametrize("matching", [0.01, 1.0], ids=["1 %", "all"])
@pytest.mark.parametrize("swept", [SAME_SPIKES, OTHER_SPIKES], ids=["one spike setting", "ten spike settings"])
def test_a_hundred_points_over_a_year(swept: dict[str, list[Any]], matching: float, tmp_path: Path) -> None:
    clock, points = SystemClock(), grid(swept)
    assert len(points) == 100
    posts = write(tmp_path, DAYS, matching=matching)
    jobs = min(2, len(os.sched_getaffinity(0)))
    began = clock.monotonic()
    steps = judged_by(jobs, tmp_path, points, RATES)
    seconds = (clock.monotonic() - began) * YEAR / DAYS
    fired = sum(step.state is AlertState.FIRING for one in steps for step in one)
    figure = f"100 points, {jobs} processes, {posts:,} mentions in {DAYS} days, scaled to a year, s"
    sys.stdout.write(f"\n{figure:<78} {seconds:>8,.0f}   target <= 900, aim 300 ({fired} alerts)\n")
    assert seconds < SLOW * 900
