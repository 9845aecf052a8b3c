"""Figures of merit: confusion, precision, recall, F1, calibration error."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import polars as pl

from classifiers.tags import TAGS

__all__ = ["Confusion", "Scores", "calibration_error", "confusion", "macro_f1", "sample_weights", "scores"]

Indices = npt.NDArray[np.int64]


class Confusion(NamedTuple):
    """How often each tag was given to posts of each true tag, on whole events never trained on."""

    counts: npt.NDArray[np.int64]
    """(5, 5) rows true, columns given, both in the order of TAGS."""


class Scores(NamedTuple):
    """Precision, recall and F1 of one tag; 0 where undefined."""

    precision: float
    recall: float
    f1: float
    support: int


def confusion(true: Indices, given: Indices, weights: npt.NDArray[np.float64] | None = None) -> Confusion:
    """Counts two columns of indices into TAGS; with weights, rounded to whole posts."""
    size = len(TAGS)
    counts = np.bincount(true * size + given, weights, minlength=size * size).reshape(size, size)
    return Confusion(np.rint(counts).astype(np.int64))


def scores(table: Confusion, tag: int) -> Scores:
    """Scores of the tag with this index."""
    hits = int(table.counts[tag, tag])
    true, given = int(table.counts[tag].sum()), int(table.counts[:, tag].sum())
    precision, recall = hits / max(given, 1), hits / max(true, 1)
    return Scores(precision, recall, 2 * hits / max(true + given, 1), true)


def sample_weights(examples: pl.DataFrame) -> npt.NDArray[np.float64]:
    """(n,) how many posts of its set and public label each post stands for among those read again; 0 for the others.

    All public denials and a random sample of each other label were read again, so the sample is weighted back.
    """
    again = pl.col("reread").cast(pl.Float64)
    stratum = ("set", "public_tag")
    weight = again * pl.len().over(stratum) / pl.max_horizontal(again.sum().over(stratum), 1.0)
    return examples.select(weight.alias("weight"))["weight"].to_numpy()


def macro_f1(table: Confusion, tags: Sequence[int] | None = None) -> float:
    """Mean F1 over some tags, by default those that occur in the truth."""
    present = [tag for tag in range(len(TAGS)) if table.counts[tag].sum()] if tags is None else tags
    return sum(scores(table, tag).f1 for tag in present) / max(len(present), 1)


def calibration_error(probabilities: npt.NDArray[np.float64], true: Indices, bins: int = 10) -> float:
    """Expected calibration error of all five probabilities, each as a forecast of its tag (Naeini 2015, classwise)."""
    errors = []
    for tag in range(len(TAGS)):
        forecast, outcome = probabilities[:, tag], true == tag
        which = np.minimum((forecast * bins).astype(np.int64), bins - 1)
        gaps = np.abs(
            np.bincount(which, forecast, minlength=bins) - np.bincount(which, outcome.astype(float), minlength=bins)
        )
        errors.append(float(gaps.sum()) / max(len(true), 1))
    return sum(errors) / len(errors)
