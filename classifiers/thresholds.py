"""What makes probabilities and tags of a fitted model's logits: calibration, and one threshold per tag."""

from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt
import polars as pl
from scipy.optimize import minimize

from classifiers.figures import confusion, macro_f1, sample_weights, scores
from classifiers.fit import FOLDS, UNSURE, tag_indices
from classifiers.languages import UNKNOWN, load_languages
from classifiers.model import SMALLEST, Calibration, Matrix, given_tags, softmax
from classifiers.tags import TAGS, Tag

__all__ = ["STANCE", "Decided", "Truth", "calibration_for", "decided", "offsets_for", "truth_of"]

Indices = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

STANCE: Final = tuple(TAGS.index(tag) for tag in (Tag.CLAIM, Tag.DENIAL, Tag.QUESTION, Tag.OTHER))
"""The four tags that public stance sets know."""
_PULL: Final = 1e-3
_LANGUAGE: Final = 40
"""Held-out posts of a language from which on it has a calibration of its own."""
_DRAWN: Final = 30.0
"""Weight of the pull towards all languages, against log losses summed over posts; 10 and 100 differ by noise."""
_ORIGINALS: Final = 0.015
_ANSWERS: Final = 0.03
"""What a threshold's square costs: what a few dozen rare posts gain by it seldom carries over to other events."""
OTHERS: Final = 0.5
"""Share of `other` among originals for which their thresholds are chosen."""
_CHUNK: Final = 4_096
_GRID: Final = np.arange(-1.6, 2.01, 0.1)
_ROUNDS: Final = 3


class Truth(NamedTuple):
    """What is known of (n,) examples."""

    tags: Indices
    """By the codebook where read again."""
    public: Indices
    """As the set has it; -1 where no set does."""
    sets: npt.NDArray[np.str_]
    weights: Matrix
    """How many posts of its set a post that was read again stands for; 0 for the others."""
    answers: Bools
    languages: npt.NDArray[np.str_]
    """As the language model reads them, and so will when serving."""
    measured: Bools
    """Posts whose tag is the codebook's: read again, written, or labelled for this project."""


class Decided(NamedTuple):
    """Held-out posts as the model tags them; calibration and thresholds come from the other folds."""

    probabilities: Matrix
    given: Indices


def truth_of(examples: pl.DataFrame) -> Truth:
    """The truth of EXAMPLES."""
    sets = examples["set"].to_numpy()
    measured = examples["reread"].to_numpy() | np.isin(sets, ("written", "celebration"))
    return Truth(
        tag_indices(examples["tag"]),
        tag_indices(examples["public_tag"]),
        sets,
        sample_weights(examples),
        examples["answer"].to_numpy(),
        _languages(examples["text"]),
        measured & np.isin(sets, ("rumoureval2019", "covid19_rumor_en", "written", "celebration", "corrections")),
    )


def _languages(texts: pl.Series) -> npt.NDArray[np.str_]:
    known = load_languages()
    return np.concatenate([known.identify(texts[at : at + _CHUNK]).to_numpy() for at in range(0, len(texts), _CHUNK)])


def decided(logits: Matrix, truth: Truth, fold: Indices) -> Decided:
    """Probabilities (n, 5) and tags (n,) of held-out logits."""
    probabilities = np.zeros_like(logits)
    given = np.zeros(len(logits), dtype=np.int64)
    for each in range(FOLDS):
        out, known = fold == each, fold != each
        calibration = calibration_for(logits, truth, known)
        everything = calibration.probabilities(logits, truth.answers, truth.languages.tolist())
        offsets = offsets_for(everything, truth, known)
        probabilities[out] = everything[out]
        given[out], _ = given_tags(probabilities[out], offsets[truth.answers[out].astype(np.int64)], UNSURE)
    return Decided(probabilities, given)


def calibration_for(logits: Matrix, truth: Truth, known: Bools) -> Calibration:
    """Scale and biases (vector scaling, Guo 2017, with one scale) with the smallest log loss on known measured posts.

    For originals and for answers each; where there are none of a kind its logits stay as they are. Then for each
    language with `_LANGUAGE` posts, drawn towards all languages together by a penalty that counts like some posts.
    """
    scale, bias = np.ones(2), np.zeros((2, len(TAGS)))
    for kind in (0, 1):
        chosen = known & truth.measured & (truth.answers == bool(kind))
        if chosen.any():
            scale[kind], bias[kind] = _scaling(logits[chosen], truth.tags[chosen])
    pooled = Calibration(np.round(scale, 4), np.round(bias, 4))
    return _by_language(pooled, pooled.scaled(logits, truth.answers), truth, known & truth.measured)


