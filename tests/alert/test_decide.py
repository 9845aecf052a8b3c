from collections.abc import Sequence
from datetime import datetime
from itertools import pairwise
from typing import Any

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from monitor.alert.decide import AlertPolicy
from monitor.records import (
    Alert,
    AlertState,
    Duration,
    Event,
    Evidence,
    Finding,
    GapMark,
    Rules,
    Silence,
    Status,
    StatusMark,
)
from tests.fakes.counts import EVENT, Tick, at, counted

RULES = Rules(for_=Duration(seconds=120), keep_firing=Duration(seconds=1_800))
PENDING, FIRING, RESOLVED = AlertState.PENDING, AlertState.FIRING, AlertState.RESOLVED


def policy(rules: Rules = RULES) -> AlertPolicy:
    return AlertPolicy({EVENT: Event(name=EVENT, proposition="The valley has fallen", any=("valley",), rules=rules)})


def describe(event: str, narrative: str, time: datetime) -> tuple[str, tuple[Evidence, ...]]:
    return f"{event}/{narrative} at {time:%H:%M:%S}", ()


def finding(second: float, *, holds: bool = True, reason: str = "claims_outrun_denials", **fields: Any) -> Finding:  # noqa: ANN401
    plain: dict[str, Any] = {"event": EVENT, "narrative": "n", "rule": "race"}
    numbers = {"claims": 12.0, "denials": 3.0, "authors": 15.0}
    return Finding(at=at(second), holds=holds, reason=reason, numbers=numbers, **plain | fields)


def gone(second: float, reason: str = "quiet") -> Finding:
    return finding(second, holds=False, reason=reason)


def steps(
    findings: Sequence[Finding],
    upto: float = 10_000,
    *,
    cuts: Sequence[float] = (),
    ticks: Sequence[Tick] = (),
    rules: Rules = RULES,
    **given_once: Any,  # noqa: ANN401  marks, gaps, silences
) -> list[Alert]:
    """The steps of findings decided in calls that end at `cuts`; the policy is saved and restored at each."""
    now, rows = policy(rules), dict[str, bytes]()
    found: list[Alert] = []
    begin = -1.0
    for end in [*sorted({cut for cut in cuts if 0 < cut < upto}), upto]:
        part = [f for f in findings if at(begin) < f.at <= at(end)]
        gaps = tuple(gap for gap in given_once.get("gaps", ()) if at(begin) < gap.ends <= at(end))
        marks = [mark for mark in given_once.get("marks", ()) if at(begin) < mark.at <= at(end)]
        counts = counted([tick for tick in ticks if begin < tick[0] <= end], gaps=gaps)
        new = [one for one in given_once.get("silences", ()) if at(begin) < (one.at or one.begins_at) <= at(end)]
        found += now.decide(part, counts, at(end), describe, [*marks, *new])
        rows |= now.snapshot()
        now = policy(rules)
        now.restore({key: row for key, row in rows.items() if row})
        begin = end
    return found


def seen(alerts: list[Alert]) -> list[tuple[AlertState, float]]:
    return [(alert.state, (alert.at - at(0)).total_seconds()) for alert in alerts]


def test_a_finding_that_holds_is_pending_and_fires_at_its_second() -> None:
    assert seen(steps([finding(60)])) == [(PENDING, 60), (FIRING, 180)]
    assert seen(steps([finding(60)], 179)) == [(PENDING, 60)]
    assert seen(steps([finding(60)], cuts=[60, 179, 180, 181])) == [(PENDING, 60), (FIRING, 180)]


def test_a_pending_alert_whose_finding_ceases_vanishes() -> None:
    assert seen(steps([finding(60), gone(180)])) == [(PENDING, 60)]


def test_it_resolves_when_its_finding_was_gone_long_enough() -> None:
    alerts = steps([finding(60), gone(1_000)])
    assert seen(alerts) == [(PENDING, 60), (FIRING, 180), (RESOLVED, 2_800)]
    assert alerts[-1].reason == "quiet"


