from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.judge.usual import HEAVIER, SHORTEST, SPAN, Usual, at_least
from tests.fakes.counts import Tick
from tests.judge.test_judge import HOUR, burst, decide, races

DAY = 24 * HOUR
TICKS = st.lists(st.tuples(st.integers(0, 4 * SPAN), st.integers(0, 5), st.integers(0, 5)), max_size=40)


def taken(posts: list[tuple[int, int, int]], cut: int = 0) -> Usual:
    usual = Usual(0)
    for part in (posts[:cut], posts[cut:]):
        if part:
            at, *sides = np.array(part).T
            usual.take_in(at, np.array(sides).T)
    return usual


@given(TICKS, st.integers(0, 40))
def test_any_cut_leaves_the_same(posts: list[tuple[int, int, int]], cut: int) -> None:
    posts.sort()
    assert taken(posts, cut) == taken(posts)


def test_the_rate_is_that_of_the_last_two_weeks_at_most() -> None:
    assert taken([(DAY, 24, 12)]).rate(2 * DAY) == (round(12 / DAY, 9), round(6 / DAY, 9))
    assert taken([(DAY, 24, 12)]).rate(3 * SPAN) == (0.0, 0.0)


def test_a_claim_minutes_old_is_no_usual_day() -> None:
    assert taken([(60, 10, 0)]).rate(120) == (round(10 / SHORTEST, 9), 0.0)


def test_what_may_be_usual_falls_as_it_usually_does() -> None:
    p0 = np.array([0.5, 0.5, 0.5])
    expected = HEAVIER * 0.01 * 1_000
    sides = np.array([round(expected / 2), round(expected), round(expected * 10)])
    raised = at_least(p0, sides, np.array([1_000] * 3), (0.009, 0.001))
    assert raised == pytest.approx([0.9, 0.9, 0.54])


@given(st.floats(0.5, 0.95), st.integers(0, 500), st.integers(0, DAY), st.floats(0, 0.1), st.floats(0, 0.1))
def test_it_is_never_below_what_the_tagger_alone_may_show(
    p0: float, sides: int, lasted: int, a: float, b: float
) -> None:
    raised = float(at_least(np.array([p0]), np.array([sides]), np.array([lasted]), (a, b))[0])
    assert round(p0, 4) - 1e-9 <= raised + 1e-4
    assert raised <= 0.999


def chatter(begin: float, end: float, every: float) -> list[Tick]:
    """Talk that the tagger takes for claims."""
    return [(second, "n", 1, 0) for second in np.arange(begin, end, every).tolist()]


def told(story: list[Tick], **rules: Any) -> list[tuple[bool, str]]:  # noqa: ANN401  any field of Rules
    return races(decide(story, upto=3 * DAY, **rules))


def test_an_hour_of_chatter_livelier_than_usual_is_no_race() -> None:
    usual = chatter(0, 2 * DAY, 240)
    lively = [(2 * DAY + second, name, a, b) for second, name, a, b in [(0.0, "noise", 30, 0), *chatter(1, HOUR, 120)]]
    assert told([*usual, *lively]) == []
    assert told(lively) == [(True, "no_denial_seen_yet"), (False, "quiet")]


def test_a_claim_that_goes_viral_among_chatter_is_one() -> None:
    viral = [(2 * DAY + second, name, a, b) for second, name, a, b in burst(60, 6)]
    assert told([*chatter(0, 2 * DAY, 240), *viral])[0] == (True, "claims_outrun_denials")
