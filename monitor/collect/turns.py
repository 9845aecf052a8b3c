"""Whose turn it is: the parts of a source that is polled – feeds, channels, events – each at its own pace.

A part that cannot be read waits ever longer while the others go on; where none can be read, the source is unavailable.
"""

import logging
from collections.abc import Callable, Sequence
from datetime import timedelta

from monitor.clock import Clock
from monitor.collect.news import digest
from monitor.errors import SourceRefusedError, SourceUnavailableError

LONGEST = timedelta(hours=1)
"""A part that fails is tried again after so long at most."""
IDLE = timedelta(seconds=30)
"""How often a source without any part looks for one."""

log = logging.getLogger(__name__)


class Turns:
    """The turns of a source's parts; `show` is told how many of them failed at their last turn."""

    def __init__(self, source: str, clock: Clock, every: timedelta, show: Callable[[int], None]) -> None:
        self._source = source
        self._clock = clock
        self._every = every
        self._show = show
        self._due: dict[str, float] = {}
        """Part → when its turn is, on the monotonic clock."""
        self._failures: dict[str, tuple[int, SourceUnavailableError | SourceRefusedError]] = {}
        """Part → how often it failed, and how it did last."""

    async def next(
        self, parts: Callable[[], Sequence[str]], otherwise: Callable[[], bool] = lambda: False
    ) -> str | None:
        """Waits for the next turn; None where there was no part to wait for, or something else is to be done.

        `parts` may change meanwhile.
        """
        while True:
            now, there = self._clock.monotonic(), parts()
            self._due = {part: self._due.get(part, now) for part in there}
            self._failures = {part: one for part, one in self._failures.items() if part in self._due}
            self._show(len(self._failures))
            if not there:
                await self._clock.sleep(IDLE)
                return None
            first = min(self._due, key=lambda part: (self._due[part], there.index(part)))
            wait = timedelta(seconds=self._due[first] - now)
            if wait <= timedelta():
                return first
            if otherwise():
                return None
            await self._clock.sleep(min(wait, IDLE))

    def resting(self, there: Sequence[str]) -> bool:
        """Whether every part had its turn, and none is due."""
        now = self._clock.monotonic()
        return bool(there) and all(self._due.get(part, now) > now for part in there)

    def failing(self, part: str) -> bool:
        """Whether it could not be read at its last turn."""
        return part in self._failures

    def done(self, part: str, wait: timedelta | None = None) -> None:
        """A part was read; it has its next turn after as long as is set, or after `wait` if that is longer."""
        self._failures.pop(part, None)
        rest = max(self._every, wait or timedelta())
        self._due[part] = self._clock.monotonic() + rest.total_seconds()
        self._show(len(self._failures))

    def failed(self, part: str, error: SourceUnavailableError | SourceRefusedError) -> bool:
        """Takes in that a part could not be read; whether that was no hiccup: it is refused, or has failed before.

        Raises where no part can be read: all have failed, or this one did for what holds for the whole source. The
        error is SourceRefusedError only where all are refused.
        """
        times = self._failures.get(part, (0, error))[0] + 1
        self._failures[part] = times, error
        self._show(len(self._failures))
        whole = isinstance(error, SourceUnavailableError) and error.whole
        if whole or len(self._failures) == len(self._due):
            self._due[part] = self._clock.monotonic()  # the supervisor waits
            errors = [error] if whole else [one for _, one in self._failures.values()]
            raise next((one for one in errors if isinstance(one, SourceUnavailableError)), error)
        wait = pause(error, self._every, times)
        self._due[part] = self._clock.monotonic() + wait.total_seconds()
        said = "source %s: %s cannot be read, next try in %d s: %s"
        log.warning(said, self._source, called(part), wait.total_seconds(), error, extra={"source": self._source})
        return times > 1 or isinstance(error, SourceRefusedError)


def pause(error: SourceUnavailableError | SourceRefusedError, every: timedelta, times: int) -> timedelta:
    """For how long what failed so many `times` in a row is left alone: doubled each time, and as long as is asked."""
    if isinstance(error, SourceRefusedError):
        return LONGEST
    doubled = max(every, timedelta(seconds=1)) * (1 << min(times - 1, 12))
    return max(min(LONGEST, doubled), timedelta(seconds=error.retry_after or 0))


def called(part: str) -> str:
    """A part's name for people: of an address no question, in which a key may stand, but digits that tell it apart."""
    address, asks, _ = part.partition("?")
    return f"{address} ({digest(part)})" if asks and "://" in address else part
