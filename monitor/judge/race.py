"""Does the claim outrun its denials? The anytime-valid test of `anchors/DETECTION.md` § 2 and what must surround it.

For a claims and b denials and the null "share of claims <= p0", the mixture e-value is
(Lindon & Malek, arXiv 2011.03567)

    E = p0^-a (1-p0)^-b · B(a+½, b+½) · P(Beta(a+½, b+½) > p0) / [B(½, ½) · P(Beta(½, ½) > p0)]

It may be looked at after every post, for ever: the chance that it ever reaches 1/α under the null is at most α. The
null of a race is set where the tagger alone, at its worst, could put equal sides (`p0_worst`); what dispersion remains
among originals tempers log E (`dispersion`). α belongs to an event and a rolling 30 days (`alpha_of_start`).
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.special import betaincc, betaincinv, betaln, xlogy

from monitor.judge.tails import log_betaincc

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Counts = npt.NDArray[np.int64]

EVEN = 0.5
INTERVAL = 0.90
"""Of the tagger's confusion, per cell."""
BLOCK = 10
"""Originals of both sides in a block of the dispersion estimate."""
PRIOR_BLOCKS = 4
"""Blocks of no dispersion the estimate starts from."""


def log_e(claims: npt.ArrayLike, denials: npt.ArrayLike, p0: npt.ArrayLike = EVEN) -> Floats:
    """The logarithm of the e-value against "share of claims <= p0"; arrays broadcast."""
    a, b = np.asarray(claims, np.float64), np.asarray(denials, np.float64)
    p = np.asarray(p0, np.float64)
    log_even = -xlogy(a, p) - xlogy(b, 1 - p)
    log_mixture = betaln(a + 0.5, b + 0.5) + log_betaincc(a + 0.5, b + 0.5, p)
    half = np.asarray(0.5)
    value = log_even + log_mixture - betaln(0.5, 0.5) - log_betaincc(half, half, p)
    return np.asarray(np.round(value, 9), np.float64)


def log_e_bound(claims: Ints, denials: Ints, p0: Floats) -> Floats:
    """An upper bound of `log_e` that costs two logarithms: the likelihood ratio at the observed share."""
    total = np.maximum(claims + denials, 1)
    share = np.maximum(claims / total, p0)
    bound = xlogy(claims, share / p0) + xlogy(denials, (1 - share) / (1 - p0))
    return np.asarray(bound + 1e-6, np.float64)


def posterior(claims: npt.ArrayLike, denials: npt.ArrayLike, p0: npt.ArrayLike = EVEN) -> Floats:
    """P(share of claims > p0) from Jeffreys' prior: a reading for people, never an alarm."""
    a, b, p = (np.asarray(part, np.float64) for part in (claims, denials, p0))
    return np.asarray(np.round(betaincc(a + 0.5, b + 0.5, p), 4), np.float64)


def alpha_of_start(alpha: float, k: int) -> float:
    """What the k-th start of an event within 30 days may spend: α·6/(π²k²), which sums to α."""
    return float(alpha * 6 / (np.pi**2 * k**2))


def p0_worst(confusion: Counts | None, other_share: float) -> float:
    """The largest share of claims among given claims and denials that a race of equal sides can show; at least ½.

    `confusion`: counts (5, 5), rows true and columns given tags in the order of TAGS; None for a tagger that never
    errs. `other_share`: the share of posts that are on neither side. Every rate stands at the end of its 90 % Jeffreys
    interval that favours claims.
    """
    if confusion is None:
        return EVEN
    counts = np.asarray(confusion, np.float64)
    rows = np.stack([counts[0], counts[1], counts[2:].sum(axis=0)])
    total = rows.sum(axis=1)
    miss = (1 - INTERVAL) / 2
    as_claim = betaincinv(rows[:, 0] + 0.5, total - rows[:, 0] + 0.5, 1 - miss)
    as_denial = betaincinv(rows[:, 1] + 0.5, total - rows[:, 1] + 0.5, miss)
    weight = np.array([(1 - other_share) / 2, (1 - other_share) / 2, other_share])
    claims, denials = float(weight @ as_claim), float(weight @ as_denial)
    return max(EVEN, round(claims / (claims + denials), 4))


class Dispersion(NamedTuple):
    """What is known of the clumping of sides among originals: blocks closed, Σ a²/n over them, their totals."""

    blocks: int = 0
    squares: float = 0.0
    claims: int = 0
    total: int = 0


def dispersion(before: Dispersion, claims: Ints, total: Ints) -> tuple[Floats, Dispersion]:
    """The variance of the sides against independent draws, at least 1, at each tick; and the state after the last.

    `claims` and `total` are running totals of originals since the race's start. A block closes with the first tick at
    which the total passes another multiple of ten; Pearson's χ² over blocks, shrunk towards 1 by four blocks.
    """
    prior = np.append([before.total], total[:-1])
    closes = np.flatnonzero(total // BLOCK > prior // BLOCK)
    a = np.append([before.claims], claims[closes])
    n = np.append([before.total], total[closes])
    squares = np.cumsum(np.append([before.squares], np.diff(a) ** 2 / np.maximum(np.diff(n), 1)))
    blocks = before.blocks + np.arange(n.size)
    share = (a + 0.5) / (n + 1)
    chi = (squares - a**2 / np.maximum(n, 1)) / (share * (1 - share))
    level = np.maximum((chi + PRIOR_BLOCKS) / (np.maximum(blocks - 1, 0) + PRIOR_BLOCKS), 1.0)
    at = np.searchsorted(closes, np.arange(total.size), side="right")
    after = Dispersion(int(blocks[-1]), float(squares[-1]), int(a[-1]), int(n[-1]))
    return np.round(level, 6)[at], after
