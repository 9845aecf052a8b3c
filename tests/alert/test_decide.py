from collections.abc import Sequence
from datetime import datetime
from typing import Any

from monitor.alert.decide import AlertPolicy
from monitor.alert.steps import Described
from monitor.marks import GapMark, Status, StatusMark
from monitor.records import Alert, AlertState, Finding
from monitor.watched import Duration, Event, Rules
from tests.fakes.counts import EVENT, Tick, at, counted

RULES = Rules(for_=Duration(seconds=120), keep_firing=Duration(seconds=1_800))
PENDING, FIRING, RESOLVED = AlertState.PENDING, AlertState.FIRING, AlertState.RESOLVED


def policy(rules: Rules = RULES) -> AlertPolicy:
    return AlertPolicy({EVENT: Event(name=EVENT, proposition="The valley has fallen", any=("valley",), rules=rules)})


def describe(event: str, narrative: str, time: datetime) -> Described:
    return Described(f"{event}/{narrative} at {time:%H:%M:%S}", ())


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


def test_gaps_that_touch_an_alerts_time_or_the_hour_before_are_shown_once_they_are_known() -> None:
    long_ago = GapMark(source="s", begins=at(10), ends=at(20), why="down")
    before = GapMark(source="s", begins=at(1_000), ends=at(2_000), why="down")
    gap = GapMark(source="s", begins=at(4_970), ends=at(5_040), why="down")
    now_blind = GapMark(source="t", begins=at(5_100), ends=at(5_100), why="away")
    pending, firing = steps([finding(5_000)], gaps=(gap, long_ago, before, now_blind))
    assert pending.blind == (before,)
    assert firing.blind == (before, gap, now_blind)


def test_what_is_over_leaves_an_empty_row_to_delete() -> None:
    now = policy()
    now.decide([finding(60)], counted([]), at(200), describe)
    [key] = [key for key in now.snapshot() if key.startswith("alert/live/")]
    now.decide([gone(300, "status_set")], counted([]), at(400), describe)
    assert now.snapshot()[key] == b""
