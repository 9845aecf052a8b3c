"""The tagger: probabilities of the five tags for (text, parent) pairs, and the tag they come to."""

from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt
import polars as pl

from classifiers.features import Features
from classifiers.figures import Confusion
from classifiers.tags import TAGS

__all__ = ["Linear", "Tagger", "softmax"]

Matrix = npt.NDArray[np.float64]

_CHUNK: Final = 4_096
_SMALLEST: Final = 5e-5
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
        logits = self._features.rows(texts, parents) @ self._model.weights + self._model.bias
        return np.round(softmax(logits / self._model.temperature), 4)


def softmax(logits: Matrix) -> Matrix:
    """(n, k) probabilities of (n, k) logits, summed column by column so that no row depends on another."""
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    total = powers[:, 0].copy()
    for column in range(1, powers.shape[1]):
        total += powers[:, column]
    return np.asarray(powers / total[:, None], dtype=np.float64)
