"""Fits the model: folds of whole events, fits without class weights; `thresholds` makes tags of what it gives."""

from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt
import polars as pl
import xxhash
from scipy import sparse
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression

from classifiers.features import Features
from classifiers.languages import load_languages
from classifiers.model import Calibration, Linear, Matrix, Model, log_softmax
from classifiers.reading import Watched, posts
from classifiers.tags import TAGS
from classifiers.trees import UNIT, Trees, exported

__all__ = [
    "FOLDS",
    "SHARE",
    "UNSURE",
    "Rows",
    "cross_fit",
    "fit_linear",
    "fit_trees",
    "fold_of",
    "refit",
    "see_all",
    "tag_indices",
]

Indices = npt.NDArray[np.int64]

FOLDS: Final = 5
SHARE: Final = 0.4
"""The linear model's share of the blend; 0.3 to 0.7 differ by noise."""
UNSURE: Final = 0.33
"""Leaves 4 % of held-out posts untagged, which were right in two of five cases; higher costs F1."""
_STRENGTH: Final = 0.1
_ROUNDS: Final = 80
_DEPTH: Final = 5
_LEAF: Final = 20
"""Posts of a leaf; an observation made less often can part nothing."""
_VALUES: Final = 64
"""More than any observation takes, so that no two of its values are one to a tree."""
_TWICE: Final = 2
"""Posts in which a word must occur to be learned."""
_LARGE: Final[dict[str, int]] = {
    "charliehebdo": 0,
    "ferguson": 1,
    "sydneysiege": 2,
    "illary": 3,
    "germanwings-crash": 4,
}
_TELLING: Final = 25
"""Characters from which on a text that stands in the fold left out is not trained on elsewhere."""
_UNKNOWN: Final = 0.25
_LANGUAGE: Final = [at for at, name in enumerate(Features.names) if name.startswith("language:")]
_VOICE: Final = [at for at, name in enumerate(Features.names) if name.startswith("voice:")]
_NEVER: Final = -20.0
"""Logit of a tag no example has."""


class Rows(NamedTuple):
    """Examples as numbers."""

    observed: npt.NDArray[np.uint8]
    hashed: sparse.csr_array
    scale: Matrix
    """(observations,) what each is divided by for the linear model."""

    def of(self, which: npt.NDArray[np.bool_] | Indices) -> "Rows":
        """Some of the rows."""
        return Rows(self.observed[which], self.hashed[which], self.scale)


def tag_indices(tags: pl.Series) -> Indices:
    """Index into TAGS of each tag; -1 for null."""
    return tags.cast(pl.Enum([tag.value for tag in TAGS])).to_physical().cast(pl.Int64).fill_null(-1).to_numpy()


def fold_of(groups: pl.Series, seed: int = 1) -> Indices:
    """The fold of each group: the five large events one each, the others by the hash of their name and the seed."""
    names = groups.unique(maintain_order=True)
    folds = [_LARGE.get(name, xxhash.xxh32_intdigest(name.encode(), seed) % FOLDS) for name in names]
    return groups.replace_strict(names, folds, return_dtype=pl.Int64).to_numpy()


def see_all(features: Features, examples: pl.DataFrame) -> Rows:
    """All examples as numbers, in chunks of a serving batch, their languages as they are identified when serving."""
    known = load_languages()
    seen = [
        features.see(
            posts(
                part["text"],
                part["parent"],
                part["root"],
                part["answer"],
                known.origin(part["text"], part["voice"]),
                watched=Watched(part["names"], part["wordings"]),
            )
        )
        for part in examples.iter_slices(4096)
    ]
    hashed = sparse.csr_array(sparse.vstack([each.hashed for each in seen], format="csr"))
    return Rows(np.concatenate([each.observed for each in seen]), hashed, features.scale)


