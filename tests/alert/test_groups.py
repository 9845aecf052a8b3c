"""One card for what is about the same; told again only where something changed, with the reason, at any cut."""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any, NamedTuple

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.alert.decide import AlertPolicy
from monitor.marks import AckMark, GapMark, Silence, Status, StatusMark
from monitor.records import CHANGES, Alert, AlertState, Finding, NarrativeState, Transition
from monitor.watched import Duration, Event, Rules
from tests.alert.test_decide import FIRING, RESOLVED, describe, finding, gone
from tests.fakes.counts import EVENT, Tick, at, counted

RULES = Rules(
    alert_on=("race", "volume", "celebration"),
    for_=Duration(seconds=100),
    keep_firing=Duration(seconds=1_000),
    repeat_least=Duration(seconds=900),
    repeat_interval=Duration(hours=4),
)
HOUR = 3_600
ACKNOWLEDGED = AlertState.ACKNOWLEDGED
VIRAL, CONTESTED, RISING = NarrativeState.VIRAL_UNCONFIRMED, NarrativeState.CONTESTED, NarrativeState.RISING


class Story(NamedTuple):
    """What reaches the policy."""

    findings: Sequence[Finding]
    ticks: Sequence[Tick] = ()
    marks: Sequence[StatusMark | Silence | AckMark] = ()
    gaps: Sequence[GapMark] = ()
    passed: Sequence[tuple[float, NarrativeState]] = ()
    """When the narrative came into which state."""
    rules: Rules = RULES

    def states(self) -> list[Transition]:
        """As the judge has them."""
        states = [NarrativeState.WATCH, *(state for _, state in self.passed)]
        return [
            Transition(at=at(second), event=EVENT, narrative="n", before=before, state=state, reason="r", numbers={})
            for (second, _), (before, state) in zip(self.passed, pairwise(states), strict=True)
        ]


def state_of(passed: Sequence[Transition], begin: float) -> Callable[[str, str, datetime], NarrativeState | None]:
    """As the judge answers of a call that begins there: nothing from before it."""

    def asked(_event: str, _narrative: str, time: datetime) -> NarrativeState | None:
        assert time >= at(begin), "nobody knows where it stood before the last call"
        before = [one.state for one in passed if one.at <= time]
        return before[-1] if before else NarrativeState.WATCH

    return asked


def made(story: Story) -> AlertPolicy:
    plain: dict[str, Any] = {"name": EVENT, "proposition": "The valley has fallen", "any": ("valley",)}
    return AlertPolicy({EVENT: Event(**plain, rules=story.rules)}, lambda _: "main")


def played(story: Story, upto: float = 10 * HOUR, cuts: Sequence[float] = ()) -> list[Alert]:
    """The steps, of calls that end at `cuts`; the policy is saved and restored at each."""
    now, rows = made(story), dict[str, bytes]()
    steps: list[Alert] = []
    passed = story.states()
    begin = -1.0
    for end in [*sorted({cut for cut in cuts if 0 < cut < upto}), upto]:
        marks = [mark for mark in story.marks if at(begin) < time_of(mark) <= at(end)]
        gaps = tuple(gap for gap in story.gaps if at(begin) < gap.ends <= at(end))
        steps += now.decide(
            [one for one in story.findings if at(begin) < one.at <= at(end)],
            counted([tick for tick in story.ticks if begin < tick[0] <= end], gaps=gaps),
            at(end),
            describe,
            marks,
            state_of=state_of(passed, begin),
            passed=[one for one in passed if at(begin) < one.at <= at(end)],
        )
        rows |= now.snapshot()
        now = made(story)
        now.restore({key: row for key, row in rows.items() if row})
        begin = end
    return steps


def time_of(mark: StatusMark | Silence | AckMark) -> datetime:
    return mark.at or (mark.begins_at if isinstance(mark, Silence) else at(0))


def told(steps: Sequence[Alert]) -> list[tuple[float, str, str]]:
    """When the desk is told of what rule, and why."""
    return [
        ((one.at - at(0)).total_seconds(), one.rule, one.change) for one in steps if one.change and not one.silenced
    ]


def volume(second: float, **fields: Any) -> Finding:  # noqa: ANN401
    return finding(second, rule="volume", **fields)


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


def ack(second: float, alert: str, by: str = "ada") -> AckMark:
    return AckMark(at=at(second), alert=alert, by=by, assignee="ben")


def test_who_acknowledges_takes_on_all_of_the_card_and_is_not_reminded() -> None:
    story = Story([finding(0), volume(0)], [(9_000, "n", 50, 0)])
    first = played(story, 1_000)
    volumes = next(one.id for one in first if one.rule == "volume")
    steps = played(story._replace(marks=[ack(2_000.5, volumes)]), 40 * HOUR)
    assert told(steps)[1:] == [(2_000.5, "race", "acknowledged"), (9_000, "race", "doubled")]
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
