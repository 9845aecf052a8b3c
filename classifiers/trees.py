"""Gradient boosted trees as plain arrays, asked about a whole batch at once.

Every tree is laid out as a complete binary tree, so that a post's way down needs no pointers: after `depth` comparisons
of one byte with another its place is its leaf. Leaves are whole numbers, so sums are exact and the same in every batch.
"""

from collections.abc import Sequence
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

__all__ = ["UNIT", "Trees", "exported"]

UNIT: Final = 1 << 16
"""What a leaf value of 1 is stored as."""
_AT_ONCE: Final = 256
"""Posts that are best asked about at once: their places stay in the cache."""
_ALWAYS_LEFT: Final = 255


class Trees(NamedTuple):
    """Rounds of one tree per class."""

    depth: int
    feature: npt.NDArray[np.int16]
    """(trees, 2^depth - 1) the observation each node looks at, level by level; trees of a round stand together."""
    most: npt.NDArray[np.uint8]
    """(trees, 2^depth - 1) a post goes left where its observation is at most this."""
    leaf: npt.NDArray[np.int32]
    """(trees, 2^depth) in units of 1 / `UNIT`."""
    start: npt.NDArray[np.int32]
    """(classes,) what every post begins with."""

    def logits(self, observed: npt.NDArray[np.uint8]) -> npt.NDArray[np.float64]:
        """(n, classes) for (n, observations)."""
        parts = [self._part(observed[begin : begin + _AT_ONCE]) for begin in range(0, len(observed), _AT_ONCE)]
        return np.concatenate(parts) if parts else np.zeros((0, len(self.start)))

    def _part(self, observed: npt.NDArray[np.uint8]) -> npt.NDArray[np.float64]:
        trees, inner = self.feature.shape
        flat = np.ascontiguousarray(observed).ravel()
        rows = (np.arange(len(observed), dtype=np.int32) * observed.shape[1])[:, None]
        roots = (np.arange(trees, dtype=np.int32) * inner)[None, :]
        feature, most = self.feature.ravel(), self.most.ravel()
        at = np.broadcast_to(roots, (len(observed), trees))
        for level in range(self.depth):
            right = flat.take(rows + feature.take(at)) > most.take(at)
            at = 2 * at - roots + right + 1 if level else roots + 1 + right
        leaves = self.leaf.ravel().take(at - roots - inner + np.arange(trees, dtype=np.int32) * (inner + 1))
        sums = leaves.reshape(len(observed), -1, len(self.start)).sum(axis=1, dtype=np.int64)
        return np.asarray((sums + self.start) / UNIT, dtype=np.float64)


def exported(rounds: Sequence[Sequence[Any]], start: npt.NDArray[np.float64], depth: int) -> Trees:
    """Trees of scikit-learn's `HistGradientBoostingClassifier`: its predictors, one list per round, and baseline."""
    trees = [tree.nodes for each in rounds for tree in each]
    feature = np.zeros((len(trees), (1 << depth) - 1), dtype=np.int16)
    most = np.full(feature.shape, _ALWAYS_LEFT, dtype=np.uint8)
    leaf = np.zeros((len(trees), 1 << depth), dtype=np.int32)
    for place, nodes in enumerate(trees):
        _lay(nodes, 0, 0, (feature[place], most[place], leaf[place]))
    return Trees(depth, feature, most, leaf, np.rint(start.ravel() * UNIT).astype(np.int32))


def _lay(nodes: Any, which: int, at: int, into: tuple[Any, Any, Any]) -> None:  # noqa: ANN401 - scikit-learn's records
    """Lays node `which` at place `at`; a leaf above the lowest level goes left all the way."""
    feature, most, leaf = into
    node = nodes[which]
    if node["is_leaf"]:
        while at < len(feature):
            at = 2 * at + 1
        leaf[at - len(feature)] = round(float(node["value"]) * UNIT)
        return
    feature[at], most[at] = node["feature_idx"], int(node["num_threshold"])
    _lay(nodes, int(node["left"]), 2 * at + 1, into)
    _lay(nodes, int(node["right"]), 2 * at + 2, into)
