"""The board: causal scores of many keys at once, whatever their series are like."""

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.judge.board import DAY, HOUR, Board, Tick
from monitor.judge.series import OF_BOARD, QUIET, Calm, Onsets, Watched

Table = npt.NDArray[np.float64]

STEP = 300
PER_DAY = DAY // STEP


def poisson(mean: float | Table, days: float, keys: int = 1, seed: int = 0) -> Table:
    """Counts, (bins, keys)."""
    return np.random.default_rng(seed).poisson(mean, (int(days * PER_DAY), keys)).astype(np.float64)


def play(counts: Table, masked: npt.NDArray[np.bool_] | None = None, step: int = STEP) -> list[Tick]:
    board = Board(step, counts.shape[1])
    hidden = np.zeros(counts.shape, np.bool_) if masked is None else masked
    return [board.tick((n + 1) * step, row, gone) for n, (row, gone) in enumerate(zip(counts, hidden, strict=True))]


def test_a_burst_scores_above_everything_before_it() -> None:
    counts = poisson(20, 8)
    counts[-1] = 200
    scores = [float(tick.score[0]) for tick in play(counts)]
    assert scores[-1] > 2 * max(scores[PER_DAY:-1])


def test_a_score_has_no_upper_end() -> None:
    low, high, highest = (
        float(play(np.append(poisson(20, 3), [[last]], axis=0))[-1].score[0]) for last in (1e3, 1e6, 1e30)
    )
    assert 0 < low < high < highest < np.inf


@pytest.mark.parametrize("value", [0.0, 7.0, 1e9])
def test_a_constant_series_has_no_surprise_and_no_alarm(value: float) -> None:
    counts = np.full((5 * PER_DAY, 1), value)
    assert all(abs(tick.score[0]) < 0.01 for tick in play(counts)[12:])
    watched = Watched(STEP, 1, 0.1)
    known = np.zeros(1, np.bool_)
    assert not any(watched.tick((n + 1) * STEP, row, known).alarm[0] for n, row in enumerate(counts))


def test_while_warming_up_a_key_says_so() -> None:
    warm = [bool(tick.warm[0]) for tick in play(poisson(5, 2))]
    assert not any(warm[:PER_DAY])
    assert all(warm[PER_DAY:])


def test_the_hour_of_the_day_is_expected_once_a_day_is_known() -> None:
    hours = np.arange(5 * PER_DAY) * STEP % DAY // HOUR
    ticks = play(np.where(hours == 18, 15.0, 5.0)[:, None])
    evening = 4 * PER_DAY + 18 * 12 + 6
    assert ticks[evening].expected[0] > 12
    assert ticks[evening - 12 * 12].expected[0] < 7
    assert ticks[18 * 12].expected[0] < 7


def test_the_day_of_the_week_counts_once_a_week_is_known() -> None:
    bins = np.arange(15 * PER_DAY) * STEP
    busy = (bins // DAY % 7 == 0) & (bins % DAY // HOUR == 18)
    ticks = play(np.where(busy, 15.0, 5.0)[:, None])
    evening = 18 * 12 + 6
    sunday, monday = (float(ticks[day * PER_DAY + evening].expected[0]) for day in (14, 13))
    assert sunday > 9
    assert monday < 7


def test_a_spike_does_not_eat_its_own_baseline() -> None:
    counts = poisson(20, 8)
    counts[-24:] = 2_000
    ticks = play(counts)
    assert ticks[-1].expected[0] < 60
    assert ticks[-1].score[0] > 1.5


def test_one_giant_burst_moves_the_expectation_by_no_more_than_a_small_one() -> None:
    counts = np.append(poisson(20, 3, keys=2), np.array([[1e12, 100.0]]), axis=0)
    counts[:, 1] = [*counts[:-1, 0], 100.0]
    small, giant = play(np.append(counts, counts[-2:-1], axis=0))[-1].expected
    assert small == pytest.approx(giant, rel=0.01)


def test_a_gap_is_unknown_and_not_zero() -> None:
    counts = poisson(20, 0.9)
    silent, masked = counts.copy(), np.zeros(counts.shape, np.bool_)
    silent[-72:] = 0
    masked[-72:] = True
    deaf, told = play(silent), play(silent, masked)
    assert told[-1].expected[0] > 1.2 * deaf[-1].expected[0]
    assert told[-1].score[0] == 0
    assert not told[-1].warm[0]


def test_bins_that_are_left_out_are_a_gap_for_every_key() -> None:
    board, known = Board(STEP, 1), np.zeros(1, np.bool_)
    for number, row in enumerate(poisson(20, 3)):
        board.tick((number + 1) * STEP, row, known)
    after = board.tick(3 * DAY + 6 * HOUR, np.array([20]), known)
    assert 15 < after.expected[0] < 30
    assert abs(after.score[0]) < 0.5
    later = board.tick(400 * DAY, np.array([20]), known)
    assert not later.warm[0]
    assert np.isfinite(later.score[0])


def test_time_that_goes_back_or_stands_still_changes_nothing() -> None:
    counts = poisson(20, 3)
    straight, jumping = Board(STEP, 1), Board(STEP, 1)
    known = np.zeros(1, np.bool_)
    for number, row in enumerate(counts):
        at = (number + 1) * STEP
        one, other = straight.tick(at, row, known), jumping.tick(at, row, known)
        assert one.score[0] == other.score[0]
        for back in (at, at - 7 * HOUR):
            again = jumping.tick(back, row + 1_000, known)
            assert again.score[0] == 0
            assert not again.warm[0]


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 5), st.integers(1, 600), st.lists(st.floats(0, 1e15), min_size=1, max_size=5))
def test_nothing_looks_ahead(seed: int, cut: int, rest: list[float]) -> None:
    counts = poisson(3, 3, seed=seed)[: cut + 1]
    other = np.append(counts[:cut], np.array(rest)[:, None], axis=0)
    for one, two in zip(play(counts)[:cut], play(other)[:cut], strict=True):
        assert one.score[0] == two.score[0]


