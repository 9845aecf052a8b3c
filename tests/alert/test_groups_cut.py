"""Any cut and restart gives the same cards, whatever is marked."""

from collections.abc import Sequence
from datetime import timedelta
from itertools import pairwise

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.marks import AckMark, GapMark, Silence, Status, StatusMark
from monitor.records import Finding, NarrativeState
from tests.alert.card_stories import CONTESTED, HOUR, RISING, RULES, VIRAL, Story, played, time_of
from tests.alert.test_decide import finding
from tests.alert.test_groups import ack, settled
from tests.fakes.counts import EVENT, at

SECONDS = st.integers(0, 5 * HOUR)
MARKS = st.lists(
    st.tuples(SECONDS, st.sampled_from(["ack", "settle", "open", "status", "silence", "unsilence"])), max_size=6
)


def mark(second: float, what: str, alerts: Sequence[str]) -> StatusMark | Silence | AckMark:
    match what:
        case "ack":
            return ack(second + 0.5, alerts[int(second) % len(alerts)])
        case "settle" | "open":
            return settled(second + 0.25, Status.DENIED if what == "settle" else Status.UNCONFIRMED)
        case "status":
            return settled(second + 0.75, [*Status][int(second) % 4], "n")
        case _:
            ends = second + (4_000 if what == "silence" else 0)
            return Silence(
                id="s", event=EVENT, owner="d", comment="c", begins_at=at(0), expires_at=at(ends), at=at(second)
            )


@given(
    st.tuples(
        st.lists(st.tuples(SECONDS, st.booleans(), st.sampled_from(["race", "volume"])), max_size=8),
        st.lists(st.tuples(SECONDS, st.integers(1, 60)), max_size=8),
    ),
    MARKS,
    st.lists(st.tuples(SECONDS, st.sampled_from([VIRAL, CONTESTED, RISING])), max_size=6, unique_by=lambda one: one[0]),
    st.lists(st.integers(1, 4_000), max_size=5, unique=True),
    st.lists(SECONDS, max_size=8),
)
def test_any_cut_and_restart_gives_the_same_steps_whatever_is_marked(
    said: tuple[list[tuple[int, bool, str]], list[tuple[int, int]]],
    marked: list[tuple[int, str]],
    passed: list[tuple[float, NarrativeState]],
    blind: list[int],
    cuts: list[int],
) -> None:
    found, crowds = said
    gaps = [
        GapMark(source="x", begins=at(begin), ends=at(end), why="down", goes_on=True)
        for begin, end in pairwise(sorted(blind))
    ]
    story = Story(_findings(found), [(second, "n", claims, 1) for second, claims in sorted(dict(crowds).items())])
    story = story._replace(gaps=gaps, passed=sorted(passed))
    plain = played(story, 6 * HOUR)
    alerts = sorted({one.id for one in plain}) or ["none"]
    marks = sorted((mark(second, what, alerts) for second, what in marked), key=time_of)
    story = story._replace(marks=marks)
    whole = played(story, 6 * HOUR)
    assert msgspec.json.encode(played(story, 6 * HOUR, cuts)) == msgspec.json.encode(whole)
    least = timedelta(seconds=RULES.repeat_least.total_seconds())
    again = [one for one in whole if one.change in {"doubled", "state_changed", "feed_blind", "reminder"}]
    for one in again:
        before = [step for step in whole if step.group == one.group and step.at < one.at and step.change]
        heard = [step.at for step in before if not step.silenced]
        assert heard
        assert one.at - max(heard) >= least


def _findings(found: list[tuple[int, bool, str]]) -> list[Finding]:
    """In order of time; of a rule and second the last one counts."""
    kept = {(second, rule): holds for second, holds, rule in found}
    return [
        finding(second, holds=holds, rule=rule, reason="claims_outrun_denials" if holds else "quiet")
        for (second, rule), holds in sorted(kept.items())
    ]


@pytest.mark.parametrize("cuts", [[50], [100, 101], [3_000], [13_000]])
def test_a_restart_forgets_neither_what_was_told_nor_who_took_it_on(cuts: list[float]) -> None:
    story = Story([finding(0)], [(2_000, "n", 50, 0)], passed=[(50, VIRAL), (4_000, CONTESTED)])
    assert played(story, 20 * HOUR, cuts) == played(story, 20 * HOUR)
