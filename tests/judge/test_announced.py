import copy

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.judge.announced import KEPT, PERIODS, Announced, Prior, thresholds

STEP, HOUR, DAY = 300, 3_600, 86_400
Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]


def exponential(rng: np.random.Generator, days: int, keys: int, mean: float = 0.6) -> Floats:
    """Scores whose hourly largest have an exponential tail; one bin in twelve stands out."""
    scores = np.zeros((days * DAY // STEP, keys))
    scores[::12] = rng.exponential(mean, scores[::12].shape)
    return scores


def play(alarms: Announced, scores: Floats, usable: Flags | None = None, first: int = 0) -> Flags:
    """Flags of all bins, (bins, keys)."""
    found = [
        alarms.tick((first + number + 1) * STEP, row, np.ones(row.size, np.bool_) if usable is None else usable[number])
        for number, row in enumerate(scores)
    ]
    return np.array(found)


def same(one: Announced, other: Announced) -> bool:
    return all(np.array_equal(a, b) for a, b in zip((one.at, *one.arrays()), (other.at, *other.arrays()), strict=True))


@pytest.mark.parametrize("per_day", [0.05, 0.1, 0.5, 2.0])
@pytest.mark.parametrize("mean", [0.4, 0.6, 1.5])
def test_after_four_weeks_alarms_are_as_frequent_as_announced(per_day: float, mean: float) -> None:
    keys, days = 150, 14
    alarms = Announced(STEP, keys, per_day)
    rng = np.random.default_rng(3)
    play(alarms, exponential(rng, 28, keys, mean))
    realised = play(alarms, exponential(rng, days, keys, mean), first=28 * DAY // STEP).sum() / keys / days
    noise = 3 * (per_day * 1.5 / keys / days) ** 0.5
    assert 0.6 * per_day - noise <= realised <= 1.25 * per_day + noise


def test_each_key_may_have_a_rate_of_its_own() -> None:
    scores = exponential(np.random.default_rng(1), 10, 3)
    rates = np.array([0.05, 0.5, 4.0])
    alarms = Announced(STEP, 3, rates)
    play(alarms, scores)
    alarms.derive()
    for key, rate in enumerate(rates.tolist()):
        alone = Announced(STEP, 1, rate)
        play(alone, scores[:, [key]])
        alone.derive()
        assert alone.threshold[0] == alarms.threshold[key]


def test_the_lower_the_announced_rate_the_higher_the_threshold() -> None:
    scores = exponential(np.random.default_rng(2), 20, 30)
    limits = []
    for per_day in (0.5, 0.1, 0.02):
        alarms = Announced(STEP, 30, per_day)
        play(alarms, scores)
        limits.append(alarms.threshold)
    assert (limits[0] < limits[1]).all()
    assert (limits[1] < limits[2]).all()


def test_a_key_is_judged_by_its_own_past() -> None:
    rng = np.random.default_rng(4)
    scores = exponential(rng, 28, 2) * np.array([1.0, 4.0])
    alarms = Announced(STEP, 2, 0.1)
    play(alarms, scores)
    assert alarms.threshold[1] > 2.5 * alarms.threshold[0]
    alone = Announced(STEP, 1, 0.1)
    play(alone, scores[:, 1:])
    assert alone.threshold[0] == pytest.approx(alarms.threshold[1], rel=0.01)


def test_high_scores_less_than_an_hour_apart_are_one_alarm() -> None:
    alarms = Announced(STEP, 1, 0.1)
    scores = np.zeros((60, 1))
    scores[[0, 1, 5, 16, 28, 50]] = 50.0
    assert np.flatnonzero(play(alarms, scores)).tolist() == [0, 28, 50]


def test_what_is_not_usable_neither_alarms_nor_is_learned() -> None:
    scores = exponential(np.random.default_rng(5), 10, 1)
    scores[1_000] = 99.0
    usable = np.ones(scores.shape, np.bool_)
    usable[1_000] = False
    alarms, other = Announced(STEP, 1, 0.1), Announced(STEP, 1, 0.1)
    assert not play(alarms, scores, usable)[1_000, 0]
    scores[1_000] = np.nan
    play(other, scores, usable)
    assert same(alarms, other)


def test_real_bursts_do_not_deafen_a_key() -> None:
    rng = np.random.default_rng(6)
    keys = 100
    scores = exponential(rng, 42, keys)
    struck = scores.copy()
    struck[np.arange(1_000, scores.shape[0], 4_000)] = 25.0
    quiet, often = Announced(STEP, keys, 0.1), Announced(STEP, keys, 0.1)
    play(quiet, scores)
    play(often, struck)
    assert often.threshold.mean() < quiet.threshold.mean() + 0.4


def test_a_key_that_is_loud_by_nature_is_learned() -> None:
    rng = np.random.default_rng(7)
    scores = exponential(rng, 42, 50)
    loud = scores + 8 * (rng.random(scores.shape) < 0.5 / 288)
    alarms = Announced(STEP, 50, 0.1)
    flags = play(alarms, loud)
    assert flags[: 14 * 288].sum() / 14 / 50 > 0.3
    assert flags[28 * 288 :].sum() / 14 / 50 < 0.2


def test_what_is_older_than_six_periods_is_forgotten() -> None:
    rng = np.random.default_rng(8)
    alarms = Announced(STEP, 50, 0.1)
    play(alarms, exponential(rng, 21, 50, mean=3.0))
    before = alarms.threshold.mean()
    play(alarms, exponential(rng, 7 * PERIODS + 7, 50), first=21 * 288)
    assert before > 8
    assert alarms.threshold.mean() < 5


def test_without_history_the_prior_holds() -> None:
    alarms = Announced(STEP, 3, 0.1, Prior(daily=2.0, excess=0.5))
    assert np.allclose(alarms.threshold, 2.0 + 6 * 0.5 * (10 ** (1 / 6) - 1))
    assert play(alarms, np.full((1, 3), 9.0)).all()


def test_a_bin_that_is_not_later_is_no_bin() -> None:
    alarms = Announced(STEP, 2, 0.1)
    play(alarms, exponential(np.random.default_rng(9), 3, 2))
    before = copy.deepcopy(alarms)
    assert not alarms.tick(2 * DAY, np.full(2, 99.0), np.ones(2, np.bool_)).any()
    assert same(alarms, before)


def test_a_jump_of_the_clock_over_years_forgets_and_goes_on() -> None:
    alarms = Announced(STEP, 2, 0.1)
    play(alarms, exponential(np.random.default_rng(9), 30, 2, mean=5.0))
    far = 20 * 365 * DAY // STEP
    play(alarms, np.zeros((12, 2)), first=far)
    assert np.allclose(alarms.threshold, Announced(STEP, 2, 0.1).threshold, atol=0.1)


@pytest.mark.parametrize("score", [0.0, 1.0, 1e30, -5.0, np.inf, -np.inf, np.nan])
def test_odd_series_have_defined_answers(score: float) -> None:
    alarms = Announced(STEP, 3, 0.1)
    flags = play(alarms, np.full((2_000, 3), score))
    assert np.isfinite(alarms.threshold).all()
    assert flags.sum() <= 3


def test_no_keys_are_no_alarms() -> None:
    assert Announced(STEP, 0, 0.1).tick(STEP, np.zeros(0), np.zeros(0, np.bool_)).size == 0


def test_a_key_costs_at_most_300_bytes() -> None:
    assert sum(array.nbytes for array in Announced(STEP, 1_000, 0.1).arrays()) / 1_000 <= 300


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 1_000), cut=st.integers(0, 2_000), per_day=st.floats(0.01, 20))
def test_a_copy_of_the_state_goes_on_to_the_byte(seed: int, cut: int, per_day: float) -> None:
    scores = exponential(np.random.default_rng(seed), 7, 3)
    whole, first = Announced(STEP, 3, per_day), Announced(STEP, 3, per_day)
    flags = play(whole, scores)
    before = play(first, scores[:cut]) if cut else np.zeros((0, 3), np.bool_)
    second = Announced(STEP, 3, per_day)
    for new, old in zip((second.at, *second.arrays()), (first.at, *first.arrays()), strict=True):
        new[:] = old
    after = play(second, scores[cut:], first=cut)
    assert np.array_equal(flags, np.concatenate([before.reshape(-1, 3), after.reshape(-1, 3)]))
    assert same(second, whole)


@settings(max_examples=50, deadline=None)
@given(
    peaks=st.lists(st.floats(0, 1e6), min_size=PERIODS * KEPT, max_size=PERIODS * KEPT),
    days=st.floats(0, 42),
    per_day=st.floats(0.001, 0.5),
)
def test_a_threshold_is_a_number_and_falls_with_the_rate(peaks: list[float], days: float, per_day: float) -> None:
    column = np.array(peaks)[:, None]
    one, other = (thresholds(column, np.array([days]), rate, 0.75, Prior()) for rate in (per_day, per_day / 2))
    assert np.isfinite(one).all()
    assert one[0] <= other[0]
