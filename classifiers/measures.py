"""Figures with intervals: whole events are drawn again, since posts of one event are no independent witnesses."""

from collections.abc import Callable, Sequence
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from classifiers.figures import Confusion, macro_f1, scores
from classifiers.rates import adjusted_shares, em_shares, rates
from classifiers.tags import TAGS, Tag
from classifiers.thresholds import STANCE, Decided, Truth

__all__ = ["DENIAL", "Figure", "Measure", "denial_f1", "figure", "five_way", "four_way", "one_tag", "share_errors"]

Indices = npt.NDArray[np.int64]
Matrix = npt.NDArray[np.float64]
Measure = Callable[[Confusion], float]

_SIZE: Final = len(TAGS)
_DRAWS: Final = 300
_SETS: Final = 60
_POSTS: Final = 200
_SHARES: Final = (0.02, 0.05, 0.1, 0.2, 0.35, 0.5)
DENIAL: Final = TAGS.index(Tag.DENIAL)


class Figure(NamedTuple):
    """A figure and the 95 % interval that other draws of events would give."""

    value: float
    low: float
    high: float


def four_way(table: Confusion) -> float:
    """Macro-F1 of claim, denial, question and other."""
    return macro_f1(table, STANCE)


def five_way(table: Confusion) -> float:
    """Macro-F1 of the tags that occur."""
    return macro_f1(table)


def one_tag(tag: Tag) -> Measure:
    """F1 of one tag."""
    return lambda table: scores(table, TAGS.index(tag)).f1


denial_f1: Final = one_tag(Tag.DENIAL)


def figure(
    measure: Measure, true: Indices, given: Indices, groups: npt.NDArray[np.str_], weights: Matrix | None = None
) -> Figure:
    """A measure of posts with its interval; `weights` say how many posts each stands for."""
    names, which = np.unique(groups, return_inverse=True)
    cells = np.zeros((len(names), _SIZE * _SIZE))
    np.add.at(cells, (which, true * _SIZE + given), 1.0 if weights is None else weights)
    shape = (_SIZE, _SIZE)
    drawn = np.random.default_rng(1).multinomial(len(names), np.full(len(names), 1 / len(names)), size=_DRAWS)
    values = [measure(_whole(row.reshape(shape))) for row in drawn @ cells]
    low, high = np.quantile(values, [0.025, 0.975])
    return Figure(measure(_whole(cells.sum(axis=0).reshape(shape))), float(low), float(high))


def share_errors(decided: Decided, truth: Truth, fold: Indices, groups: npt.NDArray[np.str_]) -> dict[str, float]:
    """Mean error of the denial share in sets of 200 held-out posts: raw, by adjusted count, by EM.

    Sets are drawn from one fold at true denial shares of 2 to 50 %; what corrects them was learned on the other folds.
    EM is told the shares of tags among originals and among answers, for which probabilities are calibrated apart.
    """
    chance = np.random.default_rng(1)
    errors: dict[str, list[float]] = {"raw count": [], "adjusted count": [], "EM": []}
    for each in range(int(fold.max()) + 1):
        known, out = truth.measured & (fold != each), np.flatnonzero(truth.measured & (fold == each))
        table = rates(truth.tags[known], decided.given[known], groups[known])
        prior = _priors(truth, known)[truth.answers.astype(np.int64)]
        denials, rest = out[truth.tags[out] == DENIAL], out[truth.tags[out] != DENIAL]
        if not len(denials) or not len(rest):
            continue
        for share in _SHARES:
            count = round(share * _POSTS)
            for _ in range(_SETS):
                drawn = np.append(chance.choice(denials, count), chance.choice(rest, _POSTS - count))
                given = np.bincount(decided.given[drawn], minlength=_SIZE)
                errors["raw count"].append(abs(float(given[DENIAL]) / _POSTS - share))
                errors["adjusted count"].append(abs(float(adjusted_shares(given, table.rate)[DENIAL]) - share))
                errors["EM"].append(abs(float(em_shares(decided.probabilities[drawn], prior[drawn])[DENIAL]) - share))
    return {name: float(np.mean(each)) for name, each in errors.items()}


def median_of(figures: Sequence[Figure]) -> Figure:
    """The figure of the seed in the middle."""
    return sorted(figures)[len(figures) // 2]


def _priors(truth: Truth, known: npt.NDArray[np.bool_]) -> Matrix:
    """(2, 5) shares of tags among known originals and answers, which are calibrated apart."""
    kinds = [truth.tags[known & (truth.answers == kind)] for kind in (False, True)]
    return np.stack([np.bincount(tags, minlength=_SIZE) / max(len(tags), 1) for tags in kinds])


def _whole(cells: Matrix) -> Confusion:
    return Confusion(np.rint(cells).astype(np.int64))
