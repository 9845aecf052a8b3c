"""The tagger: probabilities of the five tags for (text, parent) pairs, and the tag they come to."""

from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt
import polars as pl

from classifiers.features import Features
from classifiers.figures import Confusion
from classifiers.tags import TAGS, Tag

__all__ = ["Linear", "Tagger", "softmax"]

Matrix = npt.NDArray[np.float64]

_CHUNK: Final = 4_096
_SMALLEST: Final = 5e-5
_NOTHING_SAID: Final = np.array([0.92 if tag is Tag.OTHER else 0.02 for tag in TAGS])
"""For a text without any word or emoji: empty, or only links and handles."""
_TAG: Final = pl.Enum([tag.value for tag in TAGS])


class Linear(NamedTuple):
    """A linear model over features."""

    weights: Matrix
    """(features, 5)"""
    bias: Matrix
    """(5,)"""
    temperature: float
    """Logits are divided by it, so that probabilities mean what they say on posts never seen."""
    offsets: Matrix
    """(5,) added to the logarithms of the probabilities before the largest decides: the classes' thresholds."""


class Tagger:
    """Tags posts; made by `classifiers.artifact.load`."""

    def __init__(self, features: Features, model: Linear, confusion: Confusion) -> None:
        self.confusion = confusion
        """Counts from held-out whole events: rows the true tag, columns the given one."""
        self._features = features
        self._model = model

    def probabilities(self, texts: pl.Series, parents: pl.Series) -> Matrix:
        """(n, 5) in the order of TAGS, rounded to 1e-4, the same in every batch.

        `parents` is the text answered, or for an original the event's proposition, "" or null where there is neither.
        """
        chunks = [
            self._chunk(texts.slice(begin, _CHUNK), parents.slice(begin, _CHUNK))
            for begin in range(0, len(texts), _CHUNK)
        ]
        return np.concatenate(chunks) if chunks else np.zeros((0, len(TAGS)))

    def decide(self, probabilities: Matrix) -> pl.Series:
        """The tag of each row of (n, 5) probabilities, as an Enum column; the first of equals."""
        shifted = np.log(np.maximum(probabilities, _SMALLEST)) + self._model.offsets
        return pl.Series("tag", shifted.argmax(axis=1).astype(np.uint32)).cat.to(_TAG)

    def _chunk(self, texts: pl.Series, parents: pl.Series) -> Matrix:
        rows, silent = self._features.rows_and_silent(texts, parents)
        logits = rows @ self._model.weights + self._model.bias
        probabilities = softmax(logits / self._model.temperature)
        probabilities[silent] = _NOTHING_SAID
        return np.asarray(np.round(probabilities, 4), dtype=np.float64)


def softmax(logits: Matrix) -> Matrix:
    """(n, k) probabilities of (n, k) logits, summed column by column so that no row depends on another."""
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    total = powers[:, 0].copy()
    for column in range(1, powers.shape[1]):
        total += powers[:, column]
    return np.asarray(powers / total[:, None], dtype=np.float64)
