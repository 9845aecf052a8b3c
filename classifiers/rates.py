"""How often each tag is given to posts of each true tag, with intervals; and shares of tags corrected by it."""

from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.optimize import nnls

from classifiers.tags import TAGS

__all__ = ["Rates", "adjusted_shares", "em_shares", "rates"]

Matrix = npt.NDArray[np.float64]
Indices = npt.NDArray[np.int64]

_SIZE: Final = len(TAGS)
_DRAWS: Final = 400
_LEVEL: Final = 0.95
_PRIOR: Final = 0.5
_STEPS: Final = 100
_STILL: Final = 1e-7


class Rates(NamedTuple):
    """(5, 5) each, rows the true tag, columns the given one, in the order of TAGS."""

    counts: npt.NDArray[np.int64]
    rate: Matrix
    """Share of a true tag's posts; rows sum to 1."""
    low: Matrix
    high: Matrix
    """95 % interval of the rate: whole events drawn again, never narrower than Jeffreys' for the counts."""


def rates(true: Indices, given: Indices, groups: npt.ArrayLike, seed: int = 1) -> Rates:
    """Rates of held-out posts; `groups` is the event of each, drawn with replacement for the interval."""
    names, which = np.unique(np.asarray(groups), return_inverse=True)
    cells = np.zeros((len(names), _SIZE * _SIZE), dtype=np.int64)
    np.add.at(cells, (which, true * _SIZE + given), 1)
    counts = cells.sum(axis=0)
    drawn = np.random.default_rng(seed).multinomial(len(names), np.full(len(names), 1 / len(names)), size=_DRAWS)
    shown = _shares((drawn @ cells).reshape(_DRAWS, _SIZE, _SIZE).astype(np.float64) + _PRIOR / _SIZE)
    table = counts.reshape(_SIZE, _SIZE)
    rate = _shares(table + _PRIOR / _SIZE)
    edge = (1 - _LEVEL) / 2
    half = 2 * np.sqrt(rate * (1 - rate) / (table.sum(axis=1, keepdims=True) + 1))
    low = np.minimum(np.quantile(shown, edge, axis=0), rate - half)
    high = np.maximum(np.quantile(shown, 1 - edge, axis=0), rate + half)
    return Rates(table, rate, np.clip(low, 0, 1), np.clip(high, 0, 1))


def adjusted_shares(given: npt.NDArray[np.int64], rate: Matrix) -> Matrix:
    """(5,) true shares that explain the shares of given tags best (adjusted count; Forman 2008, for many classes).

    `given`: (5,) how often each tag was given. Least squares with no share below 0; they sum to 1.
    """
    shares = given / max(int(given.sum()), 1)
    weight = 10.0
    told = np.vstack([rate.T, np.full((1, _SIZE), weight)])
    found, _ = nnls(told, np.append(shares, weight))
    return np.asarray(found / max(found.sum(), 1e-12), dtype=np.float64)


def em_shares(probabilities: Matrix, prior: Matrix) -> Matrix:
    """(5,) true shares of a set of posts by expectation maximisation (Saerens, Latinne, Decaestecker 2002).

    `probabilities`: (n, 5) calibrated where tags have the shares `prior`: (5,), or (n, 5) where posts of several kinds
    were calibrated apart.
    """
    shares = np.asarray(prior if prior.ndim == 1 else prior.mean(axis=0), dtype=np.float64)
    for _ in range(_STEPS):
        again = probabilities * (shares / np.maximum(prior, 1e-9))
        again /= np.maximum(again.sum(axis=1, keepdims=True), 1e-12)
        moved = again.mean(axis=0)
        if float(np.abs(moved - shares).max()) < _STILL:
            return np.asarray(moved, dtype=np.float64)
        shares = moved
    return np.asarray(shares, dtype=np.float64)


def _shares(table: Matrix) -> Matrix:
    return np.asarray(table / table.sum(axis=-1, keepdims=True), dtype=np.float64)
