"""How fast a channel may be told: a token bucket. Pure."""

from typing import NamedTuple


class Pace(NamedTuple):
    """What a channel takes."""

    per_minute: int
    """Messages, evenly spread."""
    burst: int = 1
    """Messages at once after a rest."""


class Bucket:
    """Full at the start; `now` is a number of seconds that never goes back."""

    def __init__(self, pace: Pace, now: float) -> None:
        self._every = 60.0 / pace.per_minute
        self._burst = pace.burst
        self._full_at = now

    def take(self, now: float) -> float:
        """Takes a token and answers 0, or takes none and answers how many seconds from now there will be one."""
        wait = self._full_at - (self._burst - 1) * self._every - now
        if wait > 0:
            return wait
        self._full_at = max(self._full_at, now) + self._every
        return 0.0
