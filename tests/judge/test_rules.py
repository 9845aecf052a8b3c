from collections.abc import Mapping, Sequence
from typing import Any

import polars as pl
import pytest

from monitor.frames import TICKS, Counted
from monitor.judge.judge import Judge
from monitor.records import Finding
from monitor.watched import Duration, Event, Measure, Rules
from tests.fakes.counts import EVENT, at, counted, quiet

HOUR = 3_600
ONSET = 0


def judge(**rules: Any) -> Judge:  # noqa: ANN401  any field of Rules
    event = Event(name=EVENT, proposition="The valley has fallen", any=("valley",), rules=Rules(**rules))
    return Judge({EVENT: event})


def told(rows: Mapping[int, Mapping[str, int]]) -> Counted:
    """What a call counts of the event as a whole: second → measure → how many more."""
    columns = list(TICKS)[3:]
    ticks = [(at(second), EVENT, "", *(counts.get(name, 0) for name in columns)) for second, counts in rows.items()]
    return counted([])._replace(ticks=pl.DataFrame(ticks, schema=TICKS, orient="row"))


def found(rows: Mapping[int, Mapping[str, int]], cuts: Sequence[float] = (), **rules: object) -> list[Finding]:
    """Findings of an hour, with a restart at each cut."""
    now = judge(**rules)
    now.decide(quiet(), at(-60))
    kept = now.snapshot()
    findings: list[Finding] = []
    begin = -60.0
    for end in [*cuts, float(HOUR)]:
        now = judge(**rules)
        now.restore(kept)
        part = {second: counts for second, counts in rows.items() if begin < second <= end}
        findings += now.decide(told(part), at(end)).findings
        kept |= now.snapshot()
        begin = end
    return findings


def said(findings: Sequence[Finding]) -> list[tuple[str, bool, str]]:
    return [(one.rule, one.holds, one.reason) for one in findings]


@pytest.mark.parametrize("measure", [one for one in Measure if one is not Measure.CELEBRATIONS])
def test_any_measure_may_be_asked_to_spike(measure: Measure) -> None:
    rows = {ONSET: {"posts": 5, measure.value: 30}}
    reason = "above_baseline" if measure is Measure.POSTS else f"{measure.value}_above_baseline"
    findings = found(rows, spike_on=(measure,))
    assert said(findings) == [("spike", True, reason), ("spike", False, "calmed")]
    assert findings[0].numbers[measure.value] >= 30
    assert found(rows, spike_on=(Measure.CELEBRATIONS,)) == []


def test_a_spike_holds_while_one_of_its_measures_does() -> None:
    rows = {ONSET: {"posts": 6, "questions": 6}, 400: {"posts": 40, "questions": 6}}
    findings = found(rows, spike_on=(Measure.POSTS, Measure.QUESTIONS))
    assert said(findings) == [("spike", True, "questions_above_baseline"), ("spike", False, "calmed")]
    assert findings[0].at == at(ONSET)


def test_the_ask_rate_can_be_read() -> None:
    now = judge()
    now.decide(quiet(), at(-60))
    now.decide(told({ONSET: {"posts": 8, "questions": 8}}), at(60))
    reading = now.measure(EVENT, Measure.QUESTIONS)
    assert reading is not None
    assert (reading.posts, reading.expected, reading.spiking) == (8, 0.5, True)


def test_celebration_is_a_finding_of_its_own_above_its_floor() -> None:
    rows = {ONSET: {"posts": 5, "celebrations": 9}}
    assert said(found(rows)) == [("celebration", True, "celebrations_above_baseline"), ("celebration", False, "calmed")]
    assert found(rows, minimum_celebrations=10) == []


def test_so_many_posts_within_the_span_are_a_volume_of_the_event() -> None:
    rows = {10 + k: {"posts": 1} for k in range(9)}
    span = Duration(minutes=10)
    findings = found(rows, cuts=(12.0, 500.0), volume_posts=11, volume_span=span)
    volumes = [one[1:] for one in said(findings) if one[0] == "volume"]
    assert volumes == [(True, "many_posts"), (False, "fewer_posts")]
    assert next(one for one in findings if one.rule == "volume").numbers == {
        "posts": 11.0,
        "threshold": 11.0,
        "minutes": 10.0,
    }
    assert "volume" not in {one.rule for one in found(rows, volume_posts=12, volume_span=span)}


def test_a_measure_that_is_not_asked_for_any_more_ends_its_spike() -> None:
    now = judge(spike_on=(Measure.QUESTIONS,))
    now.decide(quiet(), at(-60))
    assert said(now.decide(told({ONSET: {"posts": 7, "questions": 7}}), at(60)).findings)[0][1]
    event = Event(name=EVENT, proposition="The valley has fallen", any=("valley",))
    now.watch({EVENT: event})
    assert said(now.decide(told({70: {"posts": 1}}), at(80)).findings) == [("spike", False, "calmed")]
