"""One card for what is about the same; told again only where something changed, with the reason, at any cut."""

from itertools import pairwise
from typing import Any

from monitor.alert.card import card
from monitor.marks import AWAY, AckMark, GapMark, Silence, Status, StatusMark
from monitor.records import CHANGES, NarrativeState
from tests.alert.card_stories import ACKNOWLEDGED, CONTESTED, HOUR, VIRAL, Story, played, told, volume
from tests.alert.test_decide import FIRING, RESOLVED, finding, gone
from tests.fakes.counts import EVENT, Tick, at


def test_alerts_about_one_narrative_share_a_card_that_names_the_other_rules() -> None:
    steps = played(Story([finding(0), volume(500), finding(2_000, rule="celebration", narrative="")]), 4_000)
    race, spike = ({one.group for one in steps if one.narrative == name} for name in ("n", ""))
    assert len(race) == len(spike) == 1
    assert race != spike
    assert told(steps) == [
        (100, "race", "first_firing"),
        (600, "volume", "rule_joined"),
        (2_100, "celebration", "first_firing"),
    ]
    assert [one.also for one in steps if one.change] == [(), ("race",), ()]


def test_rules_that_fire_at_the_same_moment_are_told_once_by_the_race() -> None:
    steps = played(Story([volume(0), finding(0)]), 1_000)
    assert told(steps) == [(100, "race", "first_firing")]
    assert [(one.state, one.rule, one.also) for one in steps if one.change] == [(FIRING, "race", ("volume",))]
    assert sum(one.state is FIRING for one in steps) == 2


def test_a_card_ends_with_the_last_of_its_alerts_and_a_status_ends_it_once() -> None:
    calm = played(Story([finding(0), volume(0), gone(1_000), volume(2_000, holds=False, reason="fewer_claims")]))
    assert told(calm)[1:] == [(3_000, "volume", "resolved")]
    assert [(one.rule, one.change, one.also) for one in calm if one.state is RESOLVED] == [
        ("race", "", ("volume",)),
        ("volume", "resolved", ()),
    ]
    ended: dict[str, Any] = {"holds": False, "reason": "status_set"}
    settled = played(Story([finding(0), volume(0), finding(1_000, **ended), volume(1_000, **ended)]))
    assert told(settled)[1:] == [(1_000, "race", "status_set")]
    assert [one.also for one in settled if one.change == "status_set"] == [()]


def test_denials_that_overtake_are_told_although_another_rule_fires_on() -> None:
    steps = played(Story([finding(0), volume(0), gone(1_000, "denials_overtook")]), 2_000)
    assert told(steps)[1:] == [(1_000, "race", "denials_overtook")]
    assert steps[-1].also == ("volume",)


def test_what_fires_again_after_its_end_begins_a_new_card() -> None:
    steps = played(Story([finding(0), gone(200, "denials_overtook"), finding(1_000)]), 2_000)
    assert [one.change for one in steps if one.change] == ["first_firing", "denials_overtook", "first_firing"]
    assert len({one.group for one in steps}) == 2


def test_where_nothing_changes_nothing_is_told_but_a_reminder_ever_more_rarely() -> None:
    steps = played(Story([finding(0)]), 29 * HOUR)
    assert told(steps) == [
        (100, "race", "first_firing"),
        (100 + 4 * HOUR, "race", "reminder"),
        (100 + 12 * HOUR, "race", "reminder"),
        (100 + 28 * HOUR, "race", "reminder"),
    ]
    assert {one.state for one in steps[1:]} == {FIRING}
    assert len({(one.id, one.at) for one in steps[1:]}) == 4


def test_claims_that_doubled_are_told_then_those_that_are_four_times_as_many() -> None:
    ticks: list[Tick] = [(at_, "n", 1, 1) for at_ in range(200, 10_000, 100)]
    steps = played(Story([finding(0)], ticks), 10_000)
    assert told(steps) == [(100, "race", "first_firing"), (1_300, "race", "doubled"), (8_500, "race", "doubled")]
    assert [one.claims for one in steps[1:]] == [12, 24, 96]


