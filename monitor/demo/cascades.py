"""When posts appear: originals along a curve, and children by a self-exciting (Hawkes) branching process.

Every post has a Poisson number of children; its mean is the strand's branching ratio times a heavy-tailed reach
(Pareto), and each child waits a heavy-tailed time (Lomax). So activity comes in bursts; most cascades are tiny, a few
large.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from monitor.demo.story import Curve, Scenario, Strand

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

REACH_TAIL = 1.5
REACH_LIMIT = 50.0
DELAY_TAIL = 1.05
DELAY_SCALE = 0.015  # hours
STEP = 1 / 60


class Tree(NamedTuple):
    """All posts of a scenario before anything is known but time and descent; index arrays of equal length."""

    hour: Floats
    parent: Ints
    """Index of the post that set this one off, −1 for none."""
    generation: Ints
    strand: Ints
    moment: Ints
    """Index among the strand's moments, −1 for none."""


def arrivals(rng: np.random.Generator, curve: Curve, mean: float, peak: float | None = None) -> Floats:
    """Poisson(`mean`) times in hours along `curve`, multiplied by a daily cycle with its height at hour `peak`."""
    knots = np.asarray(curve, dtype=np.float64)
    grid = np.arange(knots[0, 0], knots[-1, 0] + STEP, STEP)
    level = np.interp(grid, knots[:, 0], knots[:, 1])
    if peak is not None:
        level *= 1 + 0.55 * np.cos(2 * np.pi * (grid - peak) / 24)
    mass = np.cumsum(level)
    return np.interp(rng.random(rng.poisson(mean)), mass / mass[-1], grid)


def reach(rng: np.random.Generator, size: int) -> Floats:
    """How far posts carry: Pareto with mean one, cut off far above it."""
    drawn = np.minimum(rng.pareto(REACH_TAIL, size) + 1, REACH_LIMIT)
    mean = (REACH_TAIL - REACH_LIMIT ** (1 - REACH_TAIL)) / (REACH_TAIL - 1)
    return np.asarray(drawn / mean, dtype=np.float64)


def delays(rng: np.random.Generator, size: int) -> Floats:
    """Hours between a post and its child: Lomax, median under a minute, a tail of many hours."""
    return np.asarray(DELAY_SCALE * rng.pareto(DELAY_TAIL, size) + 4 / 3600, dtype=np.float64)


def grow(rng: np.random.Generator, strand: Strand, originals: float, scenario: Scenario) -> Tree:
    """The posts of one strand: `originals` of them expected, the rest descend from these; sorted by generation."""
    peak = scenario.daily_peak if strand.daily else None
    hours = arrivals(rng, strand.curve, originals, peak)
    fixed = np.array([moment.hour for moment in strand.moments], dtype=np.float64)
    hour = [np.concatenate([fixed, hours])]
    parent = [np.full(len(hour[0]), -1)]
    carry = np.concatenate([[moment.reach for moment in strand.moments], reach(rng, len(hours))])
    total = 0
    while len(hour[-1]):
        children = rng.poisson(strand.branching * carry)
        source = np.repeat(np.arange(total, total + len(carry)), children)
        born = np.repeat(hour[-1], children) + delays(rng, len(source))
        kept = born < scenario.hours
        total += len(carry)
        hour.append(born[kept])
        parent.append(source[kept])
        carry = reach(rng, int(kept.sum()))
    generation = np.repeat(np.arange(len(hour)), [len(part) for part in hour])
    moment = np.full(total, -1)
    moment[: len(fixed)] = np.arange(len(fixed))
    return Tree(np.concatenate(hour), np.concatenate(parent), generation, np.zeros(total, dtype=np.int64), moment)


def forest(rng: np.random.Generator, scenario: Scenario, posts: int) -> Tree:
    """All strands of a scenario, about `posts` posts in all, as one tree."""
    whole = sum(strand.share for strand in scenario.strands) + sum(burst.share for burst in scenario.bursts)
    trees: list[Tree] = []
    offset = 0
    for number, strand in enumerate(scenario.strands):
        mean = max(0.0, posts * strand.share / whole * (1 - strand.branching) - _weight(strand))
        tree = grow(rng, strand, mean, scenario)
        parent = np.where(tree.parent >= 0, tree.parent + offset, -1)
        trees.append(tree._replace(parent=parent, strand=np.full(len(tree.hour), number)))
        offset += len(tree.hour)
    return Tree(*(np.concatenate(column) for column in zip(*trees, strict=True)))


def _weight(strand: Strand) -> float:
    """How many ordinary originals the strand's moments stand for."""
    return sum(1 - strand.branching + strand.branching * moment.reach for moment in strand.moments)
