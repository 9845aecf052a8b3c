"""Is an event louder than normal? A count over the trailing ten minutes against its baseline, blind to tags.

A spike begins at a tick with posts when the count stands `spike_ratio` times above its expectation, is no handful, and
is improbable enough: its score (-log10 of the negative binomial tail, unbounded) reaches the bar that its own past and
the announced rate set. It ends when the count was below half-way between normal and that ratio for five minutes on
end. Ends are found at the exact second, also when no post arrives then.
"""

from collections.abc import Iterator
from itertools import pairwise
from typing import NamedTuple, Self

import msgspec
import numpy as np
import numpy.typing as npt

from monitor.judge.bar import LEAST, STEP, Bar
from monitor.judge.baseline import LEAST_LEVEL, LENGTH, PER_DAY, TRAILING, Baseline, Interval, Level
from monitor.judge.tails import log_nbinom_tail
from monitor.watched import Rules

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

SPAN = TRAILING * LENGTH
"""Seconds that are counted."""
FEWEST = 10
"""Posts in ten minutes without which nothing is a spike."""
CALM = 300
"""Seconds below half-way between normal and the ratio that end a spike."""
_OPEN = 1 << 40
_PIECE = 8_192
_REMEMBERED = 9 * PER_DAY * LENGTH


class Turn(NamedTuple):
    """A spike began or ended."""

    at: int
    begins: bool
    posts: int
    expected: float
    score: float


class Reading(NamedTuple):
    """Where an event stands at a second."""

    posts: int
    expected: float
    score: float
    warm: bool
    spiking: bool


class _Saved(msgspec.Struct, array_like=True):
    ticks: bytes
    posts: bytes
    since: int | None
    calm: int | None
    past: list[tuple[int, int]]
    bar: bytes = b""


