"""What each post of a tree is: kind, platform, language, and what it answers with; drawn generation by generation."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from monitor.demo.cascades import Floats, Ints, Tree
from monitor.demo.platforms import CODES, PLATFORMS, WIRE, Kind
from monitor.demo.story import Scenario, Shares
from monitor.demo.texts import Book

TAGS = ("claim", "denial", "celebration", "question", "other")
ANSWERS = ("confirm", "refute", "contest", "uphold", "ask", "remark", "cheer", "chat")
"""Pools of answers: `confirm` and `refute` stand under a claim, `contest` and `uphold` under a denial."""
ANSWER_TAGS = ("claim", "denial", "claim", "denial", "question", "other", "celebration", "other")
DEPTH = 3
MOVES = 0.5
"""Share of rewordings and copies that appear wherever, be it on the same platform."""

_CALM = np.array(  # weights of ANSWERS under each tag and under an aside, while nobody doubts
    [
        [0.44, 0.02, 0.00, 0.00, 0.20, 0.26, 0.08, 0.00],
        [0.00, 0.00, 0.30, 0.25, 0.11, 0.32, 0.02, 0.00],
        [0.05, 0.02, 0.00, 0.00, 0.13, 0.50, 0.30, 0.00],
        [0.22, 0.02, 0.00, 0.00, 0.26, 0.50, 0.00, 0.00],
        [0.00, 0.00, 0.00, 0.00, 0.08, 0.92, 0.00, 0.00],
        [0.00, 0.00, 0.00, 0.00, 0.00, 0.00, 0.00, 1.00],
    ]
)
_DOUBT = np.array(  # what full doubt adds to it
    [
        [-0.42, 0.44, 0.00, 0.00, 0.00, 0.00, -0.02, 0.00],
        [0.00, 0.00, -0.26, 0.26, 0.00, 0.00, 0.00, 0.00],
        [-0.04, 0.24, 0.00, 0.00, 0.00, -0.06, -0.14, 0.00],
        [-0.20, 0.30, 0.00, 0.00, 0.00, -0.10, 0.00, 0.00],
        [0.00, 0.00, 0.00, 0.00, 0.00, 0.00, 0.00, 0.00],
        [0.00, 0.00, 0.00, 0.00, 0.00, 0.00, 0.00, 0.00],
    ]
)
_ASIDE = len(TAGS)


class Roles(NamedTuple):
    """Arrays beside the tree's; indices point into the tree, −1 for none."""

    kind: Ints
    anchor: Ints
    """The post that is answered, quoted, reposted or copied."""
    root: Ints
    """First post of the thread."""
    platform: Ints
    language: Ints
    pool: Ints
    tag: Ints
    depth: Ints


class Names(NamedTuple):
    """What the numbers in Roles stand for."""

    languages: tuple[str, ...]
    pools: tuple[str, ...]
    """First the pools of answers, in order of ANSWERS."""


def names(scenario: Scenario) -> Names:
    """All languages and pools a scenario uses."""
    strands = scenario.strands
    languages = [*scenario.languages, *(name for strand in strands for name in strand.languages)]
    languages += [moment.language for strand in strands for moment in strand.moments]
    languages += [burst.language for burst in scenario.bursts]
    pools = [f"answer/{answer}" for answer in ANSWERS] + [strand.pool for strand in strands]
    pools += [moment.pool for strand in strands for moment in strand.moments]
    pools += [burst.pool for burst in scenario.bursts]
    return Names(tuple(dict.fromkeys(languages)), tuple(dict.fromkeys(pools)))


def draw(rng: np.random.Generator, weights: Floats) -> Ints:
    """One column per row of `weights`, with probability in proportion."""
    summed = np.cumsum(weights, axis=1)
    at = rng.random(len(weights))[:, None] * summed[:, -1:]
    return np.asarray((at >= summed).sum(axis=1), dtype=np.int64)


def shares(given: Shares, fallback: Shares, order: Sequence[str]) -> Floats:
    """Weights in the order of `order`."""
    chosen = given or fallback
    return np.array([chosen.get(name, 0.0) for name in order])


