"""Streams of posts whose truth is known: daily cycle, overdispersion, self-excitation, bursts put in by hand.

A stream is a Hawkes process with an exponential kernel in bins: posts of a bin ~ Poisson(first hands + branching x
exponential mean of the posts before). First hands follow a daily cycle times two gamma noises, one that is new every
bin block (what makes counts negative binomial) and one that wanders over hours. All streams of a call go in one loop.
"""

from collections.abc import Iterator
from itertools import count
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

DAY = 86_400
HOUR = 3_600


class Kind(NamedTuple):
    """What the streams of one cell have in common."""

    per_hour: float
    """Mean posts per hour, reshares included."""
    branching: float = 0.0
    """Posts that one post brings on average: 0 to below 1."""
    swing: float = 0.6
    """Of the daily cycle: the rate runs between 1 - swing and 1 + swing times its mean."""
    size: float = 10.0
    """Of the gamma that is new every `block`: the counts' variance is mean + mean² / size."""
    block: int = 300
    """Seconds for which one gamma holds."""
    wander: float = 0.2
    """Standard deviation of the logarithm of the slow noise,"""
    wander_over: float = 3 * HOUR
    """… whose correlation falls to 1/e in so many seconds."""
    kernel: float = 600.0
    """Seconds after which a post's children come, on average."""


class Bin(NamedTuple):
    """One bin of every stream, arrays (keys,)."""

    at: int
    """The second at which it ends."""
    posts: Ints
    mean: Floats
    """What it holds on average at this time of day: the level in control, which only the maker knows."""


class Streams:
    """Streams of several kinds, `each` of every kind side by side; the same seed gives the same posts."""

    def __init__(self, kinds: list[Kind], each: int, step: int, seed: int) -> None:
        self.kinds = kinds
        self.step = step
        self.keys = len(kinds) * each
        self._rng = np.random.default_rng(seed)
        self._phase = np.repeat(self._rng.random(len(kinds)), each)
        self._columns = {
            name: np.repeat(np.array([getattr(kind, name) for kind in kinds], np.float64), each)
            for name in Kind._fields
        }
        self._block = np.ones(self.keys)
        self._slow = self._rng.standard_normal(self.keys)
        self._at = 0

    def _cycle(self) -> Floats:
        """Posts per bin by the daily cycle."""
        turn = np.sin(2 * np.pi * (self._at / DAY + self._phase))
        return self._columns["per_hour"] * (1 + self._columns["swing"] * turn) * self.step / HOUR

    def __iter__(self) -> Iterator[Bin]:
        """The next bin of every stream, for ever."""
        columns, rng = self._columns, self._rng
        keep = np.exp(-self.step / columns["wander_over"])
        fade = np.exp(-self.step / columns["kernel"])
        spread, branching = columns["wander"], columns["branching"]
        blocks = np.maximum(columns["block"] // self.step, 1).astype(np.int64)
        echo = branching * self._cycle()
        normal_echo = echo.copy()
        for number in count():
            due = number % blocks == 0
            size = columns["size"][due]
            self._block[due] = rng.gamma(size) / size
            self._slow = keep * self._slow + np.sqrt(1 - keep**2) * rng.standard_normal(self.keys)
            first = (1 - branching) * self._cycle()
            mean = first + normal_echo
            noise = self._block * np.exp(spread * self._slow - spread**2 / 2)
            posts = rng.poisson(first * noise + echo).astype(np.int64)
            echo = fade * echo + (1 - fade) * branching * posts
            normal_echo = fade * normal_echo + (1 - fade) * branching * mean
            self._at += self.step
            yield Bin(self._at, posts, mean)


def burst(posts: Ints, each: int, factor: int) -> Ints:
    """The posts with `factor` - 1 independent streams of the same kind and hour on top: the rate times `factor`."""
    rows = posts.reshape(-1, each)
    total = rows.copy()
    for other in range(1, factor):
        total += np.roll(rows, other, axis=1)
    return total.reshape(-1)
