"""Do the alarms of `monitor spikes` keep the announced rate, and how soon do they come? Tables: `make prove`."""

import numpy as np
import pytest

from monitor.judge.series import Watched
from tests.judge.simulated import Flags, Ints, played, table
from tests.judge.streams import Kind

STEP = 300
BRANCHINGS = (0.0, 0.3, 0.5, 0.7)


class Command:
    """What `monitor spikes` alarms, on as many series as there are topics."""

    def __init__(self, keys: int, per_day: float) -> None:
        self._watched, self._masked = Watched(STEP, keys, per_day), np.zeros(keys, np.bool_)

    def run(self, at: int, posts: Ints) -> Flags:
        ends = at + STEP * (1 + np.arange(posts.shape[0]))
        return np.array(
            [self._watched.tick(end, row, self._masked).alarm for end, row in zip(ends.tolist(), posts, strict=True)]
        )


@pytest.mark.prove
@pytest.mark.parametrize("per_hour", [10, 100, 1_000])
def test_alarms_of_a_series_are_about_as_rare_as_announced(per_hour: int) -> None:
    kinds, topics, per_day = [Kind(per_hour, branching) for branching in BRANCHINGS], 360, 0.1
    cells = played(Command(len(kinds) * topics, per_day), kinds, topics, STEP, warm=28, days=28, seed=per_hour)
    assert table(cells, per_day) <= 1.25


def test_on_bursty_series_alarms_are_as_rare_as_announced_and_bursts_are_found() -> None:
    per_day = 0.5
    (cell,) = played(Command(24, per_day), [Kind(1_000, 0.7)], 24, STEP, warm=14, days=5, seed=1)
    assert cell.ratio(per_day)[1] <= 1.25
    assert np.mean(~np.isnan(cell.seconds)) > 0.7
