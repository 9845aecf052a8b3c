"""What silences, outages and statuses do to alerts, at any cut of the stream."""

from datetime import UTC
from itertools import pairwise
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.alert.phrases import outages
from monitor.marks import GapMark, Silence, Status, StatusMark
from tests.alert.test_decide import FIRING, PENDING, RESOLVED, describe, finding, gone, policy, seen, steps
from tests.fakes.counts import EVENT, Tick, at, counted


def silence(expires: float, **matcher: Any) -> Silence:  # noqa: ANN401
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
        alerts = steps([finding(60), finding(100, narrative="m")], 1_000, silences=[made], cuts=cuts)
        assert [alert.silenced for alert in alerts] == [False, False, False, True]


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
    now.decide([gone(2_002, "status_set")], counted([]), at(6_000), describe)
    assert len(now.snapshot()["alert/marks"]) < 200 < len(full) < 20_000


def test_what_did_not_change_is_not_written_again() -> None:
    now = policy()
    quiet = finding(60), finding(70, narrative="m", rule="volume")
    now.decide(quiet, counted([]), at(400), describe)
    assert {key.split("/")[1] for key in now.snapshot()} == {"decided", "group", "live", "marks"}
    now.decide([], counted([(401.0, "other", 3, 0)]), at(402), describe)
    assert set(now.snapshot()) == {"alert/decided"}
    now.decide([], counted([(403.0, "n", 3, 0)]), at(404), describe)
    assert [key.split("/")[1] for key in now.snapshot()].count("live") == 1


def test_of_very_many_statuses_the_last_ones_are_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("monitor.alert.marks.MOST_STATUSES", 3)
    marks = [
        StatusMark(at=at(second), event=EVENT, narrative=f"n{number}", status=Status.DENIED, by="desk")
        for second, number in ((1, 0), (2, 1), (3, 2), (4, 0), (5, 3))
    ]
    later = [finding(100, narrative=f"n{number}") for number in range(4)]
    for cuts in ([], [2], [1, 2, 3, 4, 5, 50]):
        said = {alert.narrative: alert.status for alert in steps(later, marks=marks, cuts=cuts)}
        assert said == {"n0": Status.DENIED, "n1": Status.UNCONFIRMED, "n2": Status.DENIED, "n3": Status.DENIED}


def test_a_card_shows_the_last_hundred_outages() -> None:
    many = tuple(gap for second in range(0, 2_000, 2) for gap in outage(second, second + 1))
    for cuts in ([], [500, 1_000, 1_500, 1_800]):
        alert = steps([finding(60), gone(1_900, "status_set")], gaps=many, cuts=cuts)[-1]
        assert alert.blind == tuple(gap for gap in many if gap.ends <= at(1_900))[-100:]


@pytest.mark.parametrize("cuts", [(), (65, 100)])
def test_an_outage_of_a_whole_source_is_shown_however_many_parts_of_others_are_blind(cuts: tuple[int, ...]) -> None:
    whole = GapMark(source="tg", begins=at(0), ends=at(60), why="away")
    parts = [
        GapMark(source=f"rss: f{part}", begins=at(part / 10), ends=at(70 + 10 * again), why="no", goes_on=True)
        for again in range(4)
        for part in range(120)
    ]
    blind = steps([finding(100)], gaps=[whole, *parts], cuts=cuts)[-1].blind
    assert (len(blind), blind[0]) == (100, whole)
    said = outages(blind, UTC, 5)
    assert [line.partition(" 2021")[0] for line in said] == ["tg blind", "rss: f119 blind since"]
    assert said[-1].endswith("; 98 more of its parts are or were blind")


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


@pytest.mark.parametrize("cuts", [(), (61, 100, 121, 150, 181)])
def test_parts_of_a_source_that_are_blind_at_once_are_an_outage_each_and_one_line_on_the_card(
    cuts: tuple[int, ...],
) -> None:
    pieces = [
        GapMark(source=f"feeds: {part}", begins=at(begins), ends=at(ends), why="it cannot be read", goes_on=ends < 180)
        for part, begins, ends in (("a", 0, 60), ("b", 30, 90), ("a", 0, 120), ("b", 30, 150), ("a", 0, 180))
    ]
    alert = steps([finding(100)], gaps=pieces, cuts=cuts)[-1]
    shown = [(gap.source, gap.begins, gap.ends, gap.goes_on) for gap in alert.blind]
    assert shown == [("feeds: b", at(30), at(150), True), ("feeds: a", at(0), at(180), False)]
    (said,) = outages(alert.blind, UTC, 9)
    assert said.startswith("feeds: b blind since 2021")
    assert said.endswith("; 1 more of its parts are or were blind")
    assert outages(alert.blind[1:], UTC, 9)[0].startswith("feeds: a blind 2021")


TRANSITIONS = st.lists(
    st.tuples(
        st.integers(1, 5_000), st.sampled_from(["n", "m"]), st.booleans(), st.sampled_from(["quiet", "status_set"])
    ),
    max_size=12,
    unique_by=lambda row: row[:2],
)


SECONDS = st.integers(1, 9_000)
OUTAGES = st.lists(
    st.tuples(st.sampled_from(["s", "t", "s: a"]), st.lists(SECONDS, min_size=2, max_size=6, unique=True)), max_size=4
)
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
    given_once: dict[str, Any] = {
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
