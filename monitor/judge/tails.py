"""Tail probabilities on an unbounded log scale: no underflow where the probability is below 1e-308."""

import numpy as np
import numpy.typing as npt
from scipy.special import betainc, betaincc, betaln

Floats = npt.NDArray[np.float64]

_TINY = 1e-280
_TERMS = 20_000


def log_betainc(a: Floats, b: Floats, x: Floats) -> Floats:
    """Log P(Beta(a, b) <= x)."""
    return _log_tail(betainc(a, b, x), a, b, x)


def log_betaincc(a: Floats, b: Floats, x: Floats) -> Floats:
    """Log P(Beta(a, b) > x)."""
    return _log_tail(betaincc(a, b, x), b, a, 1 - x)


def log_nbinom_tail(count: Floats, mean: Floats, size: Floats) -> Floats:
    """Log P(N >= count) for a negative binomial with this mean and variance mean + mean² / size; count >= 1."""
    return log_betainc(count, size, mean / (mean + size))


def _log_tail(tail: npt.NDArray[np.floating], a: Floats, b: Floats, x: Floats) -> Floats:
    """The log of I_x(a, b), given its value or an underflow of it."""
    with np.errstate(divide="ignore"):
        logs: Floats = np.log(tail).astype(np.float64)
    lost = np.broadcast_to(tail < _TINY, np.broadcast(tail, a, b, x).shape)
    if not lost.any():
        return logs
    logs = np.array(np.broadcast_to(logs, lost.shape))
    parts = [np.broadcast_to(part, lost.shape)[lost] for part in (a, b, x)]
    logs[lost] = _log_series(*parts)
    return logs


def _log_series(a: Floats, b: Floats, x: Floats) -> Floats:
    """Log I_x(a, b) by its power series (DLMF 8.17.7), which converges fast where the tail is tiny."""
    total = np.ones(a.size)
    term = np.ones(a.size)
    for n in range(_TERMS):
        term = term * (a + b + n) / (a + 1 + n) * x
        total = total + term
        if np.all(term <= 1e-16 * total):
            break
    with np.errstate(divide="ignore"):
        value: Floats = a * np.log(x) + b * np.log1p(-x) - np.log(a) - betaln(a, b) + np.log(total)
    return value
