"""One narrative's course over the ticks of a call: when its state changes, and when it has many claims at once."""

from collections.abc import Iterator
from math import ceil
from typing import NamedTuple

import msgspec
import numpy as np
import numpy.typing as npt

from monitor.judge.recent import Minutes, Recent
from monitor.judge.tally import CLAIM_AUTHORS, CLAIMS, DENIAL_AUTHORS, DENIALS, Told
from monitor.marks import StatusMark
from monitor.records import NarrativeState as State
from monitor.watched import Rules

Ints = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]

NORMAL, HIGH, UNKNOWN = 0, 1, 2
"""An event's level at a tick: at its normal one, above it, or no normal one is known yet: it is warming up."""
FEWEST = 3
"""Claims and denials within the span that make a narrative that had faded one to watch; denials that contest one."""
FADING = frozenset({State.WATCH, State.RISING, State.VIRAL_UNCONFIRMED, State.CONTESTED})
"""States of a narrative that fades when nobody speaks of it."""
_BEFORE_VIRAL = frozenset({State.TOO_SMALL, State.WATCH, State.RISING, State.FADED})
_BEFORE_CONTESTED = frozenset({State.WATCH, State.RISING, State.VIRAL_UNCONFIRMED})


class Course(msgspec.Struct, array_like=True):
    """What is kept of one narrative."""

    seen: int
    """The last tick at which it was claimed or denied."""
    originals: int = 0
    """Original claims and denials, an author once per side,"""
    authors: int = 0
    """… and the authors of claims and denials, reposts too."""
    minutes: Minutes = msgspec.field(default_factory=list)
    state: State = State.TOO_SMALL
    racing: bool = False
    """The finding `race` holds."""
    volume: int | None = None
    """Since when the finding `volume` holds."""
    mark: StatusMark | None = None
    """The last status that stands."""


class Limits(NamedTuple):
    """What the rules ask for."""

    originals: int
    authors: int
    volume: int
    span: int
    """Minutes."""
    quiet: int
    """Seconds."""

    @classmethod
    def of(cls, rules: Rules) -> "Limits":
        """From an event's rules."""
        span = max(ceil(rules.volume_span.total_seconds() / 60), 1)
        quiet = max(ceil(rules.quiet.total_seconds()), 1)
        return cls(rules.minimum_originals, rules.minimum_authors, rules.volume, span, quiet)

    @property
    def denials(self) -> int:
        """Denials within the span that contest a claim."""
        return max(FEWEST, ceil(self.originals / 2))


class Moment(NamedTuple):
    """Something that comes from elsewhere: a finding of the race, a spike's end, a status."""

    at: int
    what: str
    """RACES, RACED, CALM, SETTLES, UNSETTLES or MERGES."""
    reason: str


RACES, RACED, CALM, SETTLES, UNSETTLES, MERGES = "races", "raced", "calm", "settles", "unsettles", "merges"


_SAID = frozenset({"status_set", "merged"})
"""Why a race ends where a moment of the same second says what becomes of the state."""


class Step(NamedTuple):
    """The state changed, or the finding `volume` began or ceased to hold."""

    at: int
    reason: str
    claims: int
    denials: int
    originals: int
    before: State
    state: State
    volume: bool | None = None
    """It began, it ceased; None: the step is one of the state."""


class _Asked(NamedTuple):
    """A step, and at which ticks it may be made."""

    holds: Flags
    reason: str
    state: State
    volume: bool | None = None


