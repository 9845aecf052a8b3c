"""Self-exciting streams in which claims and denials run at the same rate, or one faster; for the race's figures."""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from monitor.judge.contest import LULL, Course, overtaking
from monitor.judge.crowd import Spoken
from monitor.judge.dispersion import Clumps, Lines, level, over_threads
from monitor.judge.epoch import Epoch, Everywhere, Sides, p0_at_ticks
from monitor.judge.race import log_e, log_e_bound
from monitor.judge.rates import Rates
from monitor.judge.tally import COLUMNS, Peak, Tally, Told
from monitor.watched import Rules

Flags = npt.NDArray[np.bool_]
Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

DELAY = 30.0
"""A child comes this many times the time between two roots after its parent, on average."""
BURN = 300.0
"""Time before the race starts: cascades are under way."""


class Stream(NamedTuple):
    """Originals in order of time: whether they claim, and the root of their cascade."""

    claim: Flags
    root: Ints


def streams(
    rng: np.random.Generator, runs: int, size: int, branching: float, reworded: float, *, share: float = 0.5
) -> list[Stream]:
    """A `share` of claims among roots: equal sides where none is given.

    Roots come at an even rate; each post has Poisson(`branching`) children of its own side, later.

    Copies are recognised but for a share `reworded` of the children, which pass for originals. The race starts after
    the tag-blind spike: cascades begun before it go on.
    """
    span = size / (1 + reworded * branching / (1 - branching)) * 1.35 + 80 + BURN
    roots = rng.poisson(span, runs)
    run = np.repeat(np.arange(runs), roots)
    now = (run, rng.random(run.size) * span, np.arange(run.size), rng.random(run.size) < share)
    parts = [now]
    while branching and now[0].size:
        children = rng.poisson(branching, now[0].size)
        run = np.repeat(now[0], children)
        time = np.repeat(now[1], children) + rng.exponential(DELAY, run.size)
        alive = time < span
        now = (run[alive], time[alive], np.repeat(now[2], children)[alive], np.repeat(now[3], children)[alive])
        shown = rng.random(now[0].size) < reworded
        parts.append((now[0][shown], now[1][shown], now[2][shown], now[3][shown]))
    run, time, root, side = (np.concatenate(column) for column in zip(*parts, strict=True))
    late = time >= BURN
    run, time, root, side = run[late], time[late], root[late], side[late]
    order = np.lexsort((time, run))
    ends = np.searchsorted(run[order], np.arange(1, runs))
    found = zip(np.split(side[order], ends), np.split(root[order], ends), strict=True)
    return [Stream(claim[:size], root[:size]) for claim, root in found]


def drawn(rng: np.random.Generator, rates: Rates) -> Floats:
    """One event's own rates: every cell anywhere in its interval."""
    rows = rng.uniform(rates.low, rates.high)
    return np.asarray(rows / rows.sum(axis=1, keepdims=True), np.float64)


class Seen(NamedTuple):
    """What the judge sees of a stream, original by original: the given tag, and a thread."""

    given: Ints
    thread: Ints


def tagged(rng: np.random.Generator, stream: Stream, rate: Floats, others: float) -> Seen:
    """A stream among posts on neither side (a share `others` of all), each tagged by `rate`."""
    size = stream.claim.size
    rest = round(size * others / (1 - others))
    true, thread = np.where(stream.claim, 0, 1), stream.root
    if rest:
        # celebrations, questions, others as 1 : 2 : 17
        kinds = rng.choice([2, 3, 4], rest, p=[0.05, 0.1, 0.85])
        place = np.sort(rng.integers(0, size + 1, rest))
        true = np.insert(true, place, kinds)
        thread = np.insert(thread, place, -1 - np.arange(rest))
    ends = np.cumsum(rate, axis=1)
    given = (rng.random(true.size)[:, None] > ends[true]).sum(axis=1)
    return Seen(np.minimum(given, 4), thread)


def alarm(seen: Seen, rates: Rates | None, alpha: float, *, linked: bool = True) -> tuple[int, int] | None:
    """At which original, and at which of those given as a side, log E is enough; as the judge reckons."""
    side = seen.given <= 1
    ticks = np.arange(seen.given.size)
    neither = (seen.given[:, None] == np.array([2, 3, 4])).astype(np.int64)
    p0 = p0_at_ticks(Epoch(0, 0), rates, Sides(ticks, neither, np.ones(ticks.size, np.int64))).p0[side]
    claim = seen.given[side] == 0
    claims, total = np.cumsum(claim), np.arange(1, claim.size + 1)
    if not total.size:
        return None
    thread = seen.thread[side] if linked else total
    lines = Lines(total - 1, claim, thread.astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15) >> np.uint64(20))
    needed = -np.log(alpha) * level(Clumps(), claims, total, lines)
    at = np.flatnonzero(log_e_bound(claims, total - claims, p0) >= needed)
    found = at[log_e(claims[at], (total - claims)[at], p0[at]) >= needed[at]]
    return (int(np.flatnonzero(side)[found[0]]) + 1, int(found[0]) + 1) if found.size else None


def stood_down(seen: Seen, rates: Rates | None, alpha: float, every: int = LULL) -> int | None:
    """At which original of those given as a side denials end a race that holds from the stream's beginning on.

    `every`: seconds between originals; by default such that no peak of the lead is too young, which is the worst case.
    """
    size = seen.given.size
    ticks = every * np.arange(1, size + 1)
    neither = (seen.given[:, None] == np.array([2, 3, 4])).astype(np.int64)
    levels = p0_at_ticks(Epoch(0, 0), rates, Sides(ticks, neither, np.ones(size, np.int64)))
    at = np.flatnonzero(seen.given <= 1)
    none, no = np.zeros(at.size, np.int64), np.zeros(at.size, np.bool_)
    counts = np.zeros((at.size, len(COLUMNS)), np.int64)
    counts[np.arange(at.size), seen.given[at]] = 1
    thread = seen.thread[at].astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15) >> np.uint64(20)
    place = np.arange(at.size)
    spoken = Spoken(place, seen.given[at] == 1, ~no, no, no, thread, none, none)
    tally, threshold = Tally(0), -float(np.log(alpha))
    tally.hold(Peak(), threshold, threshold)
    threads = over_threads(Clumps(), at.size, spoken.lines)
    course = Course(levels.at(ticks[at]), threads, Everywhere([], none[:0], none[:0]), Rules())
    told = Told("n", ticks[at], counts, counts.sum(axis=0).tolist(), spoken)
    over, _ = overtaking(tally, told, course, 0, threshold)
    return None if over is None else over.at + 1
