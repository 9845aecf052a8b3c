from math import comb, exp, isfinite, log

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import betaincc, betaln

from monitor.frames import TAGS
from monitor.judge.epoch import Epoch, Sides, p0_at_ticks, worst_by_share
from monitor.judge.race import (
    Dispersion,
    alpha_of_start,
    dispersion,
    log_e,
    log_e_bound,
    p0_worst,
    posterior,
)
from monitor.judge.tails import log_betainc, log_nbinom_tail

COUNT = st.integers(0, 400)
P0 = st.floats(0.5, 0.97)


def test_six_originals_and_no_denial_are_worth_28_8() -> None:
    assert exp(log_e(6, 0)) == pytest.approx(28.8, abs=0.05)


@given(COUNT, COUNT)
def test_at_even_odds_it_is_the_closed_form(claims: int, denials: int) -> None:
    tail = betaincc(claims + 0.5, denials + 0.5, 0.5)
    form = (claims + denials + 1) * log(2) + betaln(claims + 0.5, denials + 0.5) - betaln(0.5, 0.5)
    if tail > 1e-200:
        assert log_e(claims, denials) == pytest.approx(form + log(tail), abs=1e-6)


@given(st.integers(1, 60), P0)
def test_its_expectation_under_the_null_is_one_after_any_number_of_posts(posts: int, p0: float) -> None:
    chance = [comb(posts, a) * p0**a * (1 - p0) ** (posts - a) for a in range(posts + 1)]
    claims = np.arange(posts + 1)
    assert np.array(chance) @ np.exp(log_e(claims, posts - claims, p0)) == pytest.approx(1, rel=1e-6)


@given(COUNT, COUNT, P0)
def test_the_cheap_bound_is_never_below(claims: int, denials: int, p0: float) -> None:
    bound = log_e_bound(np.array([claims]), np.array([denials]), np.array([p0]))
    assert log_e(claims, denials, p0) <= bound[0]


def test_it_is_finite_far_beyond_where_the_tail_underflows() -> None:
    hopeless = float(log_e(0, 100_000, 0.9))
    assert isfinite(hopeless)
    assert hopeless < 0
    assert isfinite(float(log_e(1_000_000, 3, 0.5)))


def test_more_claims_say_more_and_more_denials_less() -> None:
    assert np.all(np.diff(log_e(np.arange(5, 200), 5)) > 0)
    assert np.all(np.diff(log_e(50, np.arange(40))) < 0)


def test_the_tail_below_the_smallest_number_joins_the_one_above() -> None:
    counts = np.arange(100.0, 2_000.0, 10)
    logs = log_nbinom_tail(counts, np.array(10.0), np.array(5.0))
    steps = np.diff(logs)
    assert np.all(steps < 0)
    assert np.all(np.abs(np.diff(steps)) < 0.05)


@given(st.floats(0.5, 80), st.floats(0.5, 80), st.floats(0.05, 0.95))
def test_log_tails_of_both_sides_add_up_to_one(a: float, b: float, x: float) -> None:
    below, above = log_betainc(*map(np.asarray, (a, b, x))), log_betainc(*map(np.asarray, (b, a, 1 - x)))
    assert np.exp(below) + np.exp(above) == pytest.approx(1, abs=1e-9)


def test_the_posterior_is_a_reading_between_zero_and_one() -> None:
    assert posterior(0, 0) == 0.5
    assert posterior(40, 2) > 0.999
    assert posterior(2, 40) < 0.001


def test_the_starts_of_thirty_days_together_spend_no_more_than_alpha() -> None:
    assert sum(alpha_of_start(0.05, k) for k in range(1, 10_000)) <= 0.05


def confusion(rows: dict[str, dict[str, int]]) -> npt.NDArray[np.int64]:
    counts = np.zeros((5, 5), np.int64)
    names = [tag.value for tag in TAGS]
    for true, given_as in rows.items():
        for tag, count in given_as.items():
            counts[names.index(true), names.index(tag)] = count
    return counts


PERFECT = confusion({tag: {tag: 1_000_000} for tag in ("claim", "denial", "celebration", "question", "other")})
POOR = {"claim": {"claim": 900, "other": 100}, "denial": {"denial": 450, "claim": 300, "other": 250}}


def test_a_tagger_that_never_errs_makes_even_odds() -> None:
    assert p0_worst(None, 0.5) == 0.5
    assert p0_worst(PERFECT, 0.5) == pytest.approx(0.5, abs=0.001)


def test_missed_denials_and_leaks_raise_what_counts_as_even() -> None:
    poor = confusion(POOR | {"other": {"other": 1_000}})
    leaky = confusion(POOR | {"other": {"other": 900, "claim": 100}})
    assert p0_worst(poor, 0.0) == pytest.approx(0.75, abs=0.03)
    assert p0_worst(leaky, 0.8) > p0_worst(leaky, 0.2) > p0_worst(poor, 0.2)


def test_the_fewer_posts_the_tagger_was_tried_on_the_higher_the_bar() -> None:
    few, many = confusion({tag: {tag: 20} for tag in POOR}), confusion({tag: {tag: 2_000} for tag in POOR})
    assert p0_worst(few, 0.0) > p0_worst(many, 0.0) >= 0.5


def test_a_tagger_that_favours_denials_lowers_nothing() -> None:
    kind = confusion({"claim": {"claim": 500, "denial": 500}, "denial": {"denial": 1_000}})
    assert p0_worst(kind, 0.0) == 0.5


def test_p0_never_falls_within_an_epoch() -> None:
    worst = worst_by_share(confusion(POOR | {"other": {"other": 900, "claim": 100}}))
    epoch = Epoch(0, 0)
    sides = Sides(np.arange(1, 5), np.array([10, 90, 0, 0]), np.array([20, 90, 500, 5_000]))
    _, p0 = p0_at_ticks(epoch, worst, sides)
    assert p0[1] > p0[0]
    assert p0[3] == p0[2] == p0[1] == epoch.p0


def alternating(
    size: int, run: int
) -> tuple[np.ndarray[tuple[int], np.dtype[np.int64]], np.ndarray[tuple[int], np.dtype[np.int64]]]:
    side = (np.arange(size) // run) % 2
    return np.cumsum(side), np.arange(1, size + 1)


def test_sides_that_come_in_long_runs_are_dispersed_and_others_are_not() -> None:
    assert dispersion(Dispersion(), *alternating(400, 1))[0][-1] == 1.0
    assert dispersion(Dispersion(), *alternating(400, 20))[0][-1] > 5


@given(st.lists(st.tuples(st.integers(0, 6), st.integers(0, 6)), min_size=2, max_size=80), st.integers(1, 79))
def test_dispersion_does_not_depend_on_the_cut(posts: list[tuple[int, int]], cut: int) -> None:
    claims, denials = (np.cumsum(side) for side in zip(*posts, strict=True))
    total = claims + denials
    whole, end = dispersion(Dispersion(), claims, total)
    cut = min(cut, total.size - 1)
    first, state = dispersion(Dispersion(), claims[:cut], total[:cut])
    second, after = dispersion(state, claims[cut:], total[cut:])
    assert np.array_equal(whole, np.append(first, second))
    assert after == end
    assert whole.min() >= 1
