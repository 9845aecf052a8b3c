"""Tail probabilities on an unbounded log scale: no underflow where the probability is below 1e-308."""

import numpy as np
import numpy.typing as npt
from scipy.special import betaincc, betaln

Floats = npt.NDArray[np.float64]

_TINY = 1e-280
_TERMS = 2_000
_EXACT = 1e-14


def log_betaincc(a: Floats, b: Floats, x: Floats) -> Floats:
    """Log P(Beta(a, b) > x)."""
    return _log_tail(betaincc(a, b, x), b, a, 1 - x)


def _log_tail(tail: npt.NDArray[np.floating], a: Floats, b: Floats, x: Floats) -> Floats:
    """The log of I_x(a, b), given its value or an underflow of it."""
    with np.errstate(divide="ignore"):
        logs: Floats = np.log(tail).astype(np.float64)
    lost = np.broadcast_to(tail < _TINY, np.broadcast(tail, a, b, x).shape)
    if not lost.any():
        return logs
    logs = np.array(np.broadcast_to(logs, lost.shape))
    parts = [np.broadcast_to(part, lost.shape)[lost] for part in (a, b, x)]
    logs[lost] = _log_fraction(*parts)
    return logs


def _log_fraction(a: Floats, b: Floats, x: Floats) -> Floats:
    """Log I_x(a, b) by its continued fraction (DLMF 8.17.22, Lentz), which converges fast where the tail is tiny."""
    c = np.ones(a.size)
    d = 1 / _apart(1 - (a + b) * x / (a + 1))
    total = d
    for m in range(1, _TERMS):
        for term in (
            m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m)),
            -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1)),
        ):
            d = 1 / _apart(1 + term * d)
            c = _apart(1 + term / c)
            step = c * d
            total = total * step
        if np.all(np.abs(step - 1) < _EXACT):
            break
    with np.errstate(divide="ignore"):
        value: Floats = a * np.log(x) + b * np.log1p(-x) - np.log(a) - betaln(a, b) + np.log(total)
    return value


def _apart(values: Floats) -> Floats:
    """Keeps a denominator off zero."""
    return np.where(np.abs(values) < _TINY, _TINY, values)
