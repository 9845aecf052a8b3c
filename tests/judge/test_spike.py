from collections.abc import Callable
from itertools import pairwise

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.judge.spike import CALM, STEP, Spikes, Turn
from monitor.watched import Duration, Rules
from tests.judge.test_measures_simulated import asked

Ints = npt.NDArray[np.int64]

HOUR, DAY = 60, 1_440
"""In minutes."""
RULES = Rules()


def arrivals(rng: np.random.Generator, rate: Callable[[Ints], npt.NDArray[np.float64]], end: int) -> Ints:
    """Posts per minute up to `end`; `rate` in posts per hour at a minute."""
    return rng.poisson(rate(np.arange(end)) / HOUR).astype(np.int64)


def turns(posts: Ints, cuts: list[int] | None = None, rules: Rules = RULES) -> list[Turn]:
    """The turns of a stream of posts per minute, decided in calls that end at `cuts`, saved and restored at each."""
    spikes = Spikes(asked(1, rules))
    found: list[Turn] = []
    for begin, end in pairwise([0, *sorted({cut for cut in cuts or [] if 0 < cut < posts.size}), posts.size]):
        part = posts[begin:end, None]
        found += [one.turn for one in spikes.run(begin + 1, part, np.ones(part.shape, np.bool_))]
        kept, clock = spikes.save(slice(0, 1)), spikes.clock
        spikes = Spikes(asked(1, rules))
        spikes.clock = clock
        spikes.load(slice(0, 1), kept)
    return found


def daily(base: float, swing: float) -> Callable[[Ints], npt.NDArray[np.float64]]:
    return lambda minute: base * (1 + swing * np.sin(2 * np.pi * minute / DAY))


def story(seed: int = 0, days: int = 1) -> Ints:
    """Days of 60 posts an hour, forty minutes of 1,500, and four hours of quiet."""
    rng = np.random.default_rng(seed)
    posts = arrivals(rng, daily(60, 0.0), days * DAY + 5 * HOUR)
    posts[days * DAY : days * DAY + 40] += rng.poisson(25, 40)
    return posts


@pytest.mark.parametrize("rate", [3, 30, 300, 3_000])
def test_a_quiet_week_with_a_daily_cycle_has_no_spike(rate: float) -> None:
    for seed in range(2):
        assert turns(arrivals(np.random.default_rng(seed), daily(rate, 0.6), 8 * DAY)) == []


def test_a_burst_is_a_spike_within_minutes_and_ends_after_it() -> None:
    onset, end = turns(story())
    assert onset.begins
    assert DAY * STEP < onset.at <= (DAY + 4) * STEP
    assert onset.score >= RULES.spike_score
    assert not end.begins
    assert (DAY + 40 + CALM) * STEP < end.at <= (DAY + 40 + 10 + CALM) * STEP


def test_what_is_tenfold_but_no_more_than_a_handful_is_no_spike() -> None:
    posts = np.zeros(DAY + HOUR, np.int64)
    posts[::HOUR] = 1
    posts[DAY : DAY + 9] = 1
    assert turns(posts) == []
    posts[DAY : DAY + 10] = 1
    assert turns(posts)


def test_a_rise_below_the_ratio_is_none_however_improbable() -> None:
    posts = arrivals(np.random.default_rng(0), daily(6_000, 0.0), 5 * DAY)
    posts[4 * DAY : 4 * DAY + 30] = posts[4 * DAY : 4 * DAY + 30] * 18 // 10
    assert turns(posts) == []
    assert turns(posts, rules=Rules(spike_ratio=1.5))


@pytest.mark.parametrize("value", [0, 7, 1_000_000_000])
def test_a_constant_series_has_no_spike(value: int) -> None:
    assert turns(np.full(5 * DAY, value, np.int64)) == []


def test_one_giant_burst_is_one_spike_and_the_days_after_it_are_judged_as_ever() -> None:
    usual = arrivals(np.random.default_rng(3), daily(60, 0.0), 4 * DAY)
    giant = usual.copy()
    giant[DAY + 100] = 10**12
    found = turns(giant)
    assert [turn.begins for turn in found] == [True, False]
    assert found[0].posts == pytest.approx(10**12, rel=1e-6)
    later = giant.copy()
    later[3 * DAY : 3 * DAY + 30] += 10
    assert [turn.begins for turn in turns(later)] == [True, False, True, False]


def test_while_warming_up_there_is_no_spike() -> None:
    posts = arrivals(np.random.default_rng(0), daily(60, 0.0), 6 * HOUR)
    posts[2 * HOUR : 2 * HOUR + 30] += 60
    assert turns(posts) == []
    assert turns(posts, rules=Rules(warm_up=Duration(hours=1)))


def test_a_spike_does_not_eat_its_own_baseline() -> None:
    posts = story()
    posts[DAY : DAY + 4 * HOUR] = 60
    found = turns(posts)
    assert [turn.begins for turn in found] == [True, False]
    assert found[1].at > (DAY + 4 * HOUR) * STEP
    assert found[1].expected < 20


def test_a_level_that_stays_for_more_than_a_day_becomes_the_normal_one() -> None:
    posts = np.append(story()[:DAY], np.full(2 * DAY, 60, np.int64))
    found = turns(posts)
    assert [turn.begins for turn in found] == [True, False]
    assert 2 * DAY * STEP < found[1].at < (2 * DAY + 12 * HOUR) * STEP


def test_after_weeks_what_is_a_spike_is_derived_from_its_own_past() -> None:
    rng = np.random.default_rng(1)
    calm = arrivals(rng, daily(600, 0.0), 30 * DAY)
    bursty = rng.poisson(10 * np.repeat(rng.gamma(1.5, 1 / 1.5, 30 * DAY // 10), 10)).astype(np.int64)
    for posts in (calm, bursty):
        posts[-30:] = 35
    found = [
        [turn.at for turn in turns(posts) if turn.begins and turn.at > 20 * DAY * STEP] for posts in (calm, bursty)
    ]
    assert len(found[0]) == 1
    assert found[0][0] > (30 * DAY - 30) * STEP
    assert len([at for at in found[1] if at <= (30 * DAY - 30) * STEP]) <= 3


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 3), st.lists(st.integers(0, DAY + 5 * HOUR), max_size=6), st.integers(0, 60))
def test_turns_do_not_depend_on_the_cut_or_a_restart(seed: int, cuts: list[int], inside: int) -> None:
    posts = story(seed)
    assert turns(posts, [*cuts, DAY + inside]) == turns(posts)


def test_after_weeks_they_do_not_either() -> None:
    posts = story(5, days=16)
    whole = turns(posts)
    assert whole
    assert turns(posts, [7 * DAY + 11, 13 * DAY, 16 * DAY + 2, 16 * DAY + 44, 16 * DAY + 50]) == whole
