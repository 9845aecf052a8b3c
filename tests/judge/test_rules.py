from collections.abc import Mapping, Sequence
from typing import Any

import polars as pl
import pytest

from monitor.frames import TICKS, Counted
from monitor.judge.judge import Judge
from monitor.records import Finding
from monitor.watched import Event, Measure, Rules
from tests.fakes.counts import EVENT, START, at, counted, quiet

HOUR = 3_600
ONSET = 10


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
    now.decide(counted([], quiet()), START)
    kept = now.snapshot()
    findings: list[Finding] = []
    begin = 0.0
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
    assert findings[0].numbers[measure.value] == 30
    assert found(rows, spike_on=(Measure.CELEBRATIONS,)) == []


def test_a_spike_holds_while_one_of_its_measures_does() -> None:
    rows = {ONSET: {"posts": 6, "questions": 6}, 400: {"posts": 40, "questions": 6}}
    findings = found(rows, spike_on=(Measure.POSTS, Measure.QUESTIONS))
    assert said(findings) == [("spike", True, "questions_above_baseline"), ("spike", False, "calmed")]
    assert findings[0].at == at(ONSET)


def test_the_ask_rate_can_be_read() -> None:
    now = judge()
    now.decide(counted([], quiet()), START)
    now.decide(told({ONSET: {"posts": 8, "questions": 8}}), at(60))
    reading = now.measure(EVENT, Measure.QUESTIONS)
    assert reading is not None
    assert (reading.posts, reading.expected, reading.spiking) == (8, 0.5, True)


def test_celebration_is_a_finding_of_its_own_above_its_floor() -> None:
    rows = {ONSET: {"posts": 5, "celebrations": 9}}
    assert said(found(rows)) == [("celebration", True, "celebrations_above_baseline"), ("celebration", False, "calmed")]
    assert found(rows, minimum_celebrations=10) == []


def test_so_many_posts_within_the_span_are_a_volume_of_the_event() -> None:
    rows = {ONSET + k: {"posts": 1} for k in range(9)}
    findings = found(rows, cuts=(12.0, 900.0), volume_posts=9)
    assert said(findings) == [("volume", True, "many_posts")]
    assert findings[0].numbers == {"posts": 9.0, "threshold": 9.0, "minutes": 60.0}
    assert found(rows, volume_posts=10) == []


def test_a_measure_that_is_not_asked_for_any_more_ends_its_spike() -> None:
    now = judge(spike_on=(Measure.QUESTIONS,))
    now.decide(counted([], quiet()), START)
    assert said(now.decide(told({ONSET: {"posts": 8, "questions": 8}}), at(60)).findings)[0][1]
    event = Event(name=EVENT, proposition="The valley has fallen", any=("valley",))
    now.watch({EVENT: event})
    assert said(now.decide(told({70: {"posts": 1}}), at(80)).findings) == [("spike", False, "calmed")]


def test_a_store_of_an_older_version_is_taken_up_with_its_spike() -> None:
    now = judge()
    now.decide(counted([], quiet()), START)
    now.decide(told({ONSET: {"posts": 40}}), at(60))
    rows = {
        key: row
        for key, row in now.snapshot().items()
        if key == "judge/pending" or key.rpartition("/")[2] in {"baseline", "spikes"}
    }
    again = judge()
    again.restore(rows)
    assert said(again.decide(told({}), at(HOUR)).findings) == [("spike", False, "calmed")]