def test_it_does_not_flap() -> None:
    flapping = [finding(60), *(f for k in range(9) for f in (gone(1_000 + 200 * k), finding(1_100 + 200 * k)))]
    assert seen(steps(flapping)) == [(PENDING, 60), (FIRING, 180)]
    assert seen(steps([*flapping, gone(5_000)]))[2:] == [(RESOLVED, 6_800)]


def test_it_resolves_at_once_when_denials_overtook_or_a_status_was_set() -> None:
    for reason in ("denials_overtook", "status_set"):
        alerts = steps([finding(60), gone(1_000, reason)])
        assert seen(alerts)[-1] == (RESOLVED, 1_000)
        assert alerts[-1].reason == reason


def test_when_it_fires_again_it_is_another_alert_about_the_same() -> None:
    alerts = steps([finding(60), gone(1_000, "denials_overtook"), finding(2_000)])
    ids = [alert.id for alert in alerts]
    assert len(set(ids)) == 2
    assert ids[0] == ids[1] == ids[2] != ids[3] == ids[4]
    assert len({alert.fingerprint for alert in alerts}) == 1


def test_only_the_rules_an_event_alerts_on_become_alerts() -> None:
    spike = finding(60, rule="spike", narrative="")
    assert steps([spike]) == []
    both = Rules(alert_on=("race", "spike"), for_=RULES.for_)
    assert [alert.rule for alert in steps([spike], rules=both)] == ["spike", "spike"]
    assert steps([finding(60, event="unknown")]) == []


def test_every_step_shows_the_counts_of_its_second() -> None:
    ticks: list[Tick] = [(60, "n", 5, 5), (100, "n", 2, 1), (180, "n", 1, 0), (181, "n", 1, 1), (100, "m", 9, 9)]
    for cuts in ([], [100], [60, 99, 150, 180], [181]):
        pending, firing, resolved = steps([finding(60), gone(190, "status_set")], ticks=ticks, cuts=cuts)
        assert (pending.claims, pending.denials, pending.authors) == (12, 3, 15)
        assert (firing.claims, firing.denials, firing.authors) == (15, 4, 19)
        assert (resolved.claims, resolved.denials, resolved.authors) == (16, 5, 21)


def test_every_step_is_described_as_of_its_second() -> None:
    alerts = steps([finding(60)])
    assert [alert.label for alert in alerts] == ["fall/n at 00:01:00", "fall/n at 00:03:00"]
    assert {alert.proposition for alert in alerts} == {"The valley has fallen"}


def test_a_step_shows_the_status_that_was_set_by_then() -> None:
    marks = [StatusMark(at=at(150), event=EVENT, narrative="n", status=Status.CONFIRMED, by="desk")]
    alerts = steps([finding(60), gone(300, "status_set")], marks=marks, cuts=[200])
    assert [alert.status for alert in alerts] == [Status.UNCONFIRMED, Status.CONFIRMED, Status.CONFIRMED]


def test_gaps_that_touch_an_alerts_time_are_shown_once_they_are_known() -> None:
    gap = GapMark(source="s", begins=at(30), ends=at(100), why="down")
    before = GapMark(source="s", begins=at(10), ends=at(20), why="down")
    pending, firing = steps([finding(60)], gaps=(gap, before))
    assert pending.blind == ()
    assert firing.blind == (gap,)


def silence(expires: float, **matcher: str) -> Silence:
    return Silence(id="s", owner="desk", comment="known", begins_at=at(0), expires_at=at(expires), **matcher)


def test_a_silenced_alert_is_kept_and_told_when_the_silence_ends() -> None:
    alerts = steps([finding(60)], silences=[silence(600)])
    assert seen(alerts) == [(PENDING, 60), (FIRING, 180), (FIRING, 600)]
    assert [alert.silenced for alert in alerts] == [True, True, False]


