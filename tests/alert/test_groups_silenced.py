"""Whoever was told of a card hears how it ends, and who takes it on, whatever is silenced meanwhile."""

from collections.abc import Sequence

import pytest

from monitor.marks import AckMark, Silence, Status, StatusMark
from monitor.records import Alert
from tests.alert.card_stories import ACKNOWLEDGED, HOUR, Story, played, told, volume
from tests.alert.test_decide import RESOLVED, finding, gone
from tests.alert.test_groups import ack, settled
from tests.fakes.counts import EVENT, at

QUIET = Silence(id="s", event=EVENT, owner="d", comment="c", begins_at=at(500), expires_at=at(5_000), at=at(500))
CUTS: list[list[float]] = [[], [400, 600, 2_000, 2_001, 5_000]]


@pytest.mark.parametrize("cuts", CUTS, ids=["whole", "cut"])
def test_who_was_told_hears_in_a_silence_that_it_is_over(cuts: Sequence[float]) -> None:
    quiet = Story([finding(0), gone(1_000)], marks=[QUIET])
    assert told(played(quiet, cuts=cuts))[1:] == [(2_000, "race", "resolved")]
    overtook = Story([finding(0), gone(2_000, "denials_overtook")], marks=[QUIET])
    assert told(played(overtook, cuts=cuts))[1:] == [(2_000, "race", "denials_overtook")]
    debunked = Story([finding(0), gone(2_000, "status_set")], marks=[QUIET, settled(2_000, narrative="n")])
    steps = played(debunked, cuts=cuts)
    assert told(steps)[1:] == [(2_000, "race", "status_set")]
    assert steps[-1].status is Status.DEBUNKED


@pytest.mark.parametrize("cuts", CUTS, ids=["whole", "cut"])
def test_a_status_that_is_set_in_a_silence_reaches_a_card_that_is_over(cuts: Sequence[float]) -> None:
    over = [finding(0), gone(400, "denials_overtook")]
    marks: list[StatusMark | Silence | AckMark] = [
        QUIET,
        settled(2_000, narrative="n"),
        settled(6_000, Status.CONFIRMED, "n"),
    ]
    steps = played(Story(over, marks=marks), cuts=cuts)
    assert told(steps)[2:] == [(2_000, "race", "status_set"), (6_000, "race", "status_set")]


def test_a_status_reaches_a_card_on_which_a_rule_that_nobody_was_told_of_ended_last() -> None:
    found = [finding(0), volume(550), gone(700, "denials_overtook"), volume(1_000, holds=False, reason="status_set")]
    steps = played(Story(found, marks=[QUIET, settled(1_500, narrative="n")]))
    assert told(steps)[1:] == [(700, "race", "denials_overtook"), (1_500, "volume", "status_set")]


def test_who_takes_it_on_in_a_silence_shows_at_once_and_what_is_not_told_does_not() -> None:
    story = Story([finding(0), volume(600)], marks=[QUIET])
    alert = played(story, 200)[0].id
    steps = played(story._replace(marks=[QUIET, ack(1_000, alert)]), 4 * HOUR)
    assert told(steps)[1:] == [(1_000, "race", "acknowledged"), (5_000, "volume", "rule_joined")]
    taken = [one for one in steps if one.at == at(1_000)]
    assert [(one.rule, one.state, one.silenced) for one in taken] == [
        ("race", ACKNOWLEDGED, False),
        ("volume", ACKNOWLEDGED, True),
    ]


def ends(steps: Sequence[Alert]) -> list[bool]:
    return [one.silenced for one in steps if one.state is RESOLVED]


def test_who_was_told_nothing_hears_of_no_end() -> None:
    found = [finding(600), gone(800, "denials_overtook")]
    steps = played(Story(found, marks=[QUIET, settled(900, narrative="n")]))
    assert (told(steps), ends(steps)) == ([], [True])
