from math import comb, exp, isfinite, log

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import betaincc, betaln

from monitor.frames import TAGS
from monitor.judge.dispersion import Clumps, Lines, level
from monitor.judge.epoch import Epoch, Sides, p0_at_ticks
from monitor.judge.race import alpha_of_start, log_e, log_e_bound, posterior
from monitor.judge.rates import Neither, Rates, denial_share, p0_worst, true_weights
from monitor.judge.tails import log_betaincc

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
    counts = np.arange(10.0, 2_000.0, 10)
    logs = log_betaincc(np.array(5.0), counts, np.array(0.6))
    steps = np.diff(logs)
    assert logs[-1] < -750
    assert np.all(steps < 0)
    assert np.all(np.abs(np.diff(steps[10:])) < 0.05)


@given(st.floats(0.5, 80), st.floats(0.5, 80), st.floats(0.05, 0.95))
def test_log_tails_of_both_sides_add_up_to_one(a: float, b: float, x: float) -> None:
    above, below = log_betaincc(*map(np.asarray, (a, b, x))), log_betaincc(*map(np.asarray, (b, a, 1 - x)))
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


SIDES = ("celebration", "question", "other")
CERTAIN = {tag: {tag: 1_000_000} for tag in ("claim", "denial", *SIDES)}
POOR = {"claim": {"claim": 9_000, "other": 1_000}, "denial": {"denial": 4_500, "claim": 3_000, "other": 2_500}}


def worst(rows: dict[str, dict[str, int]], neither: int) -> float:
    """p0 where `neither` of 1,000,000 originals were given as other."""
    counts = confusion(CERTAIN | rows)
    return float(p0_worst(Rates.of_counts(counts), Neither(np.array([0, 0, neither]), np.array(1_000_000))))


def test_a_tagger_that_never_errs_makes_even_odds() -> None:
    assert p0_worst(None, Neither(np.array([0, 0, 500]), np.array(1_000))) == 0.5
    assert worst({}, 500_000) == pytest.approx(0.5, abs=0.001)


def test_errors_that_favour_neither_side_leave_even_odds() -> None:
    symmetric = {"claim": {"claim": 850_000, "denial": 150_000}, "denial": {"claim": 150_000, "denial": 850_000}}
    assert worst(symmetric, 0) == pytest.approx(0.5, abs=0.001)


def test_missed_denials_and_leaks_raise_what_counts_as_even() -> None:
    leak = {"other": {"other": 9_000, "claim": 1_000}}
    assert worst(POOR, 0) == pytest.approx(12 / 16.5, abs=0.02)
    assert worst(POOR | leak, 800_000) > worst(POOR | leak, 400_000) > worst(POOR, 400_000)


def test_sides_that_were_missed_are_not_reckoned_as_others() -> None:
    leak = {"other": {"other": 9_000, "claim": 1_000}}
    missed = (1_000 / 10_000 + 2_500 / 10_000) / 2
    assert worst(POOR | leak, round(1_000_000 * missed)) == pytest.approx(worst(POOR, 0), abs=0.02)


def test_the_fewer_posts_the_tagger_was_tried_on_the_higher_the_bar() -> None:
    few, many = ({tag: {tag: size} for tag in POOR} for size in (20, 2_000))
    assert worst(few, 0) > worst(many, 0) >= 0.5


def test_a_tagger_that_favours_denials_lowers_nothing() -> None:
    assert worst({"claim": {"claim": 5_000, "denial": 5_000}, "denial": {"denial": 10_000}}, 0) == 0.5


def test_the_joint_worst_case_is_worse_than_nine_in_ten_matrices_within_the_intervals() -> None:
    rng = np.random.default_rng(5)
    rates = Rates.of_counts(
        confusion({tag: {other: 40 + 160 * (tag == other) for other in CERTAIN} for tag in CERTAIN})
    )
    weights = np.array([0.2, 0.2, 0.1, 0.1, 0.4])
    given = weights @ rates.rate
    neither = Neither(np.round(1e6 * given[2:]).astype(np.int64), np.array(1_000_000))
    bar = float(p0_worst(rates, neither))
    drawn = rng.uniform(rates.low, rates.high, (4_000, 5, 5))
    sides = weights @ (drawn / drawn.sum(axis=2, keepdims=True))
    even = sides[:, 0] / sides[:, :2].sum(axis=1)
    assert np.mean(even > bar) < 0.1
    assert bar < even.max() + 0.02


def test_the_corrected_share_of_denials_finds_the_true_one_again() -> None:
    rates = Rates.of_counts(confusion(CERTAIN | POOR | {"other": {"other": 9_000, "claim": 1_000}}))
    true = np.array([0.3, 0.1, 0.0, 0.0, 0.6])
    claims, denials, *rest = np.round(1e6 * true @ rates.rate).astype(np.int64).tolist()
    found = denial_share(rates, Neither(np.array(rest), np.array(1_000_000)), claims, denials)
    assert denials / (claims + denials) < 0.15
    assert found == pytest.approx(0.25, abs=0.05)
    assert denial_share(None, Neither(np.array(rest), np.array(1_000_000)), 30, 10) == pytest.approx(0.25, abs=0.01)


