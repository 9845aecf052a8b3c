"""Which keys are louder than normal: the spikes of many series at once, a minute at a time, at an announced rate.

A spike begins with a minute after which the key's score (monitor/judge/scan.py) reaches its bar, the last ten minutes
hold no handful, and a span that is improbable enough holds `ratio` times what it should. The bar is derived from the
largest score of each of the key's own hours and the announced rate (monitor/judge/announced.py). A spike ends when
ten minutes held less than half-way between normal and that ratio for five minutes on end. What a spike brings is not
learned as normal, for a day at most.
"""

from collections.abc import Iterator
from typing import NamedTuple, Self

import msgspec
import numpy as np
import numpy.typing as npt

from monitor.judge.announced import Announced
from monitor.judge.scan import DAY, HOUR, Looks, Scan

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

STEP = 60
"""Seconds of a bin."""
CALM = 5
"""Minutes below half-way between normal and the ratio that end a spike."""
UNSEASONED = 2 * DAY
"""Seconds of history from which scores are learned: before, every morning is a surprise."""
LEAST = 1.0
"""No lower score is a spike, however often alarms may be false or silent a key was."""
EVERY = 6
"""Half hours after which bars are derived anew."""


class Asked(NamedTuple):
    """What makes a spike of each key, arrays (keys,)."""

    fewest: Ints
    """Posts in ten minutes without which nothing is one."""
    ratio: Floats
    score: Floats
    """Asked for until the key's own past rules."""
    warm_up: Ints
    """Seconds of history."""
    per_day: Floats
    """The announced rate."""


class Turn(NamedTuple):
    """A spike began or ended."""

    at: int
    begins: bool
    posts: int
    """In the last ten minutes."""
    expected: float
    score: float


class Found(NamedTuple):
    """A key's spike began or ended."""

    key: int
    turn: Turn
    counts: Floats
    """What every key counted in the last ten minutes."""


class Reading(NamedTuple):
    """Where a key stood at the end of the last whole minute."""

    posts: int
    expected: float
    score: float
    warm: bool
    spiking: bool


