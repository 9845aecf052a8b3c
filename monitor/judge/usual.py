"""How often a narrative is claimed and denied while nothing spikes, and what that alone may show in a race.

Much that a tagger takes for a claim on a usual day is none: adverts, concerts, the weather in the valley. A spike of
such talk is no race. So a race's null reckons with it: of the claims and denials since the start, as many as `HEAVIER`
times the usual rate would have brought may be of the usual kind and fall to the sides as they usually do; only the rest
falls as the tagger's errors allow (rates.py). Beside a viral claim that is next to nothing; in a lively hour of chatter
it is everything.
"""

import msgspec
import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

HEAVIER = 2.0
"""A lively hour of a usual day, against its mean."""
SPAN = 7 * 86_400
"""Seconds; the usual rate is that of this span and the one before."""
SHORTEST = 6 * 3_600
"""Seconds by which what was seen is divided at least: the first minutes of a claim are no usual day."""


class Usual(msgspec.Struct, array_like=True):
    """Claims and denials of a narrative outside its races, by span."""

    since: int
    """When it was first spoken of."""
    span: int = 0
    now: tuple[int, int] = (0, 0)
    """In that span,"""
    before: tuple[int, int] = (0, 0)
    """… and in the one before it."""

    def take_in(self, ticks: Ints, sides: Ints) -> None:
        """Takes in the claims and denials (ticks, 2) of ascending ticks."""
        spans = ticks // SPAN
        for span in np.unique(spans).tolist():
            claims, denials = sides[spans == span].sum(axis=0).tolist()
            self._turn(span)
            self.now = (self.now[0] + claims, self.now[1] + denials)

    def rate(self, at: int) -> tuple[float, float]:
        """Claims and denials a second as of a tick that is not before the last one taken in."""
        self._turn(at // SPAN)
        lasts = max(at - max(self.since, (self.span - 1) * SPAN), SHORTEST)
        claims, denials = (late + early for late, early in zip(self.now, self.before, strict=True))
        return round(claims / lasts, 9), round(denials / lasts, 9)

    def _turn(self, span: int) -> None:
        if span > self.span:
            self.before = self.now if span == self.span + 1 else (0, 0)
            self.span, self.now = span, (0, 0)


def at_least(p0: Floats, sides: Ints, lasted: Ints, rate: tuple[float, float]) -> Floats:
    """The p0 of ticks at which a race has `sides` claims and denials together and has `lasted` seconds; (ticks,) each.

    `rate`: the usual claims and denials a second. Never below the `p0` given.
    """
    usual = sum(rate)
    if not usual:
        return p0
    share = np.minimum(HEAVIER * usual * lasted / np.maximum(sides, 1), 1.0)
    mixed = p0 + share * (rate[0] / usual - p0)
    return np.asarray(np.round(np.clip(mixed, p0, 0.999), 4), np.float64)
