"""What the tagger's errors do to a race: where even sides may stand, and what true shares lie behind given tags.

A race's null is set where the tagger alone could put equal sides. Its rates are known within intervals only, and which
posts are on neither side differs from event to event, so the null is the worst case: rows of the confusion (one a true
tag) are tried independently, so their worst ends are taken together as one region (a joint worst case, by the delta
method), and within a row the ends that favour claims are taken at once.
"""

from typing import NamedTuple, Self

import numpy as np
import numpy.typing as npt
from scipy.special import betaincinv

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

EVEN = 0.5
INTERVAL = 0.95
"""Of a rate that comes as counts alone (Jeffreys)."""
ONE_SIDED = 1.645 / 1.96
"""The null errs to one side only: of two-sided 95 % ends, those of a one-sided 95 % bound."""
MOST = 0.95
"""The largest share of posts on neither side that is reckoned with."""
PRIOR = (5, 10)
"""Posts on neither side, and all, that its estimate starts from."""


class Rates(NamedTuple):
    """How often posts of each true tag (rows) are given each tag (columns), in the order of TAGS; (5, 5) each."""

    rate: Floats
    low: Floats
    high: Floats
    """The ends of the interval of each rate."""

    @classmethod
    def of_counts(cls, counts: Ints) -> Self:
        """From how many posts were given which tag."""
        own = np.asarray(counts, np.float64)
        rest = own.sum(axis=1, keepdims=True) - own
        miss = (1 - INTERVAL) / 2
        ends = (betaincinv(own + 0.5, rest + 0.5, end) for end in (miss, 1 - miss))
        return cls((own + 0.1) / (own + rest + 0.5), *ends)


class Neither(NamedTuple):
    """Originals of an event given as celebration, question and other (…, 3), and all of them (…,)."""

    given: Ints
    originals: Ints


def true_weights(rates: Rates, neither: Neither) -> Floats:
    """The shares of the five true tags if both sides are equally large; (…, 5).

    The share on neither side is corrected for sides that were missed and for others that were taken for one (adjusted
    count), from a prior of five posts in ten.
    """
    given = neither.given + np.array([0, 0, PRIOR[0]])
    inside = given / given.sum(axis=-1, keepdims=True)
    seen = given.sum(axis=-1) / (neither.originals + PRIOR[1])
    missed = rates.rate[:2, 2:].sum(axis=1).mean()
    kept = inside @ rates.rate[2:, 2:].sum(axis=1)
    share = np.clip((seen - missed) / np.maximum(kept - missed, 1e-3), 0, MOST)[..., None]
    sides = np.repeat((1 - share) / 2, 2, axis=-1)
    return np.concatenate([sides, share * inside], axis=-1)


def p0_worst(rates: Rates | None, neither: Neither, side: int = 0) -> Floats:
    """The largest share of claims among given claims and denials that a race of equal sides can show; at least ½.

    `side`: the column whose share it is; 1 is that of denials.
    """
    if rates is None:
        return np.full(np.shape(neither.originals), EVEN)
    weights = true_weights(rates, neither)
    mine, others = rates.rate[:, side], rates.rate[:, 1 - side]
    both = weights @ (mine + others)
    share = weights @ mine / both
    more, fewer = rates.high[:, side] - mine, others - rates.low[:, 1 - side]
    rows = weights * ((1 - share)[..., None] * more + share[..., None] * fewer)
    worst = share + ONE_SIDED * np.sqrt((rows**2).sum(axis=-1)) / both
    return np.asarray(np.round(np.clip(worst, EVEN, 0.999), 4), np.float64)


def denial_share(rates: Rates | None, neither: Neither, claims: int, denials: int) -> float:
    """The share of denials on both sides that explains how many were given (adjusted count; Forman 2008)."""
    seen = (claims + 0.5) / (claims + denials + 1)
    if rates is None:
        return round(1 - seen, 4)
    weights = true_weights(rates, neither)
    sides, others = 1 - float(weights[2:].sum()), weights[2:] @ rates.rate[2:, :2]
    claim, denial = sides * rates.rate[0, :2] + others, sides * rates.rate[1, :2] + others
    # the share c of claims for which c·claim + (1-c)·denial splits as seen
    ahead, behind = seen * claim.sum() - claim[0], seen * denial.sum() - denial[0]
    if behind - ahead <= 1e-6:  # noqa: PLR2004
        return round(1 - seen, 4)
    return round(1 - float(np.clip(behind / (behind - ahead), 0, 1)), 4)
