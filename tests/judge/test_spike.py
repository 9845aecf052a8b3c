from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from monitor.judge.baseline import LAG, LENGTH, Baseline, Interval

from monitor.judge.spike import CALM, SPAN, Spikes, Turn
from monitor.watched import Duration, Rules

Ints = npt.NDArray[np.int64]

HOUR, DAY = 3_600, 86_400
LATENESS = 120
RULES = Rules()


def arrivals(rng: np.random.Generator, rate: Callable[[Ints], npt.NDArray[np.float64]], end: int) -> Ints:
    """Posts per second up to `end`; `rate` in posts per hour at a second."""
    return rng.poisson(rate(np.arange(end)) / HOUR).astype(np.int64)


def windows(posts: Ints, baseline: Baseline, masked: Callable[[Ints], npt.NDArray[np.bool_]] | None = None) -> None:
    """Closes five-minute windows over posts per second, two minutes after they end."""
    counts = posts[: posts.size // LENGTH * LENGTH].reshape(-1, LENGTH).sum(axis=1)
    begins = np.arange(counts.size) * LENGTH
    hidden = masked(begins) if masked else np.zeros(counts.size, np.bool_)
    baseline.add(begins, counts, hidden, begins + LENGTH + LATENESS)


def turns(posts: Ints, cuts: list[int] | None = None, rules: Rules = RULES) -> list[Turn]:
    """The turns of a stream of posts per second, decided in batches that end at `cuts`."""
    baseline = Baseline()
    spikes = Spikes(rules, baseline)
    windows(posts, baseline)
    found: list[Turn] = []
    ends = [*sorted({cut for cut in cuts or [] if 0 < cut < posts.size}), posts.size]
    begin = 0
    for end in ends:
        ticks = np.flatnonzero(posts[begin:end]) + begin + 1
        found += spikes.run(begin, end, ticks, posts[ticks - 1])
        baseline.forget(end)
        begin = end
    return found


def daily(base: float, swing: float) -> Callable[[Ints], npt.NDArray[np.float64]]:
    return lambda second: base * (1 + swing * np.sin(2 * np.pi * second / DAY))


def story(seed: int = 0) -> Ints:
    """A day of 60 posts an hour, forty minutes of 1,500, and four hours of quiet."""
    rng = np.random.default_rng(seed)
    posts = arrivals(rng, daily(60, 0.0), DAY + 5 * HOUR)
    posts[DAY : DAY + 2_400] += rng.poisson(1_500 / HOUR, 2_400)
    return posts


@pytest.mark.parametrize("rate", [3, 30, 300, 3_000])
def test_a_quiet_week_with_a_daily_cycle_has_no_spike(rate: float) -> None:
    for seed in range(2):
        assert turns(arrivals(np.random.default_rng(seed), daily(rate, 0.7), 8 * DAY)) == []


def test_a_burst_is_a_spike_within_minutes_and_ends_after_it() -> None:
    onset, end = turns(story())
    assert onset.begins
    assert DAY < onset.at < DAY + 240
    assert onset.score >= RULES.spike_score
    assert not end.begins
    assert DAY + 2_400 + CALM < end.at < DAY + 2_400 + 2 * (SPAN + CALM)


def test_while_warming_up_there_is_no_spike() -> None:
    posts = arrivals(np.random.default_rng(0), daily(60, 0.0), 6 * HOUR)
    posts[2 * HOUR : 2 * HOUR + 1_800] += 1
    assert turns(posts) == []
    assert turns(posts, rules=Rules(warm_up=Duration(hours=1)))


def test_a_spike_does_not_eat_its_own_baseline() -> None:
    posts = story()
    posts[DAY : DAY + 4 * HOUR] = 1
    found = turns(posts)
    assert [turn.begins for turn in found] == [True, False]
    assert found[1].at > DAY + 4 * HOUR
    assert found[1].expected < 20


def test_a_level_that_stays_for_more_than_a_day_becomes_the_normal_one() -> None:
    posts = np.append(story()[:DAY], np.ones(2 * DAY, np.int64))
    found = turns(posts)
    assert [turn.begins for turn in found] == [True, False]
    assert 2 * DAY < found[1].at < 2 * DAY + 6 * HOUR


def test_a_spike_ends_at_its_second_though_no_post_arrives_then() -> None:
    posts = story()
    posts[DAY + 2_400 :] = 0
    last = int(np.flatnonzero(posts)[-1]) + 1
    assert turns(posts)[1].at <= last + SPAN + CALM
    assert turns(posts, [last, last + 10, last + SPAN + CALM - 1]) == turns(posts)


@settings(max_examples=25)
@given(st.integers(0, 3), st.lists(st.integers(0, DAY + 5 * HOUR), max_size=6), st.integers(0, 2_500))
def test_turns_do_not_depend_on_the_cut(seed: int, cuts: list[int], inside: int) -> None:
    posts = story(seed)
    assert turns(posts, [*cuts, DAY + inside]) == turns(posts)


def level(baseline: Baseline, at: int, spikes: list[Interval] | None = None) -> float:
    return float(baseline.level(np.array([at]), spikes or [], HOUR).mean[0])


def flat(per_window: int, hours: int) -> Ints:
    posts = np.zeros(hours * HOUR, np.int64)
    posts[::LENGTH] = per_window
    return posts


def test_the_level_is_what_ten_minutes_normally_hold() -> None:
    baseline = Baseline()
    windows(flat(7, 12), baseline)
    assert level(baseline, 12 * HOUR) == 14


def test_a_window_counts_half_an_hour_after_its_end() -> None:
    baseline = Baseline()
    windows(np.append(flat(7, 12), flat(70, 1)), baseline)
    assert level(baseline, 12 * HOUR + LENGTH + LAG - 1) == 14
    assert level(baseline, 12 * HOUR + LENGTH + LAG) > 14


def test_a_gap_is_no_zero_whether_known_at_closing_or_later() -> None:
    known, later, deaf = Baseline(), Baseline(), Baseline()
    posts = flat(7, 12)
    posts[8 * HOUR : 10 * HOUR] = 0
    windows(posts, known, lambda begins: (begins >= 8 * HOUR) & (begins < 10 * HOUR))
    windows(posts, later)
    windows(posts, deaf)
    later.mask(8 * HOUR, 10 * HOUR)
    assert level(known, 12 * HOUR) == level(later, 12 * HOUR) == 14
    assert level(deaf, 12 * HOUR) < 13


def test_masked_windows_are_no_history() -> None:
    baseline = Baseline()
    windows(flat(7, 4), baseline, lambda begins: begins >= HOUR)
    assert not baseline.level(np.array([4 * HOUR]), [], 2 * HOUR).warm[0]
    assert baseline.level(np.array([4 * HOUR]), [], HOUR).warm[0]


def test_the_same_time_of_day_is_remembered_for_a_week() -> None:
    baseline = Baseline()
    posts = flat(2, 96)
    for day in range(3):
        posts[day * DAY + 6 * HOUR : day * DAY + 7 * HOUR : LENGTH] = 20
    windows(posts, baseline)
    assert level(baseline, 3 * DAY + 6 * HOUR + 1_800) > 30
    assert level(baseline, 3 * DAY + 12 * HOUR) < 5


def test_windows_of_a_spike_are_left_out() -> None:
    baseline = Baseline()
    posts = flat(7, 12)
    posts[10 * HOUR : 11 * HOUR : LENGTH] = 500
    windows(posts, baseline)
    assert level(baseline, 12 * HOUR, [Interval(10 * HOUR, 11 * HOUR)]) == 14


def test_windows_that_are_missing_between_two_are_zeros() -> None:
    baseline = Baseline()
    windows(flat(7, 12), baseline)
    begins = np.array([30 * DAY])
    baseline.add(begins, np.array([7]), np.array([False]), begins + LENGTH)
    assert level(baseline, 30 * DAY + LENGTH) == 0.5


def test_what_is_forgotten_and_saved_changes_no_level() -> None:
    rng = np.random.default_rng(0)
    posts = arrivals(rng, daily(60, 0.5), 30 * DAY)
    whole, kept = Baseline(), Baseline()
    windows(posts, whole)
    windows(posts, kept)
    kept.forget(29 * DAY)
    kept = Baseline.load(kept.save())
    for at in range(29 * DAY, 30 * DAY, 4_000):
        assert level(kept, at) == level(whole, at)
    assert len(kept.save()) < 200_000