class Trail:
    """A course, and what a call adds to it; `until` and `meets` are called in order of time."""

    def __init__(self, course: Course, told: Told | None, high: Ints, begin: int, limits: Limits) -> None:
        """`high`: at each tick of `told`, one of the levels below; `begin`: the second before the call."""
        self._course = course
        self._limits = limits
        self._now = begin
        self._at = 0
        counts = np.zeros((0, 0), np.int64) if told is None else told.counts
        none = np.zeros(0, np.int64)
        self._ticks = none if told is None else told.ticks
        claims, denials = (none, none) if told is None else (counts[:, CLAIMS], counts[:, DENIALS])
        authors = none if told is None else counts[:, CLAIM_AUTHORS] + counts[:, DENIAL_AUTHORS]
        self._originals = course.originals + np.cumsum(claims + denials)
        self._authors = course.authors + np.cumsum(authors)
        self._seen = np.append([course.seen], self._ticks)
        self._recent = Recent(course.minutes, self._ticks, claims, denials, limits.span)
        self._high = high

    def until(self, upto: int) -> Iterator[Step]:
        """What happens up to a second by ticks and by time alone."""
        stop = int(np.searchsorted(self._ticks, upto, side="right"))
        while True:
            tick, timer = self._by_tick(stop), self._by_time(upto)
            if tick is not None and (timer is None or tick.at <= timer.at):
                step = tick
            elif timer is not None:
                step = timer
                self._at = int(np.searchsorted(self._ticks, step.at, side="right"))
            else:
                break
            self._now = step.at
            yield self._done(step)
        self._now, self._at = upto, stop

    def meets(self, moment: Moment) -> Iterator[Step]:
        """What a moment from elsewhere does; `until` has come to its second."""
        course, state = self._course, self._course.state
        if moment.what == RACES:
            course.racing = True
            if state is not State.SETTLED:
                yield from self._pass(moment, State.VIRAL_UNCONFIRMED)
        elif moment.what == RACED:
            course.racing = False
            if moment.reason == "denials_overtook":
                yield from self._pass(moment, State.CONTESTED)
            elif state is State.VIRAL_UNCONFIRMED and course.volume is None and moment.reason not in _SAID:
                yield from self._pass(moment, State.WATCH)
        elif moment.what == CALM and state is State.RISING:
            yield from self._pass(moment, State.WATCH)
        elif moment.what in {SETTLES, MERGES}:
            yield from self._closes(moment, settles=moment.what == SETTLES)
        elif moment.what == UNSETTLES and state is State.SETTLED:
            yield from self._pass(moment, State.WATCH)

    def _closes(self, moment: Moment, *, settles: bool) -> Iterator[Step]:
        state = self._course.state
        if self._course.volume is not None:
            yield self._done(self._step(moment.at, "status_set" if settles else moment.reason, state, volume=False))
        if settles or state in FADING:
            yield from self._pass(moment, State.SETTLED if settles else State.FADED)

    def ends(self, end: int) -> None:
        """Leaves in the course what is to be kept after the call."""
        if self._ticks.size:
            self._course.seen = int(self._ticks[-1])
            self._course.originals, self._course.authors = int(self._originals[-1]), int(self._authors[-1])
        self._course.minutes = self._recent.minutes(end)

    def _pass(self, moment: Moment, state: State) -> Iterator[Step]:
        if state is not self._course.state:
            yield self._done(self._step(moment.at, moment.reason, state))

    def _done(self, step: Step) -> Step:
        if step.volume is None:
            self._course.state = step.state
        else:
            self._course.volume = step.at if step.volume else None
        return step

    def _by_tick(self, stop: int) -> Step | None:
        """The first step that a tick before index `stop` makes; at the same tick the state goes first."""
        if self._at >= stop:
            return None
        asked = [*self._states(slice(self._at, stop)), *self._volumes(slice(self._at, stop))]
        found = [(int(one.holds.argmax()), one) for one in asked if one.holds.any()]
        if not found:
            return None
        index, one = min(found, key=lambda pair: pair[0])
        self._at += index
        reason = self._named(self._at) if one.volume else one.reason
        return self._step(int(self._ticks[self._at]), reason, one.state, one.volume)

    def _states(self, here: slice) -> Iterator[_Asked]:
        """Where ticks change the state."""
        limits, state = self._limits, self._course.state
        claims, denials = self._recent.claims[here], self._recent.denials[here]
        if state is State.TOO_SMALL:
            large = (self._originals[here] >= limits.originals) & (self._authors[here] >= limits.authors)
            yield _Asked(large, "enough_originals", State.WATCH)
        elif state is State.FADED:
            yield _Asked(claims + denials >= FEWEST, "spoken_of_again", State.WATCH)
        elif state in _BEFORE_CONTESTED and not self._course.racing:
            many = (denials >= limits.denials) & (claims + denials >= limits.originals)
            yield _Asked(many & (2 * denials >= claims), "denials_keep_up", State.CONTESTED)
        elif state is State.CONTESTED:
            ahead = (claims >= limits.originals) & (4 * denials < claims) & (self._high[here] != NORMAL)
            yield _Asked(ahead, "denials_fall_behind", State.RISING)
        if state is State.WATCH:
            fast = (claims >= limits.originals) & (self._high[here] != NORMAL)
            yield _Asked(fast, "claims_come_fast", State.RISING)

    def _volumes(self, here: slice) -> Iterator[_Asked]:
        """Where ticks begin the finding `volume`, and what it makes of the state."""
        course = self._course
        claims, denials = self._recent.claims[here], self._recent.denials[here]
        if course.volume is not None:
            if course.state in _BEFORE_VIRAL:
                yield _Asked(np.ones(claims.size, np.bool_), "many_claims", State.VIRAL_UNCONFIRMED)
        elif not course.racing and course.state is not State.SETTLED:
            many = (claims >= self._limits.volume) & (claims > denials) & (self._high[here] != NORMAL)
            yield _Asked(many, "", course.state, volume=True)

    def _named(self, index: int) -> str:
        """Why the finding `volume` holds from a tick on."""
        if self._high[index] == UNKNOWN:
            return "viral_warming_up"
        contested = 2 * self._recent.denials[index] >= self._recent.claims[index]
        return "viral_contested" if contested else "viral_no_verdict"

    def _by_time(self, upto: int) -> Step | None:
        """The first step up to a second that needs no tick."""
        course, limits = self._course, self._limits
        if course.volume is not None:
            at = self._recent.falls(ceil(limits.volume / 2), self._now)
            return None if at is None or at > upto else self._step(at, "fewer_claims", course.state, volume=False)
        if course.state is State.VIRAL_UNCONFIRMED and not course.racing:
            return self._step(self._now, "fewer_claims", State.WATCH)
        if course.racing or course.state not in FADING:
            return None
        seen = self._seen[int(np.searchsorted(self._ticks, self._now, side="right")) :]
        breaks = np.flatnonzero(np.diff(seen) > limits.quiet)
        last = int(seen[breaks[0]] if breaks.size else seen[-1])
        at = max(last + limits.quiet, self._now)
        return self._step(at, "nobody_speaks_of_it", State.FADED) if at <= upto else None

    def _step(self, at: int, reason: str, state: State, volume: bool | None = None) -> Step:  # noqa: FBT001
        claims, denials = self._recent.at(at)
        index = int(np.searchsorted(self._ticks, at, side="right"))
        originals = int(self._originals[index - 1]) if index else self._course.originals
        return Step(at, reason, claims, denials, originals, self._course.state, state, volume)