class Cast:
    """Draws the roles of a tree; the arrays fill as generations are played.

    Languages without stems for a strand are left out of it.
    """

    def __init__(self, rng: np.random.Generator, scenario: Scenario, tree: Tree, book: Book) -> None:
        self._rng = rng
        self._scenario = scenario
        self._tree = tree
        self.names = names(scenario)
        size = len(tree.hour)
        self.roles = Roles(*(np.full(size, -1, dtype=np.int64) for _ in Roles._fields))
        self.roles.depth[:] = 0
        order = [platform.name for platform in PLATFORMS]
        strands = scenario.strands
        self._platforms = np.array([shares(s.platforms, scenario.platforms, order) for s in strands])
        self._languages = np.array([shares(s.languages, scenario.languages, self.names.languages) for s in strands])
        self._languages *= [[bool(book.stems(name, s.pool)) for name in self.names.languages] for s in strands]
        self._told = np.array([strand.story is not None or strand.stirs for strand in strands])
        self._aside = np.array([strand.aside for strand in strands])
        self.pools = np.array([self.names.pools.index(strand.pool) for strand in strands])
        self._spread = np.array([platform.spread for platform in PLATFORMS])

    def play(self) -> Roles:
        """Plays all generations and gives the roles."""
        for generation in range(int(self._tree.generation.max(initial=0)) + 1):
            rows = np.flatnonzero(self._tree.generation == generation)
            if generation == 0:
                self._open(rows)
            else:
                self._follow(rows)
        return self.roles

    def _open(self, rows: Ints) -> None:
        roles, strand = self.roles, self._tree.strand[rows]
        roles.kind[rows] = Kind.ORIGINAL
        roles.root[rows] = rows
        roles.platform[rows] = draw(self._rng, self._platforms[strand])
        roles.language[rows] = draw(self._rng, self._languages[strand])
        roles.pool[rows] = self.pools[strand]
        for row in rows[self._tree.moment[rows] >= 0]:
            moment = self._scenario.strands[self._tree.strand[row]].moments[self._tree.moment[row]]
            roles.platform[row] = CODES[moment.platform]
            roles.language[row] = self.names.languages.index(moment.language)
            roles.pool[row] = self.names.pools.index(moment.pool)
        roles.tag[rows] = self._tags(roles.pool[rows])

    def _tags(self, pools: Ints) -> Ints:
        first = [pool.split("/")[0] for pool in self.names.pools]
        known = [TAGS.index(ANSWER_TAGS[code] if word == "answer" else word) for code, word in enumerate(first)]
        return np.array(known)[pools]

    def _follow(self, rows: Ints) -> None:
        roles = self.roles
        parent = self._tree.parent[rows]
        source = np.where(roles.kind[parent] == Kind.REPOST, roles.anchor[parent], parent)
        kind = self._kinds(source)
        moved = (kind == Kind.REWORD) | (kind == Kind.COPY)
        answers = (kind == Kind.REPLY) | (kind == Kind.QUOTE)
        deep = (kind == Kind.REPLY) & (roles.depth[source] >= DEPTH)
        source = np.where(deep, roles.anchor[source], source)
        roles.kind[rows] = kind
        roles.anchor[rows] = np.where(kind == Kind.REWORD, -1, source)
        roles.root[rows] = np.where(kind == Kind.REPLY, roles.root[source], rows)
        roles.depth[rows] = np.where(kind == Kind.REPLY, roles.depth[source] + 1, 0)
        roles.platform[rows] = self._where(source, moved)
        roles.language[rows] = self._spoken(rows, source, kind)
        pool = np.where(kind == Kind.REWORD, self.pools[self._tree.strand[rows]], roles.pool[source])
        roles.pool[rows] = np.where(answers, self._answers(rows, source), pool)
        roles.tag[rows] = self._tags(roles.pool[rows])

    def _kinds(self, source: Ints) -> Ints:
        weights = self._spread[self.roles.platform[source]].copy()
        answer = (self.roles.kind[source] == Kind.REPLY) | (self.roles.kind[source] == Kind.QUOTE)
        weights[answer, 0:2] = 0
        weights[answer, 2] *= 0.3
        return draw(self._rng, weights) + 1

    def _where(self, source: Ints, moved: NDArray[np.bool_]) -> Ints:
        """The parent's platform, or for what is worded anew any; a wire item lives on elsewhere."""
        same = self.roles.platform[source]
        weights = np.tile(shares({}, self._scenario.platforms, list(CODES)), (len(source), 1))
        weights[:, WIRE] *= 0.2
        anew = moved & ((same == WIRE) | (self._rng.random(len(source)) < MOVES))
        return np.where(anew, draw(self._rng, weights), same)

    def _spoken(self, rows: Ints, source: Ints, kind: Ints) -> Ints:
        same = self.roles.language[source]
        other = draw(self._rng, self._languages[self._tree.strand[rows]])
        chance = np.array([0.0, 0.35, 0.0, 0.0, 0.15, 0.25])[kind]
        return np.where(self._rng.random(len(rows)) < chance, other, same)

    def _answers(self, rows: Ints, source: Ints) -> Ints:
        """Pools of answers to `source`, by its tag and the doubt of the hour."""
        doubt = np.interp(self._tree.hour[rows], *np.array(self._scenario.doubt).T)[:, None]
        strand = self._tree.strand[rows]
        under = np.where(self._told[strand], self.roles.tag[source], TAGS.index("other"))
        under = np.where(self._aside[strand], _ASIDE, under)
        weights = np.clip(_CALM[under] + doubt * _DOUBT[under], 0, None)
        weights[:, ANSWERS.index("cheer")] *= self._scenario.cheers
        return draw(self._rng, weights)


def origins(tree: Tree, roles: Roles) -> Ints:
    """Which post's words each post carries: itself, or for reposts and copies the first of their chain."""
    origin = np.arange(len(roles.kind))
    repeats = (roles.kind == Kind.REPOST) | (roles.kind == Kind.COPY)
    for generation in range(1, int(tree.generation.max(initial=0)) + 1):
        rows = np.flatnonzero((tree.generation == generation) & repeats)
        origin[rows] = origin[roles.anchor[rows]]
    return origin


def thin(tree: Tree, roles: Roles, limit: int, pools: Ints) -> None:
    """Turns all but the first `limit` reposts and copies of one original into rewordings, in place; `pools` by strand.

    So a widely shared post is soon told in many words, and no single text fills the stream.
    """
    origin = origins(tree, roles)
    repeats = np.flatnonzero(origin != np.arange(len(origin)))
    repeats = repeats[np.lexsort((tree.hour[repeats], origin[repeats]))]
    rank = np.arange(len(repeats)) - np.searchsorted(origin[repeats], origin[repeats])
    told = np.isin(roles.kind[origin[repeats]], (Kind.ORIGINAL, Kind.REWORD))
    excess = repeats[(rank >= limit) & told]
    roles.kind[excess] = Kind.REWORD
    roles.anchor[excess] = -1
    roles.pool[excess] = pools[tree.strand[excess]]
