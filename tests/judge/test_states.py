from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.judge.judge import Judge
from monitor.marks import Status, StatusMark
from monitor.records import Finding, NarrativeState, Transition
from monitor.watched import Duration, Event, Rules
from tests.fakes.counts import EVENT, Tick, at, counted, quiet

HOUR = 3_600
ONSET = 0
LOUD: Tick = (ONSET, "noise", 2, 2)


def judge(**rules: Any) -> Judge:  # noqa: ANN401  any field of Rules
    event = Event(name=EVENT, proposition="The valley has fallen", any=("valley",), rules=Rules(**rules))
    return Judge({EVENT: event})


def passed(
    story: Sequence[Tick],
    upto: float = HOUR,
    marks: Sequence[StatusMark] = (),
    cuts: Sequence[float] = (),
    **rules: object,
) -> tuple[list[Transition], list[Finding]]:
    """Transitions and findings `volume` of a story, in calls that end at `cuts`, with a restart at each."""
    now = judge(**rules)
    now.decide(quiet(), at(-60))
    rows = now.snapshot()
    transitions: list[Transition] = []
    findings: list[Finding] = []
    begin = -60.0
    for end in [*sorted({cut for cut in cuts if 0 < cut < upto}), upto]:
        now = judge(**rules)
        now.restore(rows)
        part = [tick for tick in story if begin < tick[0] <= end]
        judged = now.decide(counted(part), at(end), [mark for mark in marks if at(begin) < mark.at <= at(end)])
        transitions += judged.transitions
        findings += [finding for finding in judged.findings if finding.rule == "volume"]
        rows |= now.snapshot()
        begin = end
    return transitions, findings


def states(transitions: Sequence[Transition], narrative: str = "n") -> list[tuple[str, str]]:
    return [(one.state.value, one.reason) for one in transitions if one.narrative == narrative]


def claims(count: int, begin: float, *, narrative: str = "n", denied: float = 0) -> list[Tick]:
    """A claim a second, and denials at `denied` of their rate."""
    return [(begin + k, narrative, 1, int((k + 1) * denied) - int(k * denied)) for k in range(count)]


def spike(size: int = 30) -> Tick:
    return (ONSET, "noise", size, 0)


def test_a_narrative_below_the_floors_is_too_small_to_report() -> None:
    now = judge()
    now.decide(quiet(), at(-60))
    assert now.decide(counted(claims(9, 60)), at(HOUR)).transitions == ()
    assert now.states(EVENT) == {"n": NarrativeState.TOO_SMALL}


def test_enough_originals_by_enough_authors_make_it_one_to_watch() -> None:
    slow = [(600.0 * k + 1, "n", 1, 0) for k in range(10)]
    transitions, _ = passed(slow, upto=2 * HOUR)
    assert states(transitions) == [("watch", "enough_originals")]
    assert transitions[0].at == at(5401)
    assert transitions[0].numbers["originals"] == 10


def test_claims_that_come_fast_while_the_event_is_loud_make_it_rise_and_many_make_it_viral() -> None:
    transitions, findings = passed([spike(), *claims(25, 20)], alpha=1e-9)
    assert states(transitions)[:3] == [
        ("watch", "enough_originals"),
        ("rising", "claims_come_fast"),
        ("viral-unconfirmed", "many_claims"),
    ]
    ours = [finding for finding in findings if finding.narrative == "n"]
    assert [(one.holds, one.reason) for one in ours] == [(True, "viral_no_verdict")]
    assert ours[0].numbers["claims"] == ours[0].numbers["threshold"] == 20


def test_many_claims_of_an_event_at_its_normal_level_are_no_volume() -> None:
    slow = [(100.0 * k + 1, "n", 1, 0) for k in range(100)]
    _, findings = passed(slow, upto=3 * HOUR)
    assert findings == []


def test_without_a_normal_level_many_claims_are_a_volume_that_says_so() -> None:
    _, findings = passed(claims(25, 20), warm_up=Duration(days=2))
    assert [(one.holds, one.reason) for one in findings] == [(True, "viral_warming_up")]


def test_a_volume_ceases_at_the_second_at_which_half_of_its_claims_have_left_the_span() -> None:
    _, findings = passed(claims(25, 20), upto=3 * HOUR, warm_up=Duration(days=2))
    assert [(one.holds, one.reason, one.at) for one in findings] == [
        (True, "viral_warming_up", at(39)),
        (False, "fewer_claims", at(3601)),
    ]


def test_claims_that_denials_outnumber_are_no_volume() -> None:
    _, findings = passed(claims(60, 20, denied=1.2), warm_up=Duration(days=2))
    assert findings == []


def test_a_viral_claim_with_many_denials_is_contested_and_said_to_be() -> None:
    transitions, findings = passed([spike(), *claims(60, 20, denied=0.6)], alpha=1e-9)
    assert ("contested", "denials_keep_up") in states(transitions)
    assert {one.reason for one in findings if one.narrative == "n" and one.holds} == {"viral_contested"}


