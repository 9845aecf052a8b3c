"""The spikes of every measure of every event: what ticks say becomes counts of minutes, and those are judged at once.

Measures are counts of an event as a whole: tag-blind ones – posts, originals, authors, reposts – and those of a tag:
claims, denials, celebrations and questions. An event's minutes begin with its first post.
"""

from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import NamedTuple

import msgspec
import numpy as np
import numpy.typing as npt

from monitor.judge.given import Given
from monitor.judge.quiet import Gap
from monitor.judge.scan import DAY
from monitor.judge.spike import STEP, Asked, Found, Reading, Spikes, Turn
from monitor.watched import Measure, Rules

Ints = npt.NDArray[np.int64]

MEASURES = tuple(Measure)
WIDTH = len(MEASURES)
FEWEST = 10
"""Posts in ten minutes without which nothing is a spike;"""
FEWEST_QUESTIONS = 5
"""… and questions."""
IDLE = 30 * DAY
"""Seconds without a post of any event after which time is unknown: a clock that jumped, a monitor that did not run."""


class Turned(NamedTuple):
    """A measure began or ceased to spike."""

    turn: Turn
    measure: Measure
    counts: dict[str, float]
    """Measure → what it counted in the ten minutes before."""


class Measured(NamedTuple):
    """What a call did to one event's measures."""

    spiking: frozenset[Measure]
    """Those that spiked when it began."""
    turned: list[Turned]
    warm: int | None
    """The second from which posts have a normal level, as known after it; None: warming up."""


