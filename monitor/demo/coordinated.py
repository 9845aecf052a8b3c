"""A coordinated burst: a handful of new accounts paste one text within minutes."""

from typing import NamedTuple

import numpy as np

from monitor.demo.cascades import Ints, Tree
from monitor.demo.platforms import CODES, Kind
from monitor.demo.roles import TAGS, Names, Roles
from monitor.demo.story import Burst, Scenario


class Plot(NamedTuple):
    """A tree with its roles, and which account of a burst's crew wrote a row (−1 for none)."""

    tree: Tree
    roles: Roles
    names: Names
    crew: Ints


def join(rng: np.random.Generator, scenario: Scenario, plot: Plot, posts: int) -> Plot:
    """The plot with the scenario's bursts added at its end, for about `posts` posts in all."""
    for number, burst in enumerate(scenario.bursts):
        size = max(5, round(burst.share * posts))
        first = len(plot.tree.hour)
        tree = _tree(rng, scenario, burst, size, first)
        roles = _roles(plot.names, burst, size, first)
        crew = 100 * number + rng.integers(0, burst.authors, size)
        plot = Plot(
            Tree(*(np.concatenate(pair) for pair in zip(plot.tree, tree, strict=True))),
            Roles(*(np.concatenate(pair) for pair in zip(plot.roles, roles, strict=True))),
            plot.names,
            np.concatenate([plot.crew, crew]),
        )
    return plot


def _tree(rng: np.random.Generator, scenario: Scenario, burst: Burst, size: int, first: int) -> Tree:
    hours = burst.hour + np.sort(rng.beta(1.6, 2.4, size)) * burst.minutes / 60
    strand = next(n for n, strand in enumerate(scenario.strands) if strand.story == burst.story)
    later = np.arange(size) > 0
    return Tree(hours, np.where(later, first, -1), later.astype(np.int64), np.full(size, strand), np.full(size, -1))


def _roles(names: Names, burst: Burst, size: int, first: int) -> Roles:
    later = np.arange(size) > 0
    return Roles(
        kind=np.where(later, int(Kind.COPY), int(Kind.ORIGINAL)),
        anchor=np.where(later, first, -1),
        root=np.arange(first, first + size),
        platform=np.full(size, CODES[burst.platform]),
        language=np.full(size, names.languages.index(burst.language)),
        pool=np.full(size, names.pools.index(burst.pool)),
        tag=np.full(size, TAGS.index(burst.pool.split("/")[0])),
        depth=np.zeros(size, dtype=np.int64),
    )
