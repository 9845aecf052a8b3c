"""How often a platform may be asked: what it says in its headers, and what we keep to by ourselves.

Platforms spell the same three numbers in four ways: the reset is a time in seconds since 1970 (X; Bluesky, without the
`X-`), seconds from now (Reddit, whose numbers are floats) or an ISO 8601 time (Mastodon). Each source hands in the
reader of its own.
"""

import math
from collections import deque
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import NamedTuple

from monitor.clock import Clock

_LONGEST = timedelta(days=32)
"""A reset further away than a monthly cycle is nonsense, or our clock is."""
_TOGETHER = timedelta(seconds=1)


class Rate(NamedTuple):
    """What a platform's headers say: requests that are left, and when there are new ones."""

    remaining: float
    resets_at: datetime | None


ReadRate = Callable[[Mapping[str, str], datetime], Rate | None]
"""Headers and the time → what they say; None where they say nothing that can be used."""


def no_rate(headers: Mapping[str, str], now: datetime) -> None:
    """For platforms that say nothing."""


def epoch_rate(headers: Mapping[str, str], now: datetime) -> Rate | None:
    """`X-RateLimit-Remaining`, and `-Reset` in seconds since 1970."""
    reset = _number(headers.get("X-RateLimit-Reset"))
    return _rate(headers, None if reset is None else reset - now.timestamp(), now)


def ratelimit_rate(headers: Mapping[str, str], now: datetime) -> Rate | None:
    """`RateLimit-Remaining`, and `-Reset` in seconds since 1970."""
    named = ("Remaining", "Reset")
    return epoch_rate({f"X-RateLimit-{one}": headers.get(f"RateLimit-{one}", "") for one in named}, now)


def seconds_rate(headers: Mapping[str, str], now: datetime) -> Rate | None:
    """`X-RateLimit-Remaining`, and `-Reset` in seconds from now; both may be floats."""
    return _rate(headers, _number(headers.get("X-RateLimit-Reset")), now)


def iso_rate(headers: Mapping[str, str], now: datetime) -> Rate | None:
    """`X-RateLimit-Remaining`, and `-Reset` as an ISO 8601 time."""
    try:
        reset = datetime.fromisoformat(headers.get("X-RateLimit-Reset", "").strip())
    except ValueError:
        return _rate(headers, None, now)
    aware = reset if reset.tzinfo is not None else reset.replace(tzinfo=UTC)
    return _rate(headers, (aware - now).total_seconds(), now)


def retry_after(headers: Mapping[str, str], now: datetime) -> float | None:
    """Seconds that `Retry-After` asks to wait, as a number or an HTTP date; None if it says nothing or nonsense."""
    asked = headers.get("Retry-After", "").strip()
    if (number := _number(asked)) is not None:
        return min(number, _LONGEST.total_seconds()) if number >= 0 else None
    try:
        until = parsedate_to_datetime(asked)
    except (ValueError, OverflowError):
        return None
    aware = until if until.tzinfo is not None else until.replace(tzinfo=UTC)
    return min(max(0.0, (aware - now).total_seconds()), _LONGEST.total_seconds())


def _rate(headers: Mapping[str, str], wait: float | None, now: datetime) -> Rate | None:
    remaining = _number(headers.get("X-RateLimit-Remaining"))
    if remaining is None:
        return None
    known = wait is not None and wait <= _LONGEST.total_seconds()
    return Rate(max(0.0, remaining), now + timedelta(seconds=max(0.0, wait)) if known and wait is not None else None)


def _number(text: str | None) -> float | None:
    """A finite number; None for anything else."""
    try:
        number = float(text or "")
    except ValueError:
        return None
    return number if math.isfinite(number) else None


class Limit(NamedTuple):
    """At most so many requests within any span of so long."""

    requests: int
    per: timedelta


class Budget:
    """Keeps to a Limit, whoever asks: a request counts from its begin until `per` after its end."""

    def __init__(self, limit: Limit, clock: Clock) -> None:
        self._limit = limit
        self._clock = clock
        self._ended: deque[float] = deque()
        self._open = 0

    @asynccontextmanager
    async def slot(self) -> AsyncIterator[None]:
        """One request; begins when the limit allows it."""
        while wait := self.wait():
            await self._clock.sleep(wait)
        self._open += 1
        try:
            yield
        finally:
            self._open -= 1
            self._ended.append(self._clock.monotonic())

    def wait(self) -> timedelta:
        """How long until one more is allowed; nothing at all where it is allowed now."""
        now, per = self._clock.monotonic(), self._limit.per.total_seconds()
        while self._ended and self._ended[0] + per <= now:
            self._ended.popleft()
        if len(self._ended) + self._open < self._limit.requests:
            return timedelta()
        if not self._ended:
            return _TOGETHER
        return max(timedelta(seconds=self._ended[0] + per - now), timedelta(milliseconds=1))

    def left(self) -> int:
        """Requests that are allowed now."""
        self.wait()
        return max(0, self._limit.requests - len(self._ended) - self._open)
