"""Do the spikes of a running monitor keep the announced rate, and how soon do they come? Tables: `make prove`."""

import sys

import numpy as np
import pytest

from monitor.watched import Rules
from tests.judge.live import Cell, Floats, played
from tests.judge.streams import Kind

WARM = 28


def times(seconds: Floats) -> str:
    """Minutes where found, share found, minutes with a missed one as an hour."""
    found = ~np.isnan(seconds)
    late = float(seconds[found].mean() / 60) if found.any() else np.nan
    return f"{late:6.1f} {found.mean():6.2f} {np.nan_to_num(seconds, nan=3_600).mean() / 60:6.1f}"


def line(kind: Kind, cell: Cell, per_day: float) -> str:
    ratio, low, high = cell.ratio(per_day)
    what = f"{kind.per_hour:>7} {kind.branching:>9} {per_day:>9}  {ratio:.2f} ({low:.2f} to {high:.2f})"
    return f"{what}  {times(cell.seconds)}  {times(cell.reference)}\n"


@pytest.mark.prove
@pytest.mark.parametrize("per_hour", [10, 100, 1_000])
def test_spikes_of_a_running_monitor_are_as_rare_as_announced(per_hour: int) -> None:
    topics, days = 360, 28
    sys.stdout.write(
        f"\n{topics * days:,} topic-days per cell after {WARM} days; x3 for 30 min, at equal false alarms\n"
    )
    sys.stdout.write("posts/h branching announced  realised ÷ announced   spikes                CUSUM, known level\n")
    worst = 0.0
    for branching in (0.0, 0.3, 0.5, 0.7):
        kind = Kind(per_hour, branching)
        cell = played(kind, topics, Rules(false_alarms_per_day=0.1), warm=WARM, days=days, seed=per_hour)
        sys.stdout.write(line(kind, cell, 0.1))
        sys.stdout.flush()
        worst = max(worst, cell.ratio(0.1)[0])
    assert worst <= 1.25


def test_spikes_are_seldom_false_and_find_most_bursts_where_the_fixed_bar_found_one_in_ten() -> None:
    per_day = 0.5
    cell = played(Kind(1_000, 0.5), 6, Rules(false_alarms_per_day=per_day), warm=21, days=7, seed=2)
    assert cell.ratio(per_day)[0] <= 1.25
    assert np.mean(~np.isnan(cell.seconds)) > 0.7
