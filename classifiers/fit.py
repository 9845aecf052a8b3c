"""Fits the linear model: folds of whole events, a fit without class weights, then temperature and thresholds."""

from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt
import polars as pl
import xxhash
from scipy import sparse
from scipy.optimize import minimize_scalar
from sklearn.linear_model import LogisticRegression

from classifiers.features import Features
from classifiers.figures import confusion, macro_f1, race_power, scores
from classifiers.tagger import Linear, softmax
from classifiers.tags import TAGS, Tag

__all__ = ["MEASURED", "CrossFit", "cross_fit", "decided", "final", "fit", "fold_of", "tag_indices", "train_rows"]

Matrix = npt.NDArray[np.float64]
Indices = npt.NDArray[np.int64]

FOLDS: Final = 5
_STRENGTH: Final = 0.1
MEASURED: Final = ("rumoureval2019", "written", "celebration")
"""The sets whose held-out posts set temperature and thresholds."""
_LARGE: Final[dict[str, int]] = {
    "charliehebdo": 0,
    "ferguson": 1,
    "sydneysiege": 2,
    "illary": 3,
    "germanwings-crash": 4,
}
_SMALLEST: Final = 5e-5
_POWER: Final = 0.3
"""What the race's power counts beside F1; found on held-out folds, 0.3 to 1 differ little."""


class CrossFit(NamedTuple):
    """What the model says of every example when its whole event was left out."""

    logits: Matrix
    """(n, 5)"""
    fold: Indices
    """(n,)"""


def tag_indices(tags: pl.Series) -> Indices:
    """Index into TAGS of each tag."""
    return tags.cast(pl.Enum([tag.value for tag in TAGS])).to_physical().to_numpy().astype(np.int64)


def fold_of(groups: pl.Series) -> Indices:
    """The fold of each group: the five large events one each, the others by the hash of their name."""
    names = groups.unique(maintain_order=True)
    folds = [_LARGE.get(name, xxhash.xxh32_intdigest(name.encode()) % FOLDS) for name in names]
    return groups.replace_strict(names, folds, return_dtype=pl.Int64).to_numpy()


def train_rows(features: Features, examples: pl.DataFrame) -> sparse.csr_array:
    """Features of all examples, in chunks of a serving batch."""
    parts = [features.rows(part["text"], part["parent"]) for part in examples.iter_slices(4096)]
    return sparse.csr_array(sparse.vstack(parts, format="csr"))


def fit(rows: sparse.csr_array, examples: pl.DataFrame, seed: int) -> tuple[Matrix, Matrix]:
    """Weights (features, 5) and bias (5,) of a multinomial logistic regression."""
    model = LogisticRegression(C=_STRENGTH, max_iter=150, tol=1e-3, random_state=seed)
    model.fit(rows, tag_indices(examples["tag"]), sample_weight=examples["weight"].to_numpy())
    full = np.zeros((len(TAGS), rows.shape[1]))
    bias = np.full(len(TAGS), -20.0)
    full[model.classes_] = model.coef_
    bias[model.classes_] = model.intercept_
    return np.ascontiguousarray(full.T), bias


def cross_fit(rows: sparse.csr_array, examples: pl.DataFrame, seed: int) -> CrossFit:
    """Fits once per fold without its events, and without posts whose text stands in it, and asks about the fold."""
    fold = fold_of(examples["group"])
    logits = np.zeros((len(fold), len(TAGS)))
    for each in range(FOLDS):
        out = fold == each
        known = examples["text"].is_in(examples.filter(pl.Series(out))["text"].implode()).to_numpy()
        train = ~out & ~known
        weights, bias = fit(rows[train], examples.filter(pl.Series(train)), seed)
        logits[out] = rows[out] @ weights + bias
    return CrossFit(logits, fold)


def decided(held_out: CrossFit, examples: pl.DataFrame) -> tuple[Matrix, Indices]:
    """Probabilities (n, 5) and tags (n,) of held-out posts; temperature and thresholds from the other folds only."""
    tags, sets = tag_indices(examples["tag"]), examples["set"].to_numpy()
    measured = np.isin(sets, MEASURED)
    probabilities = np.zeros_like(held_out.logits)
    given = np.zeros(len(tags), dtype=np.int64)
    for each in range(FOLDS):
        out, known = held_out.fold == each, (held_out.fold != each) & measured
        temperature = temperature_for(held_out.logits[known], tags[known])
        offsets = offsets_for(softmax(held_out.logits[known] / temperature), tags[known], sets[known])
        probabilities[out] = softmax(held_out.logits[out] / temperature)
        given[out] = (np.log(np.maximum(probabilities[out], _SMALLEST)) + offsets).argmax(axis=1)
    return probabilities, given


def temperature_for(logits: Matrix, tags: Indices) -> float:
    """The temperature at which held-out probabilities have the smallest log loss."""

    def loss(log_temperature: float) -> float:
        probabilities = softmax(logits / np.exp(log_temperature))
        return float(-np.log(np.maximum(probabilities[np.arange(len(tags)), tags], 1e-12)).mean())

    return float(np.exp(minimize_scalar(loss, bounds=(-2.0, 2.0), method="bounded").x))


def offsets_for(probabilities: Matrix, tags: Indices, sets: npt.NDArray[np.str_]) -> Matrix:
    """Offsets of log probabilities that maximise the mean of macro-F1 (RumourEval, written) and celebration F1.

    Beside F1 counts what the tags tell the race: thresholds that find more denials by calling claims denials can look
    better by F1 and blind the alarm. Coordinate ascent over a grid; deterministic.
    """
    logs = np.log(np.maximum(probabilities, _SMALLEST))
    offsets = np.zeros(len(TAGS))
    best = _merit(logs + offsets, tags, sets)
    for _ in range(4):
        for tag in range(len(TAGS) - 1):
            for value in np.arange(-2.0, 2.01, 0.1):
                tried = offsets.copy()
                tried[tag] = round(float(value), 2)
                merit = _merit(logs + tried, tags, sets)
                if merit > best + 1e-9:
                    best, offsets = merit, tried
    return offsets


def _merit(shifted: Matrix, tags: Indices, sets: npt.NDArray[np.str_]) -> float:
    given = shifted.argmax(axis=1).astype(np.int64)
    merits, powers = [], []
    for name in ("rumoureval2019", "written"):
        chosen = sets == name
        if chosen.any():
            table = confusion(tags[chosen], given[chosen])
            merits.append(macro_f1(table))
            powers.append(race_power(table))
    chosen = sets == "celebration"
    if chosen.any():
        merits.append(scores(confusion(tags[chosen], given[chosen]), TAGS.index(Tag.CELEBRATION)).f1)
    return sum(merits) / len(merits) + _POWER * sum(powers) / max(len(powers), 1)


def final(rows: sparse.csr_array, examples: pl.DataFrame, held_out: CrossFit, seed: int) -> Linear:
    """The model of all examples as it is served: weights in half precision, thresholds from held-out posts."""
    tags, sets = tag_indices(examples["tag"]), examples["set"].to_numpy()
    measured = np.isin(sets, MEASURED)
    temperature = temperature_for(held_out.logits[measured], tags[measured])
    offsets = offsets_for(softmax(held_out.logits[measured] / temperature), tags[measured], sets[measured])
    weights, bias = fit(rows, examples, seed)
    return Linear(weights.astype(np.float16).astype(np.float64), bias, round(temperature, 3), offsets)