def test_nothing_is_told_within_the_least_time_between() -> None:
    ticks: list[Tick] = [(200, "n", 50, 0)]
    assert told(played(Story([finding(0)], ticks), 10_000))[1:] == [(1_000, "race", "doubled")]


def test_a_state_that_changes_is_told_and_flapping_is_not() -> None:
    passed = [(90.0, VIRAL), (500.0, CONTESTED), (800.0, VIRAL), (2_000.0, CONTESTED)]
    flapping = [(3_500.0 + 100 * k, (VIRAL, CONTESTED)[k % 2]) for k in range(100)]
    steps = played(Story([finding(0)], passed=passed), 3_000)
    assert told(steps)[1:] == [(2_000, "race", "state_changed")]
    assert steps[-1].narrative_state is CONTESTED
    assert len(told(played(Story([finding(0)], passed=[*passed, *flapping]), 4 * HOUR))) == 2
    again = played(Story([finding(0)], passed=[*passed, (3_000, VIRAL)]), 7 * HOUR)
    assert told(again)[2:] == [(2_000 + 4 * HOUR, "race", "state_changed")]


def test_a_state_that_comes_with_the_end_is_not_told_before() -> None:
    passed = [(90.0, VIRAL), (2_000.0, NarrativeState.WATCH), (3_000.0, NarrativeState.FADED)]
    assert len(told(played(Story([finding(0)], passed=passed), 4_000))) == 1


def test_a_feed_that_goes_blind_while_it_fires_is_told_once_it_lasts() -> None:
    pieces = [
        GapMark(source="telegram", begins=at(begin), ends=at(end), why="flood wait", goes_on=True)
        for begin, end in pairwise(range(2_000, 4_000, 60))
    ]
    steps = played(Story([finding(0)], gaps=pieces), 6_000)
    assert told(steps)[1:] == [(2_300, "race", "feed_blind")]
    short = [GapMark(source="x", begins=at(2_000), ends=at(2_200), why="reconnect")]
    known = [GapMark(source="x", begins=at(0), ends=at(90), why="down", goes_on=True)]
    goes_on = [GapMark(source="x", begins=at(90), ends=at(2_000), why="down")]
    assert len(told(played(Story([finding(0)], gaps=short), 6_000))) == 1
    assert len(told(played(Story([finding(0)], gaps=[*known, *goes_on]), 6_000))) == 1


def test_a_restart_is_told_as_the_monitors_own_absence_and_not_as_a_blind_source() -> None:
    gaps = [GapMark(source=name, begins=at(2_000), ends=at(2_600), why=AWAY) for name in ("bluesky", "telegram")]
    steps = played(Story([finding(0)], gaps=gaps), 6_000)
    assert told(steps)[1:] == [(2_600, "race", "monitor_away")]
    shown = card(steps[-1])
    times = "2021-09-03 00:33 UTC–2021-09-03 00:43 UTC"
    assert shown.told == f"the monitor itself was away, and has missed what was said meanwhile ({times})"
    assert shown.blind == (f"The monitor itself was away {times}: counts are a floor",)


def ack(second: float, alert: str, by: str = "ada") -> AckMark:
    return AckMark(at=at(second), alert=alert, by=by, assignee="ben")


def test_who_acknowledges_takes_on_all_of_the_card_and_is_not_reminded() -> None:
    story = Story([finding(0), volume(0)], [(9_000, "n", 50, 0)])
    first = played(story, 1_000)
    volumes = next(one.id for one in first if one.rule == "volume")
    steps = played(story._replace(marks=[ack(2_000.5, volumes)]), 40 * HOUR)
    assert told(steps)[1:] == [(2_000.5, "race", "acknowledged"), (16_400.5, "race", "doubled")]
    taken = [one for one in steps if one.at > at(1_000)]
    assert [(one.rule, one.state) for one in taken] == [
        ("race", ACKNOWLEDGED),
        ("volume", ACKNOWLEDGED),
        ("race", ACKNOWLEDGED),
    ]
    assert {(one.acknowledged.by, one.acknowledged.assignee) for one in taken if one.acknowledged} == {("ada", "ben")}


