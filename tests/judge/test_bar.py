from itertools import pairwise

import msgspec
import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.judge.bar import LEAST, STEP, UNSEASONED, WORTH, Bar, Top
from monitor.judge.baseline import Baseline
from monitor.judge.spike import Spikes, Turn
from monitor.watched import Rules
from tests.judge.test_spike import windows

Ints = npt.NDArray[np.int64]

HOUR, DAY = 3_600, 86_400
WEEKS = 24 * DAY


def taught(rules: Rules, mean: float, days: int = 40, *, masked: bool = False) -> Bar:
    """A bar that learned from days of half hours whose scores have an exponential tail."""
    rng = np.random.default_rng(1)
    bar = Bar(rules)
    ends = STEP * (1 + np.arange(days * DAY // STEP))
    scores = np.where(rng.random(ends.size) < 0.2, rng.exponential(mean, ends.size), 0.0)
    known = np.minimum(ends, 3 * DAY) if masked else ends
    bar.learn(Top(ends, np.full(ends.size, 20)), scores, ends > 0, known)
    return bar


def test_a_measure_is_judged_by_its_own_past() -> None:
    calm, bursty = taught(Rules(), 0.5), taught(Rules(), 3.0)
    assert calm.reach < Rules().spike_score < bursty.reach


def test_the_rarer_false_alarms_may_be_the_higher_the_bar() -> None:
    reaches = [taught(Rules(false_alarms_per_day=rate), 2.0).reach for rate in (1.0, 0.1, 0.02)]
    assert reaches == sorted(set(reaches))


def test_another_announced_rate_holds_from_the_next_question_on() -> None:
    bar = taught(Rules(false_alarms_per_day=0.5), 2.0)
    before = bar.reach
    bar.follow(Rules(false_alarms_per_day=0.02))
    assert bar.reach > before


def test_while_its_past_is_short_a_spike_is_at_least_as_improbable_as_the_rules_say() -> None:
    rules = Rules(spike_score=6.0)
    assert Bar(rules).reach == taught(rules, 0.5, days=12).reach == 6.0
    assert taught(rules, 0.5).reach < 4.0


def test_no_silence_makes_a_spike_of_what_happens_every_hour() -> None:
    assert taught(Rules(false_alarms_per_day=24), 0.001).reach == LEAST


def test_what_a_gap_hides_is_not_watched() -> None:
    assert taught(Rules(), 0.5, masked=True).reach >= Rules().spike_score


def test_days_without_a_count_worth_speaking_of_are_watched() -> None:
    bar = Bar(Rules())
    at = np.array([3 * DAY, 20 * DAY, 30 * DAY, 31 * DAY])
    bar.learn(Top(at, np.full(4, 12)), np.full(4, 1.5), at > 0, at)
    assert bar.reach < Rules().spike_score


def test_nothing_is_learned_before_the_season_is_known() -> None:
    bar, other = taught(Rules(), 0.5), Bar(Rules())
    early = np.arange(STEP, UNSEASONED, STEP)
    other.learn(Top(early, np.full(early.size, 99)), np.full(early.size, 50.0), early > 0, early)
    assert other.save() == Bar(Rules()).save()
    assert bar.save() != Bar(Rules()).save()


counts = st.lists(st.integers(0, 30), min_size=1, max_size=120)


@settings(max_examples=60)
@given(counts, st.lists(st.integers(0, 120), max_size=5))
def test_the_largest_count_of_a_half_hour_is_found_however_it_comes_in(found: list[int], cuts: list[int]) -> None:
    ticks, every = 120 * (1 + np.arange(len(found))), np.array(found)
    upto = int(ticks[-1])
    whole = Bar(Rules()).gather(ticks, every, upto)
    bar, parts = Bar(Rules()), []
    edges = [0, *sorted(cut for cut in cuts if cut < len(found)), len(found)]
    for begin, end in pairwise(edges):
        until = int(ticks[end]) - 1 if end < len(found) else upto
        parts.append(bar.gather(ticks[begin:end], every[begin:end], until))
        bar = Bar.load(bar.save(), Rules())
    assert np.concatenate([part.ticks for part in parts]).tolist() == whole.ticks.tolist()
    assert np.concatenate([part.counts for part in parts]).tolist() == whole.counts.tolist()
    for tick, count in zip(whole.ticks.tolist(), whole.counts.tolist(), strict=True):
        within = (ticks > (tick - 1) // STEP * STEP) & (ticks <= -(-tick // STEP) * STEP)
        assert every[within].max() == count >= WORTH
        assert ticks[within][every[within].argmax()] == tick


def restless(seed: int) -> Ints:
    """Posts per second of some weeks, all of a minute at once, with a burst of four times as many every third day."""
    rng = np.random.default_rng(seed)
    minutes = np.arange(WEEKS // 60)
    rate = 2 * (1 + 0.6 * np.sin(2 * np.pi * minutes / 1_440)) * rng.gamma(10, 0.1, minutes.size // 5).repeat(5)
    for begin in range(2_000, minutes.size, 3 * 1_440):
        rate[begin : begin + 40] *= 4
    posts = np.zeros(WEEKS, np.int64)
    posts[59::60] = rng.poisson(rate)
    return posts


def turns(posts: Ints, cuts: list[int], rules: Rules) -> list[Turn]:
    """The turns in calls that end at `cuts`, saved and restored at each."""
    baseline = Baseline()
    windows(posts, baseline)
    spikes = Spikes(rules, baseline)
    found: list[Turn] = []
    edges = [0, *sorted({cut for cut in cuts if 0 < cut < posts.size}), posts.size]
    for begin, end in pairwise(edges):
        ticks = np.flatnonzero(posts[begin:end]) + begin + 1
        found += spikes.run(begin, end, ticks, posts[ticks - 1])
        spikes = Spikes.load(spikes.save(), rules, baseline)
    return found


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 2), st.lists(st.integers(0, WEEKS), max_size=6), st.integers(0, 3_000))
def test_after_weeks_turns_do_not_depend_on_the_cut_or_a_restart(seed: int, cuts: list[int], inside: int) -> None:
    posts, rules = restless(seed), Rules(false_alarms_per_day=0.5)
    whole = turns(posts, [], rules)
    burst = (2_000 + 5 * 3 * 1_440) * 60
    assert turns(posts, [*cuts, burst + inside], rules) == whole
    assert whole


def test_a_bar_of_weeks_finds_what_the_fixed_one_did_not() -> None:
    found = turns(restless(3), [], Rules(false_alarms_per_day=0.5))
    late = [turn for turn in found if turn.begins and turn.at > 18 * DAY]
    assert late
    assert min(turn.score for turn in late) < Rules().spike_score


def test_the_row_of_a_version_without_a_bar_is_read_and_it_learns_from_then_on() -> None:
    none = np.zeros(0, np.int64).tobytes()
    row = msgspec.msgpack.encode([none, none, 1_000, None, [[1, 2]]])
    posts = restless(0)
    baseline = Baseline()
    windows(posts[: 10 * DAY], baseline)
    spikes = Spikes.load(row, Rules(), baseline)
    assert spikes.spiking
    bar = Bar.load(b"", Rules())
    at = np.array([30 * DAY, 30 * DAY + 2 * HOUR, 30 * DAY + 4 * HOUR])
    bar.learn(Top(at, np.full(3, 12)), np.full(3, 1.5), at > 0, at)
    assert bar.reach == pytest.approx(Rules().spike_score)


def test_a_row_of_a_bar_is_small() -> None:
    assert len(taught(Rules(), 0.5).save()) < 600
