"""Do the spikes of a running monitor keep the announced rate, and how soon do they come? Tables: `make prove`."""

import numpy as np
import pytest

from monitor.judge.measures import FEWEST
from monitor.judge.spike import STEP, Asked, Spikes
from monitor.watched import Rules
from tests.judge.simulated import Flags, Ints, played, table
from tests.judge.streams import Kind

BRANCHINGS = (0.0, 0.3, 0.5, 0.7)
BLOCK = 240
"""Keys of a detector: what fits a processor's cache."""


class Live:
    """The spikes of as many counts as there are topics, under an event's rules."""

    def __init__(self, keys: int, rules: Rules) -> None:
        self._parts = [Spikes(asked(min(BLOCK, keys - first), rules)) for first in range(0, keys, BLOCK)]

    def run(self, at: int, posts: Ints) -> Flags:
        begins = np.zeros(posts.shape, np.bool_)
        for number, spikes in enumerate(self._parts):
            mine = posts[:, number * BLOCK : (number + 1) * BLOCK]
            for found in spikes.run(at // STEP + 1, mine, np.ones(mine.shape, np.bool_)):
                begins[(found.turn.at - at) // STEP - 1, number * BLOCK + found.key] |= found.turn.begins
        return begins


def asked(keys: int, rules: Rules) -> Asked:
    return Asked(
        fewest=np.full(keys, FEWEST),
        ratio=np.full(keys, rules.spike_ratio),
        score=np.full(keys, rules.spike_score),
        warm_up=np.full(keys, round(rules.warm_up.total_seconds())),
        per_day=np.full(keys, rules.false_alarms_per_day),
    )


@pytest.mark.prove
@pytest.mark.parametrize("per_hour", [10, 100, 1_000])
def test_spikes_of_a_running_monitor_are_as_rare_as_announced_and_come_about_as_soon_as_a_cusum(per_hour: int) -> None:
    kinds, topics, rules = [Kind(per_hour, branching) for branching in BRANCHINGS], 360, Rules()
    live = Live(len(kinds) * topics, rules)
    cells = played(live, kinds, topics, STEP, warm=28, days=28, seed=per_hour)
    assert table(cells, rules.false_alarms_per_day) <= 1.25
    assert max(cell.slower for cell in cells) <= 2.0


def test_spikes_are_seldom_false_and_find_most_bursts() -> None:
    rules = Rules(false_alarms_per_day=0.5)
    (cell,) = played(Live(24, rules), [Kind(1_000, 0.5)], 24, STEP, warm=14, days=7, seed=2)
    assert cell.ratio(0.5)[1] <= 1.25
    assert np.mean(~np.isnan(cell.seconds)) > 0.9
    assert cell.slower <= 1.5
