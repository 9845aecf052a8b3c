"""What was learned: a linear model over words and observations, trees over observations, thresholds of both."""

from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt
from scipy import sparse

from classifiers.tags import TAGS, Tag
from classifiers.trees import UNIT, Trees

__all__ = ["NOTHING_SAID", "Linear", "Matrix", "Model", "log_softmax", "softmax"]

Matrix = npt.NDArray[np.float64]

NOTHING_SAID: Final = np.array([0.92 if tag is Tag.OTHER else 0.02 for tag in TAGS])
"""For a text without any word or emoji: empty, or only links and handles."""
_SMALLEST: Final = 5e-5


class Linear(NamedTuple):
    """A linear model; weights of observations are whole numbers, so that their sums are the same in every batch."""

    observed: Matrix
    """(observations, 5) in units of 1 / `UNIT`."""
    hashed: Matrix
    """(hashed features, 5)"""
    bias: Matrix
    """(5,)"""

    def logits(self, observed: npt.NDArray[np.uint8], hashed: sparse.csr_array) -> Matrix:
        """Logits (n, 5) of a batch."""
        seen = np.rint(observed.astype(np.float64) @ self.observed) / UNIT
        return np.asarray(seen + hashed @ self.hashed + self.bias, dtype=np.float64)


class Model(NamedTuple):
    """A trained model."""

    linear: Linear
    trees: Trees
    share: float
    """The linear model's share of the blend of logarithms of probabilities."""
    temperature: float
    """Logits are divided by it, so that probabilities mean what they say on posts never seen."""
    offsets: Matrix
    """(5,) added to the logarithms of the probabilities before the largest decides: the classes' thresholds."""
    unsure: float
    """A tag with a smaller probability than this is not given: the post is `other`."""

    def probabilities(self, observed: npt.NDArray[np.uint8], hashed: sparse.csr_array) -> Matrix:
        """Calibrated probabilities (n, 5) of a batch."""
        blend = self.share * log_softmax(self.linear.logits(observed, hashed))
        blend += (1 - self.share) * log_softmax(self.trees.logits(observed))
        return softmax(blend / self.temperature)

    def given(self, probabilities: Matrix) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.bool_]]:
        """Index into TAGS of each row's tag, the first of equals; and where `other` stands for want of certainty."""
        shifted = np.log(np.maximum(probabilities, _SMALLEST)) + self.offsets
        best = shifted.argmax(axis=1)
        unsure = probabilities[np.arange(len(best)), best] < self.unsure
        unsure &= best != TAGS.index(Tag.OTHER)
        return np.where(unsure, TAGS.index(Tag.OTHER), best), unsure


def softmax(logits: Matrix) -> Matrix:
    """(n, k) probabilities of (n, k) logits, summed column by column so that no row depends on another."""
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    return np.asarray(powers / _row_sums(powers), dtype=np.float64)


def log_softmax(logits: Matrix) -> Matrix:
    """Logarithms of `softmax`."""
    shifted = logits - logits.max(axis=1, keepdims=True)
    return np.asarray(shifted - np.log(_row_sums(np.exp(shifted))), dtype=np.float64)


def _row_sums(values: Matrix) -> Matrix:
    total = values[:, :1].copy()
    for column in range(1, values.shape[1]):
        total += values[:, column : column + 1]
    return total
