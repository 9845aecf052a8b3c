"""How far the sides of a race come in clumps: what is left of cascades after copies were counted once.

E assumes that every original takes its side for itself. Answers in one thread follow each other, and reworded reshares
look like originals, so log E is weighed against the variance of the sides divided by that of independent draws:

* over **threads**: Σ (claims of a thread - p · its originals)² / (n p (1-p)), the cluster-robust variance (Liang and
  Zeger 1986). It is exactly 1 while every original stands in a thread of its own, so it costs an honest race nothing.
  Threads are hashed into a fixed number of cells; two that share a cell add noise and no bias.
* over **blocks** of 20, 40, 80, … originals in order of time (batch means), for what clumps without being linked; only
  as far as it stands above its own noise.
"""

import msgspec
import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

CELLS = 512
BLOCK = 20
SCALES = 12
FEWEST = 4
"""Blocks of a size before it is asked."""
WEIGHT = 2.0
"""What the excess over threads counts: threads go on growing after they were counted."""


class Block(msgspec.Struct, array_like=True):
    """Blocks of one size: how many closed, Σ claims²/originals over them, and the totals at the end of the last."""

    closed: int = 0
    squares: float = 0.0
    claims: int = 0
    total: int = 0


class Clumps(msgspec.Struct, array_like=True):
    """What is known of the clumping of one race's originals."""

    blocks: list[Block] = msgspec.field(default_factory=lambda: [Block() for _ in range(SCALES)])
    cells: bytes = b""
    """(2, CELLS) int32: claims and originals of the threads; empty before the first."""
    sums: list[int] = msgspec.field(default_factory=lambda: [0, 0, 0, 0, 0])
    """Over cells: Σ claims², Σ claims · originals, Σ originals², Σ claims, Σ originals."""


class Lines(msgspec.Struct, frozen=True):
    """Originals that take a side, each at an index of ticks (ascending), with its thread's hash."""

    at: Ints
    claim: npt.NDArray[np.bool_]
    thread: npt.NDArray[np.uint64]


def level(clumps: Clumps, claims: Ints, total: Ints, lines: Lines | None) -> Floats:
    """The variance of the sides against independent draws, at least 1, at each tick; `clumps` goes on with them.

    `claims` and `total` are running totals of originals since the race's start. Does not depend on how ticks were cut
    into calls, nor on the order within a tick.
    """
    return highest(over_blocks(clumps, claims, total), over_threads(clumps, total.size, lines))


def highest(*estimates: Floats | float) -> Floats:
    """What originals weigh by several estimates."""
    return np.asarray(np.round(np.maximum.reduce(np.broadcast_arrays(*estimates)), 6), np.float64)


def over_blocks(clumps: Clumps, claims: Ints, total: Ints) -> Floats:
    """The estimate over blocks of all sizes at each tick; they go on."""
    found = np.ones(total.size)
    for scale, block in enumerate(clumps.blocks):
        size = BLOCK << scale
        if total[-1] // size > block.total // size:
            found = np.maximum(found, _over_blocks(block, size, claims, total))
        elif block.closed >= FEWEST:
            found = np.maximum(found, _excess(*_last(block)))
    return found


def _over_blocks(block: Block, size: int, claims: Ints, total: Ints) -> Floats:
    """The estimate over blocks of one size at each tick; a block closes with the first tick past a multiple of it."""
    prior = np.append([block.total], total[:-1])
    closes = np.flatnonzero(total // size > prior // size)
    a = np.append([block.claims], claims[closes])
    n = np.append([block.total], total[closes])
    squares = np.cumsum(np.append([block.squares], np.diff(a) ** 2 / np.maximum(np.diff(n), 1)))
    closed = block.closed + np.arange(n.size)
    block.closed, block.squares = int(closed[-1]), float(squares[-1])
    block.claims, block.total = int(a[-1]), int(n[-1])
    at = np.searchsorted(closes, np.arange(total.size), side="right")
    return _excess(closed, squares, a, n)[at]


def _last(block: Block) -> tuple[Ints, Floats, Ints, Ints]:
    counts = (np.array([value]) for value in (block.closed, block.claims, block.total))
    closed, claims, total = counts
    return closed, np.array([block.squares]), claims, total


def _excess(closed: Ints, squares: Floats, claims: Ints, total: Ints) -> Floats:
    """Pearson's χ² per block less its own standard deviation, at least 1."""
    share = (claims + 0.5) / (total + 1)
    chi = (squares - claims**2 / np.maximum(total, 1)) / (share * (1 - share))
    free = np.maximum(closed - 1, 1)
    return np.where(closed >= FEWEST, np.maximum(chi / free - np.sqrt(2 / free), 1.0), 1.0)


def over_threads(clumps: Clumps, ticks: int, lines: Lines | None) -> Floats:
    """The estimate over threads at each tick; their cells go on."""
    sums = np.tile(np.array(clumps.sums, np.int64), (ticks, 1))
    if lines is not None and lines.at.size:
        cells = np.frombuffer(clumps.cells or bytes(8 * CELLS), np.int32).reshape(2, CELLS).astype(np.int64)
        cell, side = (lines.thread % np.uint64(CELLS)).astype(np.int64), lines.claim.astype(np.int64)
        before, members = _before(cells, cell, side)
        more = (2 * before * side + side, before + members * side + side, 2 * members + 1, side, np.ones_like(side))
        steps = np.stack([np.bincount(lines.at, part, ticks) for part in more], axis=1).astype(np.int64)
        sums = sums + np.cumsum(steps, axis=0)
        cells += np.stack(
            [np.bincount(cell[part], minlength=CELLS) for part in (lines.claim, np.ones_like(lines.claim))]
        )
        clumps.cells, clumps.sums = cells.astype(np.int32).tobytes(), sums[-1].tolist()
    squares, mixed, sizes, claims, total = sums.T.astype(np.float64)
    share = (claims + 0.5) / (total + 1)
    spread = squares - 2 * share * mixed + share**2 * sizes
    found = spread / np.maximum(total * share * (1 - share), 1e-9)
    return np.where(total > 0, 1 + WEIGHT * np.maximum(found - 1, 0), 1.0)


def _before(cells: Ints, cell: Ints, side: Ints) -> tuple[Ints, Ints]:
    """Claims and originals in the cell of each line before it."""
    order = np.argsort(cell, kind="stable")
    place, said = cell[order], side[order]
    first = np.append([True], np.diff(place) != 0)
    start = np.maximum.accumulate(np.where(first, np.arange(place.size), 0))
    earlier = np.cumsum(said) - said
    claims, members = np.empty_like(cell), np.empty_like(cell)
    claims[order] = earlier - earlier[start] + cells[0, place]
    members[order] = np.arange(place.size) - start + cells[1, place]
    return claims, members
