"""What was learned: a linear model over words and observations, trees over observations, thresholds of both."""

from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt
from scipy import sparse

from classifiers.features import Features
from classifiers.tags import TAGS, Tag
from classifiers.trees import UNIT, Trees

__all__ = [
    "NOTHING_SAID",
    "SMALLEST",
    "Calibration",
    "Linear",
    "Matrix",
    "Model",
    "given_tags",
    "log_softmax",
    "softmax",
]

Matrix = npt.NDArray[np.float64]

_ANSWER: Final = Features.names.index("answer")
NOTHING_SAID: Final = np.array([0.92 if tag is Tag.OTHER else 0.02 for tag in TAGS])
"""For a text in which nothing can be read: empty, only links and handles, or of a script unknown here."""
SMALLEST: Final = 5e-5
"""A probability of 0, rounded, stands for about this much."""


class Linear(NamedTuple):
    """A linear model; weights of observations are whole numbers, so that their sums are the same in every batch."""

    observed: Matrix
    """(observations, 5) in units of 1 / `UNIT`."""
    hashed: npt.NDArray[np.float32]
    """(hashed features, 5)"""
    bias: Matrix
    """(5,)"""

    def logits(self, observed: npt.NDArray[np.uint8], hashed: sparse.csr_array) -> Matrix:
        """Logits (n, 5) of a batch."""
        seen = np.rint(observed.astype(np.float64) @ self.observed) / UNIT
        return np.asarray(seen + hashed @ self.hashed + self.bias, dtype=np.float64)


class Calibration(NamedTuple):
    """What makes probabilities of logits, for originals and for answers: their tags come in other shares.

    Then by language, where enough posts of one were held out: what the model is too sure of differs. A language that is
    not here, or unknown, stays as all together are.
    """

    scale: Matrix
    """(2,) logits are multiplied by it."""
    bias: Matrix
    """(2, 5) then this is added."""
    languages: tuple[str, ...] = ()
    language_scale: Matrix = np.zeros(0)
    """(languages,) what that is multiplied by in turn."""
    language_bias: Matrix = np.zeros((0, len(TAGS)))
    """(languages, 5) and what is added."""

    def probabilities(
        self, logits: Matrix, answers: npt.NDArray[np.bool_], languages: Sequence[str] | None = None
    ) -> Matrix:
        """Calibrated probabilities (n, 5) of (n, 5) logits; `languages` of the posts, where they are known."""
        scaled = self.scaled(logits, answers)
        if languages is None or not self.languages:
            return softmax(scaled)
        place = {name: number for number, name in enumerate(self.languages)}
        last = len(self.languages)
        which = np.array([place.get(name, last) for name in languages], dtype=np.int64)
        scale = np.append(self.language_scale, 1.0)[which, None]
        return softmax(scaled * scale + np.append(self.language_bias, np.zeros((1, len(TAGS))), axis=0)[which])

    def scaled(self, logits: Matrix, answers: npt.NDArray[np.bool_]) -> Matrix:
        """(n, 5) logits as all languages together need them."""
        kind = answers.astype(np.int64)
        return np.asarray(logits * self.scale[kind, None] + self.bias[kind], dtype=np.float64)


class Model(NamedTuple):
    """A trained model."""

    linear: Linear
    trees: Trees
    share: float
    """The linear model's share of the blend of logarithms of probabilities."""
    calibration: Calibration
    offsets: Matrix
    """(2, 5) for originals and answers, added to the logarithms of the probabilities before the largest decides."""
    unsure: float
    """A tag that stands out by less than this, of all five with their thresholds, is not given: the post is `other`."""

    def probabilities(
        self, observed: npt.NDArray[np.uint8], hashed: sparse.csr_array, languages: Sequence[str] | None = None
    ) -> Matrix:
        """Calibrated probabilities (n, 5) of a batch."""
        blend = self.share * log_softmax(self.linear.logits(observed, hashed))
        blend += (1 - self.share) * log_softmax(self.trees.logits(observed))
        return self.calibration.probabilities(blend, observed[:, _ANSWER] > 0, languages)

    def given(
        self, probabilities: Matrix, answers: npt.NDArray[np.bool_]
    ) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.bool_]]:
        """`given_tags` by this model's thresholds."""
        return given_tags(probabilities, self.offsets[answers.astype(np.int64)], self.unsure)


def given_tags(
    probabilities: Matrix, offsets: Matrix, unsure: float
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.bool_]]:
    """Index into TAGS of each row's tag, the first of equals; and where `other` stands for want of certainty."""
    shifted = softmax(np.log(np.maximum(probabilities, SMALLEST)) + offsets)
    best = shifted.argmax(axis=1)
    doubtful = (shifted[np.arange(len(best)), best] < unsure) & (best != TAGS.index(Tag.OTHER))
    return np.where(doubtful, TAGS.index(Tag.OTHER), best), doubtful


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
