import numpy as np
import pytest
from sklearn.ensemble import HistGradientBoostingClassifier

from classifiers.trees import Trees, exported

DEPTH = 4
CLASSES = 5


@pytest.fixture(scope="module")
def observed() -> np.ndarray:
    chance = np.random.default_rng(1)
    return chance.integers(0, 30, (1_500, 12)).astype(np.uint8)


@pytest.fixture(scope="module")
def fitted(observed: np.ndarray) -> HistGradientBoostingClassifier:
    tags = (observed[:, 0] // 10 + 2 * (observed[:, 3] > 15)) % CLASSES
    model = HistGradientBoostingClassifier(max_iter=12, max_depth=DEPTH, early_stopping=False, random_state=1)
    return model.fit(observed, tags)


@pytest.fixture(scope="module")
def trees(fitted: HistGradientBoostingClassifier) -> Trees:
    return exported(fitted._predictors, fitted._baseline_prediction, DEPTH)  # noqa: SLF001 - what the training exports


def test_exported_trees_give_what_scikit_learn_gives(
    trees: Trees, fitted: HistGradientBoostingClassifier, observed: np.ndarray
) -> None:
    logits = trees.logits(observed)
    powers = np.exp(logits)
    assert np.allclose(powers / powers.sum(axis=1, keepdims=True), fitted.predict_proba(observed), atol=1e-3)


@pytest.mark.parametrize("size", [1, 7, 255, 256, 257])
def test_any_cut_gives_the_very_same_numbers(trees: Trees, observed: np.ndarray, size: int) -> None:
    parts = [trees.logits(observed[begin : begin + size]) for begin in range(0, len(observed), size)]
    assert np.array_equal(np.concatenate(parts), trees.logits(observed))


def test_an_empty_batch_has_no_logits(trees: Trees, observed: np.ndarray) -> None:
    assert trees.logits(observed[:0]).shape == (0, CLASSES)
