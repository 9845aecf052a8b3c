"""How long a grid takes: a year at one post a second, from counts that are on disk, scaled up from a shorter time."""

import itertools
import os
import resource
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


def spent() -> float:
    """Seconds of all cores that processes which ended have taken."""
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return children.ru_utime + children.ru_stime


@pytest.mark.parametrize(("matching", "days"), [(0.01, YEAR), (1.0, 37)], ids=["1 %", "all"])
@pytest.mark.parametrize("swept", [SAME_SPIKES, OTHER_SPIKES], ids=["one spike setting", "ten spike settings"])
def test_a_hundred_points_over_a_year(swept: dict[str, list[Any]], matching: float, days: int, tmp_path: Path) -> None:
    clock, points = SystemClock(), grid(swept)
    assert len(points) == 100
    posts = write(tmp_path, days, matching=matching)
    jobs = min(2, len(os.sched_getaffinity(0)))
    began, before = clock.monotonic(), spent()
    steps = judged_by(jobs, tmp_path, points, RATES)
    seconds, cores = ((each * YEAR / days) for each in (clock.monotonic() - began, spent() - before))
    fired = sum(step.state is AlertState.FIRING for one in steps for step in one)
    scaled = "" if days == YEAR else f", scaled from {days} days"
    figure = f"100 points, a year at 1 post/s, {matching:.0%} match, {jobs} processes{scaled}, s"
    sys.stdout.write(f"\n{figure:<88} {seconds:>6,.0f}   target <= 900, aim 300\n")
    sys.stdout.write(f"    {posts:,} mentions, {fired} alerts; {cores:,.0f} s of core time\n")
    assert seconds < SLOW * 900