def test_nobody_is_told_that_what_they_never_heard_of_is_resolved() -> None:
    alerts = steps([finding(60), gone(500, "status_set")], silences=[silence(5_000, narrative="n")])
    assert [(alert.state, alert.silenced) for alert in alerts] == [(PENDING, True), (FIRING, True), (RESOLVED, True)]


def test_a_silence_about_something_else_silences_nothing() -> None:
    assert not any(alert.silenced for alert in steps([finding(60)], silences=[silence(5_000, narrative="m")]))


def test_a_silence_that_is_cut_short_tells_at_once() -> None:
    shorter = msgspec.structs.replace(silence(9_000), begins_at=at(500), expires_at=at(500))
    alerts = steps([finding(60)], silences=[silence(9_000), shorter], cuts=[400, 501])
    assert [(alert.state, alert.silenced) for alert in alerts] == [(PENDING, True), (FIRING, True), (FIRING, False)]


def test_a_silence_that_is_cut_short_tells_at_its_end_wherever_the_batch_ends() -> None:
    ended = msgspec.structs.replace(silence(9_000), expires_at=at(500.25), at=at(500.25))
    for cuts in ([], [400], [400, 501], [500, 501, 502], [499, 3_000]):
        told = seen(steps([finding(60)], silences=[silence(9_000), ended], cuts=cuts))
        assert told == [(PENDING, 60), (FIRING, 180), (FIRING, 500.25)]


def test_a_silence_whose_end_comes_late_tells_at_the_second_that_was_decided_last() -> None:
    now = policy()
    now.decide([finding(60)], counted([]), at(600), describe, [silence(9_000)])
    ended = msgspec.structs.replace(silence(9_000), expires_at=at(500), at=at(500))
    assert seen(now.decide([], counted([]), at(700), describe, [ended])) == [(FIRING, 600)]


def test_a_silence_that_begins_in_the_past_silences_nothing_before_it_was_made() -> None:
    made = msgspec.structs.replace(silence(9_000), at=at(200))
    for cuts in ([], [190]):
        alerts = steps([finding(60), gone(300, "status_set")], silences=[made], cuts=cuts)
        assert [alert.silenced for alert in alerts] == [False, False, True]


def test_a_card_shows_of_an_outage_what_was_known_by_then() -> None:
    pieces = outage(0, 60, 150, 185, 400)
    for cuts in ([], [100], [60, 160, 185], [180]):
        pending, firing = steps([finding(60)], gaps=pieces, cuts=cuts)
        assert [(gap.begins, gap.ends) for gap in pending.blind] == [(at(0), at(60))]
        assert [(gap.begins, gap.ends) for gap in firing.blind] == [(at(0), at(150))]


def test_a_later_alert_shows_all_of_an_outage_that_goes_on() -> None:
    later = finding(8_000, narrative="m")
    for cuts in ([], [70], [70, 7_000]):
        alert = steps([later], gaps=outage(0, 60, 8_000), cuts=cuts)[-1]
        assert [(gap.begins, gap.ends) for gap in alert.blind] == [(at(0), at(8_000))]


def test_marks_are_written_only_when_they_change_and_go_when_no_alert_can_show_them() -> None:
    now = policy()
    many = tuple(gap for second in range(0, 2_000, 2) for gap in outage(second, second + 1))
    now.decide([finding(60)], counted([], gaps=many), at(2_000), describe, [silence(100)])
    full = now.snapshot()["alert/marks"]
    now.decide([], counted([]), at(2_001), describe)
    assert "alert/marks" not in now.snapshot()
    now.decide([gone(2_002, "status_set")], counted([]), at(2_002), describe)
    assert len(now.snapshot()["alert/marks"]) < 200 < len(full) < 20_000


def test_a_card_shows_the_last_hundred_outages() -> None:
    many = tuple(gap for second in range(0, 2_000, 2) for gap in outage(second, second + 1))
    for cuts in ([], [500, 1_000, 1_500, 1_800]):
        alert = steps([finding(60), gone(1_900, "status_set")], gaps=many, cuts=cuts)[-1]
        assert alert.blind == tuple(gap for gap in many if gap.ends <= at(1_900))[-100:]


