"""The two times of a post and their noise: seen seconds later, some far later; some dated back by their authors."""

from typing import NamedTuple

import numpy as np

from monitor.demo.cascades import Floats, Ints
from monitor.demo.platforms import PLATFORMS

LATE = 0.02
BACK_DATED = 0.004


class Stamps(NamedTuple):
    """Microseconds since the scenario begins; `created` ≤ `seen`."""

    created: Ints
    seen: Ints


def stamp(rng: np.random.Generator, hour: Floats, platform: Ints) -> Stamps:
    """When each post says it was written and when it was seen."""
    size = len(hour)
    median = np.array([platform.delay for platform in PLATFORMS])[platform]
    delay = 1 + median * np.exp(rng.normal(0, 0.6, size))
    delay += np.where(rng.random(size) < LATE, rng.uniform(60, 2700, size), 0)
    back = np.where(rng.random(size) < BACK_DATED, rng.uniform(3600, 48 * 3600, size), 0)
    posted = hour * 3600
    whole = np.floor(posted - back)
    return Stamps((whole * 1_000_000).astype(np.int64), ((posted + delay) * 1000).astype(np.int64) * 1000)