class Measures:
    """The measures of all events; judges of the same counts may share them."""

    def __init__(self, rules: Mapping[str, Rules]) -> None:
        self._names = sorted(rules)
        self._spikes = Spikes(_asked([rules[name] for name in self._names]))
        self._minute: int | None = None
        """The last one that was judged."""
        self._open = np.zeros(WIDTH * len(self._names), np.int64)
        """What was counted of the minute that is not over."""
        self._begun = np.zeros(len(self._names), np.bool_)
        self._taken: tuple[Mapping[str, Given], dict[str, Measured]] | None = None
        """The last call."""
        self._changed: set[str] = set()

    def follow(self, rules: Mapping[str, Rules]) -> None:
        """These events are watched from now on, under these rules; those that stay go on."""
        names = sorted(rules)
        asked = _asked([rules[name] for name in names])
        if names == self._names:
            self._spikes.follow(asked)
            return
        stay = np.array([self._names.index(name) if name in self._names else -1 for name in names], np.int64)
        places = np.where(stay[:, None] >= 0, stay[:, None] * WIDTH + np.arange(WIDTH), -1).ravel()
        self._spikes = self._spikes.moved(asked, places)
        self._open = np.where(places >= 0, np.append(self._open, [0])[places], 0)
        self._begun = (stay >= 0) & np.append(self._begun, [False])[stay]
        self._names, self._taken = names, None
        self._changed = set(names)

    def take(self, span: tuple[int, int], given: Mapping[str, Given], gaps: Sequence[Gap]) -> dict[str, Measured]:
        """What the seconds after `span[0]` up to `span[1]` do to each event; a gap masks from when it is known."""
        if self._taken is None or self._taken[0] is not given:
            before = {name: self._active(number) for number, name in enumerate(self._names)}
            turned: dict[str, list[Turned]] = {name: [] for name in self._names}
            for found in self._run(span, given, gaps):
                number, place = divmod(found.key, WIDTH)
                own = found.counts[number * WIDTH : (number + 1) * WIDTH].tolist()
                counts = {measure.value: count for measure, count in zip(MEASURES, own, strict=True)}
                turned[self._names[number]].append(Turned(found.turn, MEASURES[place], counts))
            warm = self._spikes.warm_at[::WIDTH].tolist()
            self._taken = (
                given,
                {
                    name: Measured(before[name], turned[name], warm[number] or None)
                    for number, name in enumerate(self._names)
                },
            )
        return self._taken[1]

    def _active(self, number: int) -> frozenset[Measure]:
        spiking = self._spikes.spiking[number * WIDTH : (number + 1) * WIDTH]
        return frozenset(measure for measure, one in zip(MEASURES, spiking.tolist(), strict=True) if one)

    def _run(self, span: tuple[int, int], given: Mapping[str, Given], gaps: Sequence[Gap]) -> Iterator[Found]:
        at, end = span
        for gap in [*sorted(one for one in gaps if not one.partial), None]:
            stop = end if gap is None else gap.known - 1
            for begin, until in self._stretches(at, stop, given):
                yield from self._minutes(begin, until, given)
            at = max(at, stop)
            if gap is not None:
                self._spikes.mask(gap.since, gap.until)
                self._changed |= set(self._names)

    def _stretches(self, begin: int, end: int, given: Mapping[str, Given]) -> Iterator[tuple[int, int]]:
        """Days of the time between two seconds; a month in which nobody says anything ends after its first day."""
        if end - begin <= DAY:
            yield from [(begin, end)] if end > begin else []
            return
        ticks = [given[name].whole_ticks for name in self._names if name in given]
        every = np.unique(np.concatenate([np.zeros(0, np.int64), *ticks]))
        edges = [begin, *every[(every > begin) & (every < end)].tolist(), end]
        idle = [(before + DAY, after - DAY) for before, after in pairwise(edges) if after - before > IDLE]
        bounds = [begin, *(edge for pair in idle for edge in pair), end]
        for start, stop in zip(bounds[::2], bounds[1::2], strict=True):
            for at in range(start, stop, DAY):
                yield at, min(at + DAY, stop)

    def _minutes(self, begin: int, end: int, given: Mapping[str, Given]) -> Iterator[Found]:
        """Judges the minutes that end in these seconds; keeps what the last one has so far."""
        first, after = begin // STEP + 1, end // STEP + 1
        posts = np.zeros((after - first + 1, self._open.size), np.int64)
        if self._minute is None or self._minute == first - 1:
            posts[0] = self._open
        for number, name in enumerate(self._names):
            ticks, counts = given[name].measured(begin, end)
            if ticks.size:
                np.add.at(posts[:, number * WIDTH : (number + 1) * WIDTH], (ticks - 1) // STEP + 1 - first, counts)
                self._changed.add(name)
        self._open = posts[-1].copy()
        if after == first:
            return
        self._minute = after - 1
        self._changed |= set(self._names)
        heard = np.logical_or.accumulate(posts[:-1, ::WIDTH] > 0, axis=0) | self._begun
        self._begun = heard[-1]
        yield from self._spikes.run(first, posts[:-1], np.repeat(heard, WIDTH, axis=1))

    def reading(self, name: str, measure: Measure) -> Reading:
        """Where a measure of an event stood at the end of the last whole minute."""
        return self._spikes.reading(self._names.index(name) * WIDTH + MEASURES.index(measure))

    def snapshot(self) -> dict[str, bytes]:
        """The rows that changed: that of all events under "", each event's under its name."""
        found = {"": msgspec.msgpack.encode((self._minute, self._spikes.clock))}
        for name in sorted(self._changed):
            keys = self._keys(name)
            begun = bool(self._begun[self._names.index(name)])
            found[name] = msgspec.msgpack.encode((begun, self._open[keys].tobytes(), self._spikes.save(keys)))
        self._changed.clear()
        return found

    def restore(self, rows: Mapping[str, bytes]) -> None:
        """Takes up rows of `snapshot`."""
        if rows.get(""):
            self._minute, self._spikes.clock = msgspec.msgpack.decode(rows[""], type=tuple[int | None, tuple[int, int]])
        for name in self._names:
            if row := rows.get(name):
                keys = self._keys(name)
                begun, counted, spikes = msgspec.msgpack.decode(row, type=tuple[bool, bytes, bytes])
                self._begun[self._names.index(name)] = begun
                self._open[keys] = np.frombuffer(counted, np.int64)
                self._spikes.load(keys, spikes)

    def _keys(self, name: str) -> slice:
        number = self._names.index(name)
        return slice(number * WIDTH, (number + 1) * WIDTH)


def asked_of_measures(rules: Rules) -> tuple[object, ...]:
    """All that measures and their spikes depend on: where it is equal, they are."""
    return rules.spike_ratio, rules.spike_score, rules.warm_up, rules.minimum_celebrations, rules.false_alarms_per_day


def _asked(rules: Sequence[Rules]) -> Asked:
    def each(of: Sequence[float]) -> npt.NDArray[np.float64]:
        return np.repeat(np.array(of, np.float64), WIDTH)

    fewest = [_fewest(one, measure) for one in rules for measure in MEASURES]
    return Asked(
        fewest=np.array(fewest, np.int64),
        ratio=each([one.spike_ratio for one in rules]),
        score=each([one.spike_score for one in rules]),
        warm_up=each([one.warm_up.total_seconds() for one in rules]).astype(np.int64),
        per_day=each([one.false_alarms_per_day for one in rules]),
    )


def _fewest(rules: Rules, measure: Measure) -> int:
    if measure is Measure.CELEBRATIONS:
        return rules.minimum_celebrations
    return FEWEST_QUESTIONS if measure is Measure.QUESTIONS else FEWEST