def outage(*seconds: float, source: str = "s") -> tuple[GapMark, ...]:
    """The pieces of one outage, noted at these seconds but the first."""
    return tuple(
        GapMark(source=source, begins=at(begins), ends=at(ends), why="down") for begins, ends in pairwise(seconds)
    )


def test_an_outage_noted_piece_by_piece_is_one_on_the_card() -> None:
    pieces = [
        GapMark(source="s", begins=at(begins), ends=at(begins + 60), why="broker away") for begins in (0, 60, 120)
    ]
    firing = steps([finding(100)], gaps=pieces, cuts=[61, 121, 181])[-1]
    assert [(gap.begins, gap.ends) for gap in firing.blind] == [(at(0), at(180))]


TRANSITIONS = st.lists(
    st.tuples(
        st.integers(1, 5_000), st.sampled_from(["n", "m"]), st.booleans(), st.sampled_from(["quiet", "status_set"])
    ),
    max_size=12,
    unique_by=lambda row: row[:2],
)


SECONDS = st.integers(1, 9_000)
OUTAGES = st.lists(st.tuples(st.sampled_from("st"), st.lists(SECONDS, min_size=2, max_size=6, unique=True)), max_size=4)
SILENCES = st.lists(
    st.tuples(SECONDS, st.sampled_from("ab"), SECONDS, SECONDS, st.sampled_from(["", "n", "m"])), max_size=6
)
STATUSES = st.lists(
    st.tuples(SECONDS, st.sampled_from("nm"), st.sampled_from(Status)), max_size=4, unique_by=lambda row: row[0]
)


def silences(rows: list[tuple[int, str, int, int, str]]) -> list[Silence]:
    """Silences set, replaced and cut short (made at, id, begins, expires, narrative), in the order of the stream."""
    return [
        Silence(
            id=name,
            narrative=about,
            owner="desk",
            comment="known",
            begins_at=at(begins),
            expires_at=at(expires + 0.5),
            at=at(made + 0.25),
        )
        for made, name, begins, expires, about in sorted(rows)
    ]


@given(TRANSITIONS, st.lists(SECONDS, max_size=5), OUTAGES, SILENCES, STATUSES)
def test_a_restart_at_any_second_changes_no_step(
    rows: list[tuple[int, str, bool, str]],
    cuts: list[int],
    outages: list[tuple[str, list[int]]],
    quiet: list[tuple[int, str, int, int, str]],
    statuses: list[tuple[int, str, Status]],
) -> None:
    findings = [
        finding(second, narrative=name, holds=holds, reason=reason) for second, name, holds, reason in sorted(rows)
    ]
    ticks: list[Tick] = [(second, "n", 1, 2) for second in range(10, 5_000, 70)]
    given_once = {
        "silences": [silence(700), *silences(quiet)],
        "gaps": [gap for source, seconds in outages for gap in outage(*sorted(seconds), source=source)],
        "marks": [
            StatusMark(at=at(second), event=EVENT, narrative=name, status=status, by="desk")
            for second, name, status in statuses
        ],
    }
    straight = steps(findings, ticks=ticks, **given_once)
    restarted = steps(findings, ticks=ticks, cuts=cuts, **given_once)
    assert msgspec.json.encode(restarted) == msgspec.json.encode(straight)
    assert [alert.at for alert in straight] == sorted(alert.at for alert in straight)


def test_what_is_over_leaves_an_empty_row_to_delete() -> None:
    now = policy()
    now.decide([finding(60)], counted([]), at(200), describe)
    [key] = [key for key in now.snapshot() if key.startswith("alert/live/")]
    now.decide([gone(300, "status_set")], counted([]), at(400), describe)
    assert now.snapshot()[key] == b""
