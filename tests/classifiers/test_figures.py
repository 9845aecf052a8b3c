import numpy as np
import polars as pl
import pytest

from classifiers.figures import calibration_error, confusion, macro_f1, sample_weights, scores
from classifiers.measures import figure, five_way, four_way

TRUE = np.array([0, 0, 1, 1, 4, 4])
GIVEN = np.array([0, 1, 1, 4, 4, 4])


def test_precision_recall_and_f1_of_a_tag() -> None:
    found = scores(confusion(TRUE, GIVEN), 1)
    assert (found.precision, found.recall, found.f1, found.support) == (0.5, 0.5, 0.5, 2)


def test_weights_count_posts_for_many() -> None:
    weighted = confusion(TRUE, GIVEN, np.array([1.0, 1.0, 3.0, 1.0, 1.0, 1.0]))
    assert weighted.counts[1].tolist() == [0, 3, 0, 0, 1]
    assert scores(weighted, 1).recall == 0.75


def test_macro_f1_is_over_the_tags_that_occur_or_over_those_asked_for() -> None:
    table = confusion(TRUE, GIVEN)
    assert five_way(table) == macro_f1(table) == pytest.approx(np.mean([2 / 3, 0.5, 0.8]))
    assert four_way(table) == pytest.approx(np.mean([2 / 3, 0.5, 0.0, 0.8]))


def test_a_sample_read_again_stands_for_its_whole_set() -> None:
    posts = pl.DataFrame(
        {
            "set": ["a"] * 5,
            "public_tag": ["denial", "other", "other", "other", "other"],
            "reread": [True, True, False, True, False],
        }
    )
    assert sample_weights(posts).tolist() == [1.0, 2.0, 0.0, 2.0, 0.0]


def test_a_forecast_that_means_what_it_says_has_no_calibration_error() -> None:
    true = np.array([0, 1] * 50)
    sure = np.zeros((100, 5))
    sure[:, :2] = 0.5
    assert calibration_error(sure, true) == 0
    sure[:, 0], sure[:, 1] = 0.9, 0.1
    assert calibration_error(sure, true) == pytest.approx(0.16)


def test_the_interval_holds_the_figure_and_comes_from_whole_events() -> None:
    chance = np.random.default_rng(1)
    true = chance.integers(0, 5, 400)
    given = np.where(chance.random(400) < 0.7, true, chance.integers(0, 5, 400))
    groups = np.array([str(place % 20) for place in range(400)])
    found = figure(five_way, true, given, groups)
    assert found.low < found.value < found.high
    assert figure(five_way, true, given, np.array(["one"] * 400)).low == found.value
