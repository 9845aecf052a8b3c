"""Figures of merit: confusion, precision, recall, F1, calibration error."""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from classifiers.tags import TAGS

__all__ = ["Confusion", "Scores", "calibration_error", "confusion", "macro_f1", "race_power", "scores"]

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


def race_power(table: Confusion, other_share: float = 0.5, ahead: float = 0.95) -> float:
    """How much a post tells a race of claims against denials, as a share of what perfect tags would tell; 0 to 1.

    Kullback–Leibler information per post when `ahead` of the sides are claims, against an even race seen through the
    same tagger, where `other_share` of the posts are on neither side.
    """
    counts = table.counts.astype(np.float64)
    rates = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1.0)
    neither = np.array([0.0, 0.0, 0.0, 0.0, other_share])
    sides = 1.0 - other_share

    def given(share: float) -> tuple[float, float]:
        mix = neither + sides * np.array([share, 1.0 - share, 0.0, 0.0, 0.0])
        tagged = mix @ rates
        heard = float(tagged[0] + tagged[1])
        return (float(tagged[0]) / heard if heard else 0.5), heard

    even, _ = given(0.5)
    shown, heard = given(ahead)
    even = max(0.5, even)
    if not even < shown < 1.0:
        return 0.0
    return heard * _information(shown, even) / (sides * _information(ahead, 0.5))


def _information(share: float, null: float) -> float:
    """Kullback–Leibler information of a coin with `share` against one with `null`, in nats."""
    return float(share * np.log(share / null) + (1.0 - share) * np.log((1.0 - share) / (1.0 - null)))


def confusion(true: Indices, given: Indices) -> Confusion:
    """Counts two columns of indices into TAGS."""
    size = len(TAGS)
    return Confusion(np.bincount(true * size + given, minlength=size * size).reshape(size, size).astype(np.int64))


def scores(table: Confusion, tag: int) -> Scores:
    """Scores of the tag with this index."""
    hits = int(table.counts[tag, tag])
    true, given = int(table.counts[tag].sum()), int(table.counts[:, tag].sum())
    precision, recall = hits / max(given, 1), hits / max(true, 1)
    return Scores(precision, recall, 2 * hits / max(true + given, 1), true)


def macro_f1(table: Confusion) -> float:
    """Mean F1 over the tags that occur in the truth."""
    present = [tag for tag in range(len(TAGS)) if table.counts[tag].sum()]
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