class Spikes:
    """The spikes of some keys."""

    def __init__(self, asked: Asked) -> None:
        keys = asked.fewest.size
        self._asked = asked
        self._scan = Scan(STEP, keys)
        self._announced = Announced(HOUR, keys, asked.per_day)
        self._since, self._calm = np.zeros(keys, np.int64), np.zeros(keys, np.int64)
        """When its spike began, 0: none goes on; and minutes for which it is low."""
        self.warm_at = np.zeros(keys, np.int64)
        """From when on each has a normal level; 0: it is warming up."""
        self._peak, self._watched = np.zeros(keys), np.zeros(keys)
        """The largest score of this hour, and seconds of it from which is learned."""
        self._last = np.zeros((4, keys))
        """Count, expectation, score and warmth."""

    def follow(self, asked: Asked) -> None:
        """This is asked from now on."""
        self._asked = asked
        self._announced.announce(asked.per_day)
        self._announced.derive()

    @property
    def spiking(self) -> Flags:
        """Whose spike goes on."""
        return self._since > 0

    def run(self, first: int, posts: Ints, known: Flags) -> Iterator[Found]:
        """What begins and ends in the minutes from number `first` on, (minutes, keys); later than any before.

        A minute's number is its end, in minutes since 1970. What is not `known` is no zero.
        """
        lag, done = self._scan.lag, 0
        while done < posts.shape[0]:
            begin = first + done
            end = min(done + lag - (begin - 1) % lag, posts.shape[0])
            self._begin((begin - 1) // lag)
            yield from self._minutes(begin, self._scan.take(begin, posts[done:end], known[done:end]))
            done = end

    def mask(self, since: float, until: float) -> None:
        """What was counted between two times (seconds) is unknown, as it turns out."""
        self._scan.mask(since, until)

    def _begin(self, chunk: int) -> None:
        """A half hour begins: where an hour is over, it is learned."""
        last = int(self._scan.chunk[0])
        if chunk == last:
            return
        if chunk // 2 != last // 2:
            if self._watched.any():
                self._announced.learn((last // 2 + 1) * HOUR, self._peak, self._watched > 0, self._watched)
            self._peak[:] = self._watched[:] = 0
        if chunk % EVERY == 0 or chunk - last > 1:
            self._announced.derive()

    def _minutes(self, first: int, looks: Looks) -> list[Found]:
        asked, ten = self._asked, self._scan.ten
        warm = (looks.history >= np.maximum(asked.warm_up, HOUR)) & looks.known
        if not self.warm_at.all():
            now = (self.warm_at == 0) & warm.any(axis=0)
            self.warm_at[now] = (first + warm.argmax(axis=0)[now]) * STEP
        self._learn(looks, warm)
        counts, means = looks.sums[ten], looks.means[ten]
        near = warm & (looks.score >= self._bar())
        self._last = np.array([counts[-1], means[-1], looks.score[-1], warm[-1]])
        concerned = (self._since > 0) | near.any(axis=0)
        if not concerned.any():
            return []
        near &= (counts >= asked.fewest) & (counts >= asked.ratio * means)
        low = (counts < (1 + asked.ratio) / 2 * means) & looks.known
        held = np.zeros(near.shape, np.bool_)
        turns: list[Found] = []
        for key in np.flatnonzero(concerned).tolist():
            for row, begins in self._turns(key, first, near[:, key].tolist(), low[:, key].tolist(), held[:, key]):
                score = float(looks.score[row, key]) if begins else 0.0
                count, mean = int(counts[row, key]), round(float(means[row, key]), 4)
                turns.append(Found(key, Turn((first + row) * STEP, begins, count, mean, score), counts[row]))
        self._scan.hold(first, held)
        return sorted(turns, key=lambda found: (found.turn.at, found.key))

    def _learn(self, looks: Looks, warm: Flags) -> None:
        """Of this half hour."""
        used = warm & (looks.history >= UNSEASONED)
        self._peak = np.maximum(self._peak, np.where(used, looks.score, 0).max(axis=0))
        self._watched += used.sum(axis=0) * STEP

    def _bar(self) -> Floats:
        """The score that a spike of each key has to reach."""
        least = np.where(self._announced.known, LEAST, np.maximum(self._asked.score, LEAST))
        bar: Floats = np.maximum(self._announced.threshold, least).astype(np.float64)
        return np.round(bar, 4)

    def _turns(
        self, key: int, first: int, near: list[bool], low: list[bool], held: Flags
    ) -> Iterator[tuple[int, bool]]:
        """The rows at which a key's spike begins, or ends; marks those in between as `held`."""
        since, calm = int(self._since[key]), int(self._calm[key])
        for row, (high, quiet) in enumerate(zip(near, low, strict=True)):
            at = (first + row) * STEP
            if since:
                calm = calm + 1 if quiet else 0
                if calm >= CALM:
                    since = calm = 0
                    yield row, False
            elif high:
                since = at
                yield row, True
            held[row] = bool(since) and at - since < DAY
        self._since[key], self._calm[key] = since, calm

    def reading(self, key: int) -> Reading:
        """Where a key stands."""
        count, mean, score, warm = self._last[:, key].tolist()
        return Reading(int(count), round(mean, 4), round(score, 4), bool(warm), bool(self._since[key]))

    def save(self, keys: slice) -> bytes:
        """The state of some keys."""
        return msgspec.msgpack.encode([array[..., keys].tobytes() for array in self.arrays()])

    def load(self, keys: slice, row: bytes) -> None:
        """Takes up what `save` gave."""
        for array, kept in zip(self.arrays(), msgspec.msgpack.decode(row, type=list[bytes]), strict=True):
            part = array[..., keys]
            part[:] = np.frombuffer(kept, array.dtype).reshape(part.shape)
        self._scan.changed()

    def moved(self, asked: Asked, places: Ints) -> Self:
        """The spikes of other keys, of which those at `places` ≥ 0 go on."""
        found = type(self)(asked)
        stay = np.flatnonzero(places >= 0)
        for new, old in zip(found.arrays(), self.arrays(), strict=True):
            new[..., stay] = old[..., places[stay]]
        found.clock = self.clock
        found.follow(asked)
        return found

    @property
    def clock(self) -> tuple[int, int]:
        """How far all keys are: the half hour that goes on, and when the last one that was learned ended."""
        return int(self._scan.chunk[0]), int(self._announced.at[0])

    @clock.setter
    def clock(self, clock: tuple[int, int]) -> None:
        self._scan.chunk[0], self._announced.at[0] = clock
        self._scan.changed()

    def arrays(self) -> tuple[npt.NDArray[np.generic], ...]:
        """The state of all keys; keys are the last axis."""
        own = (self._since, self._calm, self.warm_at, self._peak, self._watched, self._last)
        return (*self._scan.arrays(), *self._announced.arrays(), *own)