def test_what_the_race_says_moves_the_state() -> None:
    denials = [(200.0 + 20 * k, "n", 0, 1) for k in range(120)]
    transitions, _ = passed([spike(), *claims(40, 20), *denials])
    assert ("viral-unconfirmed", "no_denial_seen_yet") in states(transitions)
    assert states(transitions)[-1] == ("contested", "denials_overtook")


@pytest.mark.parametrize("status", [Status.CONFIRMED, Status.DENIED, Status.DEBUNKED])
def test_a_status_settles_it_ends_its_volume_and_can_be_withdrawn(status: Status) -> None:
    marks = [
        StatusMark(at=at(second), event=EVENT, narrative="n", status=said, by="desk")
        for second, said in ((100, status), (500, Status.UNCONFIRMED))
    ]
    transitions, findings = passed(claims(40, 20), marks=marks, warm_up=Duration(days=2))
    assert states(transitions)[-2:] == [("settled", f"status_{status.value}"), ("watch", "status_unconfirmed")]
    assert [(one.holds, one.reason) for one in findings] == [(True, "viral_warming_up"), (False, "status_set")]


def test_a_voice_does_not_unsettle_what_an_editor_settled() -> None:
    marks = [
        StatusMark(at=at(100), event=EVENT, narrative="n", status=Status.DENIED, by="desk"),
        StatusMark(at=at(200), event=EVENT, narrative="n", status=Status.UNCONFIRMED, by="wire", voice=True),
    ]
    transitions, _ = passed(claims(20, 20), marks=marks)
    assert states(transitions)[-1] == ("settled", "status_denied")


@pytest.mark.parametrize("restarted", ["never", "in between", "afterwards"])
def test_what_was_settled_stays_settled_for_an_event_that_is_removed_and_watched_again(restarted: str) -> None:
    now = judge()
    now.decide(quiet(), at(-60))
    desk = StatusMark(at=at(30), event=EVENT, narrative="n", status=Status.DENIED, by="desk")
    now.decide(counted([(20, "n", 1, 0)]), at(60), [desk])
    rows = now.snapshot()
    events = {EVENT: Event(name=EVENT, proposition="The valley has fallen", any=("valley",))}
    now.watch({})
    rows |= now.snapshot()
    if restarted == "in between":
        now = Judge({})
        now.restore(rows)
    now.watch(events)
    if restarted == "afterwards":
        now.decide(counted([]), at(90))
        rows |= now.snapshot()
        now = judge()
        now.restore(rows)
    assert now.states(EVENT) == {"n": NarrativeState.SETTLED}
    wire = StatusMark(at=at(200), event=EVENT, narrative="n", status=Status.CONFIRMED, by="wire", voice=True)
    judged = now.decide(counted(claims(60, 100)), at(HOUR), [wire])
    assert (judged.transitions, judged.findings) == ((), [])
    assert (now.status_of(EVENT, "n"), now.states(EVENT)["n"]) == (Status.DENIED, NarrativeState.SETTLED)


def test_a_narrative_nobody_speaks_of_fades_and_comes_back_when_three_speak_of_it() -> None:
    again = [(9.0 * HOUR + k, "n", 1, 0) for k in range(3)]
    transitions, _ = passed([*claims(12, 20), *again], upto=10 * HOUR)
    assert states(transitions)[-2:] == [("faded", "nobody_speaks_of_it"), ("watch", "spoken_of_again")]
    assert transitions[-2].at == at(31 + 6 * HOUR)
    assert transitions[-1].at == at(9 * HOUR + 2)


STORY = [
    spike(),
    *claims(60, 20, denied=0.1),
    *claims(30, 100, narrative="m", denied=0.6),
    *((300.0 + 20 * k, "n", 0, 1) for k in range(150)),
    *claims(25, 4 * HOUR, narrative="m"),
    *claims(4, 17 * HOUR),
]


@settings(max_examples=25)
@given(st.lists(st.one_of(st.integers(1, 600), st.integers(1, 20 * HOUR)), max_size=6), st.integers(100, 700))
def test_a_restart_at_any_second_changes_no_transition(cuts: list[int], second: int) -> None:
    marks = [StatusMark(at=at(second), event=EVENT, narrative="m", status=Status.DEBUNKED, by="desk")]
    straight = passed(STORY, 20 * HOUR, marks)
    assert {one.state.value for one in straight[0]} > {"watch", "viral-unconfirmed", "contested", "settled", "faded"}
    assert passed(STORY, 20 * HOUR, marks, cuts) == straight


def test_where_a_narrative_stood_within_a_call_can_be_asked() -> None:
    now = judge(warm_up=Duration(days=2))
    now.decide(quiet(), at(-60))
    now.decide(counted(claims(25, 20)), at(HOUR))
    assert now.state_of(EVENT, "n", at(25)) is NarrativeState.TOO_SMALL
    assert now.state_of(EVENT, "n", at(HOUR)) is NarrativeState.VIRAL_UNCONFIRMED
    assert now.state_of(EVENT, "nobody", at(HOUR)) is None
