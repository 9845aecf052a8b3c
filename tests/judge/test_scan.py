import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.judge.scan import WARM_UP, Scan

STEP, HOUR, DAY = 300, 3_600, 86_400
PER_DAY = DAY // STEP
Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]


def play(scan: Scan, counts: Ints, *, first: int = 0, masked: npt.NDArray[np.bool_] | None = None) -> Floats:
    """Scores of all bins, (bins, keys)."""
    hidden = np.zeros(counts.shape, np.bool_) if masked is None else masked
    return np.array([scan.tick((first + n + 1) * STEP, row, hidden[n])[0] for n, row in enumerate(counts)])


def expected(scan: Scan, at: int) -> float:
    """What the bin that ends at `at` should hold, of the first key."""
    return float(scan.take(at // STEP, np.array([[20]]), np.array([[True]])).expected[0, 0])


def daily(days: int, per_bin: float, keys: int = 1, seed: int = 0) -> Ints:
    turn = np.sin(2 * np.pi * np.arange(days * PER_DAY) / PER_DAY)
    return np.random.default_rng(seed).poisson(per_bin * (1 + 0.7 * turn)[:, None], (days * PER_DAY, keys))


def test_three_times_the_rate_stands_out_within_two_bins_and_normal_days_do_not() -> None:
    counts = daily(10, 20, keys=20)
    counts[9 * PER_DAY : 9 * PER_DAY + 6] *= 3
    scores = play(Scan(STEP, 20), counts)
    assert scores[3 * PER_DAY : 9 * PER_DAY].max() < 6
    assert (scores[9 * PER_DAY : 9 * PER_DAY + 2].max(axis=0) > 6).all()


def test_half_an_hour_of_a_little_more_is_found_though_no_bin_of_it_stands_out() -> None:
    counts = daily(10, 20)
    counts[9 * PER_DAY : 9 * PER_DAY + 6] = 34
    scores = play(Scan(STEP, 1), counts)[9 * PER_DAY : 9 * PER_DAY + 6, 0]
    assert scores[-1] > scores[0] + 2


def test_the_time_of_day_is_expected_after_some_days() -> None:
    scan = Scan(STEP, 1)
    counts = daily(12, 50)
    play(scan, counts)
    assert expected(scan, 12 * DAY + STEP) == pytest.approx(50, rel=0.25)


def test_bursty_keys_are_asked_for_more() -> None:
    rng = np.random.default_rng(1)
    even = rng.poisson(20, 10 * PER_DAY)
    bursty = rng.poisson(20 * rng.gamma(2, 0.5, 10 * PER_DAY))
    counts = np.stack([even, bursty], axis=1)
    counts[-1] = 80
    scores = play(Scan(STEP, 2), counts)[-1]
    assert scores[0] > 2 * scores[1] > 0


def test_a_burst_does_not_eat_its_own_baseline() -> None:
    counts = daily(10, 20)
    counts[8 * PER_DAY : 8 * PER_DAY + 12] = 2_000
    scan = Scan(STEP, 1)
    play(scan, counts)
    assert expected(scan, 10 * DAY + STEP) < 40


def test_a_masked_bin_is_unknown_not_zero() -> None:
    counts = daily(8, 20)
    masked = np.zeros(counts.shape, np.bool_)
    masked[6 * PER_DAY : 6 * PER_DAY + 100] = True
    zeroed = np.where(masked, 0, counts)
    scores, other = play(Scan(STEP, 1), counts, masked=masked), play(Scan(STEP, 1), zeroed, masked=masked)
    assert np.array_equal(scores, other)
    assert not scores[masked].any()
    assert scores[6 * PER_DAY + 100 :].max() < 6


def test_bins_left_out_are_as_bins_masked() -> None:
    counts = daily(6, 20)
    masked = np.zeros(counts.shape, np.bool_)
    masked[1_000:1_050] = True
    whole = play(Scan(STEP, 1), counts, masked=masked)
    scan = Scan(STEP, 1)
    play(scan, counts[:1_000])
    after = play(scan, counts[1_050:], first=1_050)
    assert np.allclose(whole[1_050:], after, atol=0.5)


def test_warming_up_takes_a_day_of_known_bins() -> None:
    scan = Scan(STEP, 1)
    seen = [scan.tick((n + 1) * STEP, np.array([5]), np.array([False]))[1][0] for n in range(WARM_UP // STEP + 1)]
    assert not any(seen[:-1])
    assert seen[-1]


def test_a_gap_that_becomes_known_later_is_as_one_that_was_known() -> None:
    counts = daily(8, 20)
    begin, end = 6 * PER_DAY + 100, 6 * PER_DAY + 104
    masked = np.zeros(counts.shape, np.bool_)
    masked[begin:end] = True
    known, later, deaf = Scan(STEP, 1), Scan(STEP, 1), Scan(STEP, 1)
    before = play(known, counts, masked=masked)
    silent = np.where(masked, 0, counts)
    play(later, silent[: end + 2])
    later.mask(begin * STEP, end * STEP)
    after = play(later, silent[end + 2 :], first=end + 2)
    wrong = np.abs(play(deaf, silent)[end + 2 :] - before[end + 2 :]).mean()
    assert np.abs(after - before[end + 2 :]).mean() < 0.2 * wrong


def test_after_hours_that_turn_out_to_be_a_gap_the_usual_is_no_surprise() -> None:
    counts = daily(9, 50)
    begin, end = 7 * PER_DAY + 60, 7 * PER_DAY + 160
    counts[begin:end] = 0
    told, deaf = Scan(STEP, 1), Scan(STEP, 1)
    for scan in (told, deaf):
        play(scan, counts[:end])
    told.mask(begin * STEP, end * STEP)
    assert play(told, counts[end : end + 12], first=end).max() < 2 < play(deaf, counts[end : end + 12], first=end).max()


def test_what_is_held_is_not_learned_as_normal() -> None:
    counts = daily(6, 20)
    free, held = Scan(STEP, 1), Scan(STEP, 1)
    for number, row in enumerate(np.vstack([counts, np.full((36, 1), 90)])):
        for scan in (free, held):
            scan.tick((number + 1) * STEP, row, np.array([False]))
        if number >= len(counts):
            held.hold(number + 1, np.array([[True]]))
    at = (len(counts) + 37) * STEP
    assert expected(free, at) > 1.5 * expected(held, at)


@pytest.mark.parametrize("value", [0, 1, 7, 10**9])
def test_a_constant_series_never_stands_out(value: int) -> None:
    scores = play(Scan(STEP, 1), np.full((4 * PER_DAY, 1), value))
    assert np.isfinite(scores).all()
    assert scores[PER_DAY:].max() < 1


def test_after_years_of_silence_it_goes_on() -> None:
    scan = Scan(STEP, 1)
    play(scan, daily(3, 20))
    scores = play(scan, daily(2, 20), first=10 * 365 * PER_DAY)
    assert np.isfinite(scores).all()


def test_a_key_costs_at_most_two_kilobytes() -> None:
    assert sum(array.nbytes for array in Scan(60, 1_000).arrays()) / 1_000 <= 2_048


@settings(max_examples=10, deadline=None)
@given(seed=st.integers(0, 100), cut=st.integers(1, 899))
def test_bins_one_by_one_or_half_hours_at_once_and_a_copy_of_the_state_give_the_same_bytes(seed: int, cut: int) -> None:
    counts = daily(4, 5, keys=2, seed=seed)[:900]
    whole, first, second = Scan(STEP, 2), Scan(STEP, 2), Scan(STEP, 2)
    scores = play(whole, counts)
    play(first, counts[:cut])
    for new, old in zip(second.arrays(), first.arrays(), strict=True):
        new[:] = old
    second.chunk[:] = first.chunk
    second.changed()
    after, at = [], cut
    while at < len(counts):
        end = min(at + second.lag - at % second.lag, len(counts))
        after.append(second.take(at + 1, counts[at:end], np.ones((end - at, 2), np.bool_)).score)
        at = end
    assert np.array_equal(scores[cut:], np.concatenate(after))
    assert all(np.array_equal(new, old) for new, old in zip(second.arrays(), whole.arrays(), strict=True))
