"""Calibration and thresholds: what is learned for a language, and what a threshold costs."""

import numpy as np
import pytest

from classifiers.model import Calibration, softmax
from classifiers.tags import TAGS, Tag
from classifiers.thresholds import Truth, calibration_for, offsets_for

SIZE = 600
DENIAL = TAGS.index(Tag.DENIAL)


def posts(*spoken: tuple[str, int, float]) -> tuple[np.ndarray, Truth]:
    """Logits and truth of so many posts of each language, whose denials are underrated by so much."""
    chance = np.random.default_rng(1)
    languages = np.repeat([name for name, _, _ in spoken], [count for _, count, _ in spoken])
    missed = np.repeat([by for _, _, by in spoken], [count for _, count, _ in spoken])
    right = chance.normal(size=(len(languages), len(TAGS)))
    tags = np.array([chance.choice(len(TAGS), p=row) for row in softmax(right)], dtype=np.int64)
    logits = right.copy()
    logits[:, DENIAL] -= missed
    count = len(tags)
    nothing, every = np.full(count, -1, dtype=np.int64), np.ones(count, dtype=np.bool_)
    sets = np.full(count, "written")
    return logits, Truth(tags, nothing, sets, np.zeros(count), every, languages, every)


def test_a_language_that_is_read_wrongly_is_drawn_to_what_is_right() -> None:
    logits, truth = posts(("en", SIZE * 4, 0.0), ("ps", SIZE, 2.0))
    known = np.ones(len(logits), dtype=np.bool_)
    calibration = calibration_for(logits, truth, known)
    assert calibration.languages == ("en", "ps")
    off = []
    for spoken in (None, ["ps"] * SIZE):
        which = truth.languages == "ps"
        told = calibration.probabilities(logits[which], truth.answers[which], spoken)
        off.append(abs(float(told[:, DENIAL].mean()) - float((truth.tags[which] == DENIAL).mean())))
    assert off[1] < off[0] * 0.75
    english = truth.languages == "en"
    told = calibration.probabilities(logits[english], truth.answers[english], ["en"] * int(english.sum()))
    assert told[:, DENIAL].mean() == pytest.approx((truth.tags[english] == DENIAL).mean(), abs=0.02)


def test_a_language_with_few_posts_or_none_is_read_as_all_together() -> None:
    logits, truth = posts(("en", SIZE, 0.0), ("ps", 20, 2.0), ("und", SIZE, 0.0))
    calibration = calibration_for(logits, truth, np.ones(len(logits), dtype=np.bool_))
    assert calibration.languages == ("en",)
    answers = truth.answers[:3]
    together = calibration.probabilities(logits[:3], answers)
    assert np.array_equal(calibration.probabilities(logits[:3], answers, ["ps", "und", "xx"]), together)
    assert not np.array_equal(calibration.probabilities(logits[:3], answers, ["en", "und", "xx"]), together)


def test_the_fewer_posts_a_language_has_the_nearer_it_stays_to_all_together() -> None:
    found = []
    for count in (60, SIZE):
        logits, truth = posts(("en", SIZE * 4, 0.0), ("ps", count, 2.0))
        calibration = calibration_for(logits, truth, np.ones(len(logits), dtype=np.bool_))
        found.append(calibration.language_bias[calibration.languages.index("ps"), DENIAL])
    assert 0 < found[0] < found[1]


def test_a_calibration_without_languages_is_plain_vector_scaling() -> None:
    calibration = Calibration(np.array([1.0, 2.0]), np.zeros((2, len(TAGS))))
    logits = np.eye(len(TAGS))[:2]
    told = calibration.probabilities(logits, np.array([False, True]), ["en", "fa"])
    assert np.allclose(told, softmax(logits * np.array([[1.0], [2.0]])))


def test_thresholds_that_gain_nothing_stay_at_nothing() -> None:
    logits, truth = posts(("en", SIZE, 0.0))
    sure = np.eye(len(TAGS))[truth.tags] * 0.9 + 0.02
    assert not offsets_for(sure, truth, np.ones(len(logits), dtype=np.bool_)).any()


def test_an_original_is_a_claim_only_where_it_would_be_one_on_a_day_on_which_most_are_other() -> None:
    logits, truth = posts(("en", SIZE * 4, 0.0))
    every = np.ones(len(logits), dtype=np.bool_)
    originals, answers = offsets_for(softmax(logits), truth._replace(answers=~every), every)
    claim, other = TAGS.index(Tag.CLAIM), truth.tags == TAGS.index(Tag.OTHER)
    assert originals[claim] < answers[claim] - 1
    told = softmax(logits)[other]
    claimed = [(np.log(told) + each).argmax(axis=1) == claim for each in (originals, answers)]
    assert claimed[0].mean() < claimed[1].mean() / 2