def test_acknowledging_what_is_over_or_unknown_changes_nothing() -> None:
    story = Story([finding(0), gone(500, "denials_overtook"), finding(1_000)])
    over = played(story, 300)[0].id
    plain = played(story, 5_000)
    assert played(story._replace(marks=[ack(600, over), ack(700, "nothing")]), 5_000) == plain


def test_a_silence_holds_back_what_changed_and_it_is_told_at_its_end() -> None:
    quiet = Silence(id="s", event=EVENT, owner="d", comment="c", begins_at=at(500), expires_at=at(5_000), at=at(500))
    steps = played(Story([finding(0)], [(2_000, "n", 50, 0)], [quiet]), 6_000)
    assert told(steps)[1:] == [(5_000, "race", "doubled")]


def settled(second: float, status: Status = Status.DEBUNKED, narrative: str = "main") -> StatusMark:
    return StatusMark(at=at(second), event=EVENT, narrative=narrative, status=status, by="desk")


def test_a_settled_story_inhibits_its_side_claims() -> None:
    story = Story([finding(1_000)], marks=[settled(500)])
    steps = played(story, 3_000)
    assert [(one.silenced, one.inhibited) for one in steps] == [(True, "story_settled")] * 2
    assert told(played(story._replace(marks=[settled(500, narrative="m")]), 3_000)) == [(1_100, "race", "first_firing")]
    own = Story([finding(1_000, narrative="main")], marks=[settled(500)])
    assert len(told(played(own, 3_000))) == 1


def test_side_claims_are_told_when_the_story_is_open_again() -> None:
    story = Story([finding(1_000)], marks=[settled(500), settled(2_000.5, Status.UNCONFIRMED)])
    assert told(played(story, 3_000)) == [(2_000.5, "race", "first_firing")]


def test_who_was_told_of_a_side_claim_before_hears_of_its_end_and_of_nothing_between() -> None:
    findings = [finding(0), gone(5_000)]
    steps = played(Story(findings, [(3_000, "n", 90, 0)], [settled(500)]), 7_000)
    assert told(steps) == [(100, "race", "first_firing"), (6_000, "race", "resolved")]


def test_a_status_that_is_set_after_the_end_still_reaches_the_card_for_a_day() -> None:
    over = [finding(0), gone(500, "denials_overtook")]
    ticks: list[Tick] = [(600, "n", 3, 4), (900, "n", 1, 1)]
    marks = [settled(700.5, narrative="n"), settled(800, narrative="n"), settled(9_000, Status.CONFIRMED, "n")]
    for cuts in ([], [650, 750], [500, 501, 700, 701, 8_999, 9_001]):
        steps = played(Story(over, ticks, marks), 2 * 24 * HOUR, cuts)
        assert told(steps)[1:] == [
            (500, "race", "denials_overtook"),
            (700.5, "race", "status_set"),
            (9_000, "race", "status_set"),
        ]
        assert len({one.group for one in steps}) == 1
        assert [(one.state, one.status, one.claims) for one in steps[-2:]] == [
            (RESOLVED, Status.DEBUNKED, 15),
            (RESOLVED, Status.CONFIRMED, 16),
        ]
    late = [settled(600 + 24 * HOUR, narrative="n")]
    assert len(told(played(Story(over, ticks, late), 2 * 24 * HOUR))) == 2
    again = [*over, finding(600), gone(800, "denials_overtook")]
    cards = [one.group for one in played(Story(again, ticks, [settled(9_000, narrative="n")])) if one.change]
    assert cards[-1] == cards[-2] != cards[0]


def test_every_reason_is_a_word_of_the_catalogue() -> None:
    ticks: list[Tick] = [(at_, "n", 1, 1) for at_ in range(200, 10_000, 100)]
    steps = played(Story([finding(0), volume(0), gone(9_000)], ticks, passed=[(90, VIRAL), (2_500, CONTESTED)]))
    assert {one.change for one in steps} - {""} <= set(CHANGES)