class Spikes:
    """The spikes of one count of one event."""

    def __init__(self, rules: Rules, baseline: Baseline, fewest: int = FEWEST) -> None:
        """`fewest`: what has to be counted in ten minutes, else nothing is a spike."""
        self._rules = rules
        self._fewest = fewest
        self.baseline = baseline
        self._bar = Bar(rules)
        self._passed = 0
        """Ticks of those held that the bar has taken in."""
        self._hold(np.zeros(0, np.int64), np.zeros(0, np.int64))
        self._since: int | None = None
        self._calm: int | None = None
        self._past: list[Interval] = []

    def follow(self, rules: Rules, fewest: int = FEWEST) -> None:
        """These rules hold from now on."""
        self._rules, self._fewest = rules, fewest
        self._bar.follow(rules)

    def waits(self, end: int) -> bool:
        """Whether seconds up to `end` change something though no post arrives in them."""
        return self.spiking or (self._bar.due is not None and self._bar.due <= end)

    @property
    def spiking(self) -> bool:
        """Whether a spike goes on."""
        return self._since is not None

    def run(self, begin: int, end: int, ticks: Ints, posts: Ints) -> list[Turn]:
        """Turns in the seconds after `begin` up to `end`, given the posts at ticks between."""
        self._passed = self._ticks.size
        self._hold(np.append(self._ticks, ticks), np.append(self._posts, posts))
        turns: list[Turn] = []
        at = begin
        while True:
            turn = self._end(at, end) if self.spiking else self._onset(at, ticks)
            self._pass(end if turn is None else turn.at)
            if turn is None:
                break
            at = turn.at
            self._turn(turn)
            turns.append(turn)
        kept = int(np.searchsorted(self._ticks, end - SPAN, side="right"))
        self._hold(self._ticks[kept:], self._posts[kept:])
        return turns

    def _hold(self, ticks: Ints, posts: Ints) -> None:
        self._ticks, self._posts = ticks, posts
        self._sum = np.append([0], np.cumsum(posts))

    def reading(self, at: int) -> Reading:
        """Count, expectation and score at a second up to which `run` has come."""
        times = np.array([at])
        level = self._level(times)
        count = int(self._count(times)[0])
        score = _score(np.array([float(max(count, 1))]), level.mean, level.size)
        return Reading(
            count, round(float(level.mean[0]), 4), round(float(score[0]), 4), bool(level.warm[0]), self.spiking
        )

    def _turn(self, turn: Turn) -> None:
        if turn.begins:
            self._since, self._calm = turn.at, None
        elif self._since is not None:
            past = [spike for spike in self._past if spike.until > turn.at - _REMEMBERED]
            self._past = [*past, Interval(self._since, turn.at)]
            self._since = self._calm = None

    def _onset(self, begin: int, ticks: Ints) -> Turn | None:
        later = ticks[np.searchsorted(ticks, begin, side="right") :]
        for times in _pieces(later):
            turn = self._rises(times)
            if turn is not None:
                return turn
        return None

    def _rises(self, times: Ints) -> Turn | None:
        """The first of the times at which a spike begins."""
        count = self._count(times)
        near = np.flatnonzero(count >= max(self._fewest, self._rules.spike_ratio * LEAST_LEVEL))
        if not near.size:
            return None
        times, count = times[near], count[near]
        level = self._level(times)
        at = np.flatnonzero(level.warm & (count >= self._rules.spike_ratio * level.mean))
        score = _score(count[at].astype(np.float64), level.mean[at], level.size[at])
        likely = np.flatnonzero(score >= LEAST)
        found = self._reaches(times[at[likely]], score[likely])
        if found is None:
            return None
        number = int(likely[found])
        k = int(at[number])
        return Turn(int(times[k]), True, int(count[k]), round(float(level.mean[k]), 4), float(score[number]))  # noqa: FBT003

    def _reaches(self, times: Ints, score: Floats) -> int | None:
        """The first of the scores that reaches the bar, which stays where it is within a bin."""
        edges = np.flatnonzero(np.diff((times - 1) // STEP)) + 1
        for start, stop in pairwise([0, *edges.tolist(), times.size] if times.size else []):
            self._pass(int(times[start]))
            found = np.flatnonzero(score[start:stop] >= self._bar.reach)
            if found.size:
                return int(start + found[0])
        return None

    def _pass(self, upto: int) -> None:
        """Lets the bar learn from what was counted up to a second."""
        passed, self._passed = self._passed, int(np.searchsorted(self._ticks, upto, side="right"))
        ticks = self._ticks[passed : self._passed]
        top = self._bar.gather(ticks, self._count(ticks), upto)
        if top.ticks.size:
            level = self._level(top.ticks)
            score = _score(np.maximum(top.counts, 1).astype(np.float64), level.mean, level.size)
            self._bar.learn(top, np.where(top.counts > level.mean, score, 0), level.warm, level.history)

    def _end(self, begin: int, end: int) -> Turn | None:
        """The first second at which the count had been low for long enough; keeps since when it is low."""
        pieces = list(_pieces(self._changes(begin, end)))
        for number, times in enumerate(pieces or [np.zeros(0, np.int64)]):
            calm = self._calms(times, end if number + 1 >= len(pieces) else int(times[-1]))
            if calm is not None:
                at = np.array([calm])
                now = self._level(at)
                return Turn(calm, False, int(self._count(at)[0]), round(float(now.mean[0]), 4), 0.0)  # noqa: FBT003
        return None

    def _changes(self, begin: int, end: int) -> Ints:
        """The seconds after `begin` up to `end` at which the count may change."""
        parts = (self._ticks, self._ticks + SPAN)
        within = [part[slice(*np.searchsorted(part, [begin, end], side="right").tolist())] for part in parts]
        times = np.sort(np.concatenate(within), kind="stable")
        return times[np.append([True], np.diff(times) > 0)] if times.size else times

    def _calms(self, times: Ints, known: int) -> int | None:
        """The second at which the count was low for long enough, up to `known`; else keeps since when it is low."""
        low = self._count(times) < (1 + self._rules.spike_ratio) / 2 * self._level(times).mean
        before = np.append([self._calm is not None], low)[:-1]
        starts = times[low & ~before].tolist()
        breaks = [*times[~low & before].tolist(), _OPEN]
        if self._calm is not None:
            starts = [self._calm, *starts]
        for start, stop in zip(starts, breaks, strict=False):
            if start + CALM < stop and start + CALM <= known:
                return int(start + CALM)
        if times.size:
            self._calm = starts[-1] if low[-1] else None
        return None

    def _count(self, times: Ints) -> Ints:
        """Posts in the ten minutes up to each time."""
        until = self._sum[np.searchsorted(self._ticks, times, side="right")]
        count: Ints = until - self._sum[np.searchsorted(self._ticks, times - SPAN, side="right")]
        return count

    def _level(self, times: Ints) -> Level:
        now = [] if self._since is None else [Interval(self._since, _OPEN)]
        return self.baseline.level(times, [*self._past, *now], self._rules.warm_up.total_seconds())

    def save(self) -> bytes:
        """The state as one row, without the baseline's."""
        past = [(spike.since, spike.until) for spike in self._past]
        return msgspec.msgpack.encode(
            _Saved(self._ticks.tobytes(), self._posts.tobytes(), self._since, self._calm, past, self._bar.save())
        )

    @classmethod
    def load(cls, row: bytes, rules: Rules, baseline: Baseline, fewest: int = FEWEST) -> Self:
        """The state of `save`."""
        saved = msgspec.msgpack.decode(row, type=_Saved)
        found = cls(rules, baseline, fewest)
        found._hold(np.frombuffer(saved.ticks, np.int64), np.frombuffer(saved.posts, np.int64))
        found._since, found._calm = saved.since, saved.calm
        found._past = [Interval(*spike) for spike in saved.past]
        found._bar = Bar.load(saved.bar, rules)
        return found


def _pieces(times: Ints) -> Iterator[Ints]:
    """Times in pieces: what is found early costs no look at what comes later."""
    return (times[at : at + _PIECE] for at in range(0, times.size, _PIECE))


def _score(count: Floats, mean: Floats, size: Floats) -> Floats:
    """The negative decimal logarithm of P(N >= count)."""
    score: Floats = np.round(-log_nbinom_tail(count, mean, size) / np.log(10), 6)
    return score