def _by_language(pooled: Calibration, logits: Matrix, truth: Truth, known: Bools) -> Calibration:
    names, counts = np.unique(truth.languages[known], return_counts=True)
    chosen = [str(name) for name, count in zip(names, counts, strict=True) if count >= _LANGUAGE and name != UNKNOWN]
    told = []
    for name in chosen:
        which = known & (truth.languages == name)
        told.append(_scaling(logits[which], truth.tags[which], _DRAWN / int(which.sum())))
    if not told:
        return pooled
    scale, bias = (np.round(np.array(part), 4) for part in zip(*told, strict=True))
    return pooled._replace(languages=tuple(chosen), language_scale=scale, language_bias=bias)


def _scaling(logits: Matrix, tags: Indices, pull: float = _PULL) -> tuple[float, Matrix]:
    free = len(TAGS) - 1

    def loss(told: Matrix) -> float:
        probabilities = softmax(logits * np.exp(told[free]) + np.append(told[:free], 0.0))
        likely = np.maximum(probabilities[np.arange(len(tags)), tags], 1e-12)
        return float(-np.log(likely).mean() + pull * (told**2).sum())

    found = minimize(loss, np.zeros(len(TAGS)), method="L-BFGS-B").x
    return float(np.exp(found[free])), np.append(found[:free], 0.0)


def offsets_for(probabilities: Matrix, truth: Truth, known: Bools) -> Matrix:
    """(2, 5) offsets of log probabilities for originals and answers, best on the known posts.

    For answers best is the mean of what the tagger is for, on all posts: four-way macro-F1 on RumourEval by public and
    by corrected labels, five-way on written posts, and F1 of celebration. For originals the latter two on originals,
    with written ones weighted so that `OTHERS` of them are `other`, as on a usual day they are: what is watched is
    named for many reasons. Thresholds begin where that share moves them, and cost the square of what they leave it by.
    """
    logs = np.log(np.maximum(probabilities, SMALLEST))
    originals, answers = _originals(truth, known & ~truth.answers), _parts(truth, known)
    begin = np.zeros(len(TAGS))
    if originals and originals[0].weights is not None:
        begin[:-1] = -np.round(np.log(originals[0].weights.max()), 1)
    return np.stack([_climbed(logs, originals, _ORIGINALS, begin), _climbed(logs, answers, _ANSWERS, begin * 0)])


def _climbed(logs: Matrix, parts: "list[_Part]", price: float, begin: Matrix) -> Matrix:
    """The best offsets by coordinate ascent over a grid from `begin`; what they move costs `price` times its square."""
    offsets = begin.copy()
    best = _merit(logs, offsets, parts)
    for _ in range(_ROUNDS):
        for tag in range(len(TAGS) - 1):
            for value in _GRID:
                tried = offsets.copy()
                tried[tag] = round(float(begin[tag] + value), 2)
                merit = _merit(logs, tried, parts) - price * float(((tried - begin) ** 2).sum())
                if merit > best + 1e-9:
                    best, offsets = merit, tried
    return offsets


class _Part(NamedTuple):
    which: Indices
    tags: Indices
    weights: Matrix | None
    among: tuple[int, ...] | None


def _parts(truth: Truth, known: Bools) -> list[_Part]:
    public = known & (truth.sets == "rumoureval2019") & (truth.public >= 0)
    again = known & (truth.sets == "rumoureval2019") & (truth.weights > 0)
    written = known & (truth.sets == "written")
    celebration = known & (truth.sets == "celebration")
    chosen = (
        (public, truth.public, None, STANCE),
        (again, truth.tags, truth.weights, STANCE),
        (written, truth.tags, None, None),
        (celebration, truth.tags, None, (TAGS.index(Tag.CELEBRATION),)),
    )
    return [
        _Part(np.flatnonzero(which), tags[which], None if weights is None else weights[which], among)
        for which, tags, weights, among in chosen
        if which.any()
    ]


def _originals(truth: Truth, known: Bools) -> list[_Part]:
    """Written originals, `OTHERS` of them `other`, and the celebration set."""
    written = known & (truth.sets == "written")
    celebration = known & (truth.sets == "celebration")
    other = truth.tags[written] == TAGS.index(Tag.OTHER)
    odds = OTHERS / (1 - OTHERS)
    weights = np.where(other, odds * (~other).sum() / max(int(other.sum()), 1), 1.0)
    parts = []
    if written.any():
        parts.append(_Part(np.flatnonzero(written), truth.tags[written], weights, None))
    if celebration.any():
        one = (TAGS.index(Tag.CELEBRATION),)
        parts.append(_Part(np.flatnonzero(celebration), truth.tags[celebration], None, one))
    return parts


def _merit(logs: Matrix, offsets: Matrix, parts: list[_Part]) -> float:
    merits = []
    for part in parts:
        given = (logs[part.which] + offsets).argmax(axis=1)
        table = confusion(part.tags, given, part.weights)
        one = part.among is not None and len(part.among) == 1
        merits.append(scores(table, part.among[0]).f1 if one and part.among else macro_f1(table, part.among))
    return sum(merits) / max(len(merits), 1)