@settings(max_examples=40, deadline=None)
@given(COUNT, COUNT, COUNT)
def test_expectation_maximisation_over_the_counts_ends_at_the_adjusted_count(
    claims: int, denials: int, others: int
) -> None:
    rates = Rates.of_counts(confusion(CERTAIN | POOR | {"other": {"other": 900, "claim": 100}}))
    neither = Neither(np.array([0, 0, others]), np.array(claims + denials + others))
    weights = true_weights(rates, neither)
    background = weights[2:] @ rates.rate[2:, :2]
    given = (1 - weights[2:].sum()) * rates.rate[:2, :2] + background
    whole = given.sum(axis=1)
    seen = np.array([claims + 0.5, denials + 0.5]) / (claims + denials + 1)
    share = np.array([0.5, 0.5])
    for _ in range(3_000):
        share = share * ((given / whole[:, None]) @ (seen / (share @ (given / whole[:, None]))))
    true = share / whole
    assert denial_share(rates, neither, claims, denials) == pytest.approx(true[1] / true.sum(), abs=0.02)


def test_p0_never_falls_within_an_epoch() -> None:
    rates = Rates.of_counts(confusion(CERTAIN | POOR | {"other": {"other": 900, "claim": 100}}))
    epoch = Epoch(0, 0)
    neither = np.zeros((4, 3), np.int64)
    neither[:, 2] = [10, 90, 0, 0]
    p0 = p0_at_ticks(epoch, rates, Sides(np.arange(1, 5), neither, np.array([20, 90, 500, 5_000]))).p0
    assert p0[1] > p0[0]
    assert p0[3] == p0[2] == p0[1] == epoch.p0


Ints = npt.NDArray[np.int64]


def alternating(size: int, run: int) -> tuple[Ints, Ints]:
    """Running totals of claims and of all, sides in runs."""
    side = (np.arange(size) // run) % 2
    return np.cumsum(side), np.arange(1, size + 1)


def lines(side: Ints, thread: Ints) -> Lines:
    """One original a tick."""
    return Lines(np.arange(side.size), side.astype(np.bool_), thread.astype(np.uint64))


def test_sides_that_come_in_long_runs_are_dispersed_and_others_are_not() -> None:
    assert level(Clumps(), *alternating(800, 1), None)[-1] == 1.0
    assert level(Clumps(), *alternating(800, 80), None)[-1] > 5


def test_threads_that_speak_with_one_voice_weigh_as_much_as_they_are_large() -> None:
    side = np.repeat(np.arange(100) % 2, 4)
    claims, total = np.cumsum(side), np.arange(1, side.size + 1)
    alone = level(Clumps(), claims, total, lines(side, np.arange(side.size)))
    together = level(Clumps(), claims, total, lines(side, np.repeat(np.arange(100), 4)))
    assert alone[-1] == 1.0
    assert together[-1] == pytest.approx(1 + 2 * (4 - 1), abs=0.5)


def test_threads_that_quarrel_are_not_dispersed() -> None:
    side = np.arange(400) % 2
    found = level(Clumps(), np.cumsum(side), np.arange(1, 401), lines(side, np.repeat(np.arange(100), 4)))
    assert found.max() == 1.0


@given(
    st.lists(st.tuples(st.integers(0, 6), st.integers(0, 6), st.integers(0, 3)), min_size=2, max_size=120),
    st.integers(1, 119),
)
def test_dispersion_does_not_depend_on_the_cut(posts: list[tuple[int, int, int]], cut: int) -> None:
    sides = [(tick, number < a, thread) for tick, (a, b, thread) in enumerate(posts) for number in range(a + b)]
    at, claim, thread = (np.array(part) for part in zip(*sides, strict=True)) if sides else (np.zeros(0),) * 3
    told = Lines(at.astype(np.int64), claim.astype(np.bool_), thread.astype(np.uint64))
    claims, denials = (np.cumsum(side) for side in list(zip(*posts, strict=True))[:2])
    total, one, two = claims + denials, Clumps(), Clumps()
    whole = level(one, claims, total, told)
    cut = min(cut, total.size - 1)
    early, late = told.at < cut, told.at >= cut
    first = level(two, claims[:cut], total[:cut], Lines(told.at[early], told.claim[early], told.thread[early]))
    after = Lines(told.at[late] - cut, told.claim[late], told.thread[late])
    assert np.array_equal(whole, np.append(first, level(two, claims[cut:], total[cut:], after)))
    assert one == two
    assert whole.min() >= 1
