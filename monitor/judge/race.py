"""Does the claim outrun its denials? The anytime-valid test of `anchors/DETECTION.md` § 2 and what must surround it.

For a claims and b denials and the null "share of claims <= p0", the mixture e-value is
(Lindon & Malek, arXiv 2011.03567)

    E = p0^-a (1-p0)^-b · B(a+½, b+½) · P(Beta(a+½, b+½) > p0) / [B(½, ½) · P(Beta(½, ½) > p0)]

It may be looked at after every post, for ever: the chance that it ever reaches 1/α under the null is at most α. The
null of a race is set where the tagger alone, at its worst, could put equal sides (rates.py); what clumps remain among
originals temper log E (dispersion.py). α belongs to an event and a rolling 30 days (`alpha_of_start`).
"""

import numpy as np
import numpy.typing as npt
from scipy.special import betaincc, betaln, xlogy

from monitor.judge.rates import EVEN
from monitor.judge.tails import log_betaincc

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


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