def fit_linear(rows: Rows, tags: Indices, weights: Matrix, seed: int) -> Linear:
    """Multinomial logistic regression, in the precision in which it is served."""
    observed = sparse.csr_array(rows.observed / rows.scale)
    together = sparse.csr_array(sparse.hstack([observed, rows.hashed], format="csr"))
    told = np.flatnonzero(np.bincount(together.indices, minlength=together.shape[1]) >= _TWICE)
    model = LogisticRegression(C=_STRENGTH, max_iter=70, tol=1e-3, random_state=seed)
    model.fit(together[:, told], tags, sample_weight=weights)
    full = np.zeros((together.shape[1], len(TAGS)))
    bias = np.full(len(TAGS), _NEVER)
    full[told[:, None], model.classes_] = model.coef_.T
    bias[model.classes_] = model.intercept_
    seen = np.rint(full[: len(rows.scale)] / rows.scale[:, None] * UNIT)
    hashed = full[len(rows.scale) :].astype(np.float16).astype(np.float32)
    return Linear(seen, np.ascontiguousarray(hashed), bias)


def fit_trees(rows: Rows, tags: Indices, weights: Matrix, seed: int) -> Trees:
    """Gradient boosting over the observations."""
    present = np.unique(tags)
    model = HistGradientBoostingClassifier(
        max_iter=_ROUNDS,
        max_leaf_nodes=15,
        max_depth=_DEPTH,
        learning_rate=0.1,
        l2_regularization=5.0,
        min_samples_leaf=_LEAF,
        max_features=0.3,
        max_bins=_VALUES,
        random_state=seed,
        early_stopping=False,
    )
    if len(present) < len(TAGS):
        why = f"posts of every tag are needed to train; found only {', '.join(TAGS[tag] for tag in present)}"
        raise ValueError(why)
    told = np.flatnonzero((rows.observed > 0).sum(axis=0) >= _LEAF)
    model.fit(rows.observed[:, told], tags, sample_weight=weights)
    trees = exported(model._predictors, model._baseline_prediction, _DEPTH)  # noqa: SLF001 - pinned; a test compares
    return trees._replace(feature=told[trees.feature].astype(trees.feature.dtype))


def cross_fit(rows: Rows, examples: pl.DataFrame, tags: Indices, weights: Matrix, seed: int) -> Matrix:
    """(n, 5) blended logarithms of probabilities of every example, by models that never saw its event.

    Nor did they see a text of the fold left out. `tags` are trained on; -1 is not.
    """
    fold = fold_of(examples["group"], seed)
    telling = (examples["text"].str.len_chars() >= _TELLING).to_numpy()
    blend = np.zeros((len(fold), len(TAGS)))
    for each in range(FOLDS):
        out = fold == each
        repeated = examples["text"].is_in(examples.filter(pl.Series(out))["text"].implode()).to_numpy()
        train = ~out & ~(repeated & telling) & (tags >= 0) & (weights > 0)
        blend[out] = _blend(*_fitted(rows.of(train), tags[train], weights[train], seed), rows.of(out))
    return blend


def refit(rows: Rows, tags: Indices, weights: Matrix, seed: int, *, calibration: Calibration, offsets: Matrix) -> Model:
    """The model of all examples as it is served."""
    linear, trees = _fitted(rows, tags, weights, seed)
    return Model(linear, trees, SHARE, calibration, offsets, UNSURE)


def _fitted(rows: Rows, tags: Indices, weights: Matrix, seed: int) -> tuple[Linear, Trees]:
    """Both models, of posts a quarter of which, drawn by the seed, are of no known language.

    Posts of registered voices are seen twice, once without their voice: mostly there is none to be told of.
    """
    voiced = np.flatnonzero(rows.observed[:, _VOICE].any(axis=1))
    which = np.append(np.arange(len(tags)), voiced)
    shown = rows.of(which)
    unknown = np.random.default_rng(seed).random(len(which)) < _UNKNOWN
    shown.observed[np.flatnonzero(unknown)[:, None], _LANGUAGE] = 0
    shown.observed[len(tags) :, _VOICE] = 0
    return fit_linear(shown, tags[which], weights[which], seed), fit_trees(shown, tags[which], weights[which], seed)


def _blend(linear: Linear, trees: Trees, rows: Rows) -> Matrix:
    told = SHARE * log_softmax(linear.logits(rows.observed, rows.hashed))
    return np.asarray(told + (1 - SHARE) * log_softmax(trees.logits(rows.observed)), dtype=np.float64)