def test_keys_do_not_touch_each_other() -> None:
    counts = poisson(np.array([0.2, 8, 300]), 3, keys=3)
    together = np.array([tick.score for tick in play(counts)])
    for key in range(3):
        alone = np.array([tick.score[0] for tick in play(counts[:, key : key + 1])])
        assert together[:, key] == pytest.approx(alone, abs=1e-5)


def test_a_row_that_is_cleared_is_as_a_new_one() -> None:
    counts = poisson(20, 4, keys=2)
    board, known = Board(STEP, 2), np.zeros(2, np.bool_)
    for number, row in enumerate(counts):
        board.tick((number + 1) * STEP, row, known)
    board.clear(np.array([1]))
    tick = board.tick(4 * DAY + STEP, np.array([20, 20]), known)
    assert tick.expected[1] == 0
    assert tick.warm.tolist() == [True, False]
    assert tick.expected[0] > 15


@pytest.mark.parametrize("step", [1, 60, 300, 3_600, 86_400])
def test_any_step_will_do_within_a_kilobyte_a_key(step: int) -> None:
    counts = np.random.default_rng(0).poisson(20, (400, 3)).astype(np.float64)
    counts[-1] = 400_000
    ticks = play(counts, step=step)
    assert Board(step, 1_000).nbytes <= 1_000 * 1_024
    assert all(ticks[-1].score > 1.5)
    assert all(ticks[-2].score < 1)


def test_within_a_day_only_a_higher_score_keeps_its_own() -> None:
    onsets = Onsets(1)
    given_, found = [1.0, 3.0, 2.0, 4.0, 3.9, -1.0], []
    for number, score in enumerate(given_):
        found.append(float(onsets.tick(number * HOUR, np.array([score], np.float32))[0]))
    assert found == [1, 3, 0, 4, 0, -1]
    assert onsets.tick(3 * HOUR + QUIET + 1, np.array([0.5], np.float32))[0] == 0.5


def test_a_series_is_calm_once_its_daily_peaks_have_been_alike_and_not_after_bursts() -> None:
    calm, answers = Calm(1), []
    peaks = [*[2.0] * 30, 9.0, *[2.0] * 3, 9.0, 2.0]
    for day, peak in enumerate(peaks):
        answers.append(bool(calm.tick(day * DAY + HOUR, np.array([peak], np.float32))[0]))
    assert not answers[5]
    assert answers[29]
    assert not answers[-1]


def test_alarms_of_a_quiet_series_are_few_and_a_burst_is_one() -> None:
    counts = poisson(30, 20)
    counts[-100:-94] += 400
    watched, known = Watched(STEP, 1, 0.1), np.zeros(1, np.bool_)
    alarms = [n for n, row in enumerate(counts) if watched.tick((n + 1) * STEP, row, known).alarm[0]]
    assert len([n for n in alarms if n < len(counts) - 100]) <= 4
    assert [n - len(counts) for n in alarms if n >= len(counts) - 100] == [-100]
    assert OF_BOARD.daily > 0
