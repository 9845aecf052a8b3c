"""The chain of the counting stages: windows ▶ judge ▶ alert policy."""

from collections.abc import Sequence
from datetime import datetime, timedelta

import msgspec
import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.alert.decide import AlertPolicy
from monitor.alert.steps import Described
from monitor.judge.judge import Judge
from monitor.marks import GapMark, Status, StatusMark
from monitor.records import Alert, NarrativeState
from monitor.watched import Duration, Event, Measure, Rules
from monitor.window.counts import Windows
from tests.fakes.streams import CLAIMS, EVEN, EVENT, START, cut, story

RULES = Rules(
    alert_on=("race", "spike", "volume", "celebration", "quiet"),
    spike_on=tuple(Measure),
    volume=15,
    volume_span=Duration(minutes=10),
    volume_posts=200,
    minimum_originals=6,
    minimum_authors=4,
    warm_up=Duration(hours=2),
    for_=Duration(seconds=30),
    keep_firing=Duration(minutes=10),
    quiet=Duration(hours=1),
)


def describe(event: str, narrative: str, at: datetime) -> Described:
    return Described(f"{event}/{narrative}/{at}", ())


def alerts(rows: pl.DataFrame, cuts: Sequence[int], marks: Sequence[StatusMark | GapMark] = ()) -> list[Alert]:
    """All steps of a stream in batches; marks come with the batch that passes them."""
    events = {EVENT: Event(name=EVENT, proposition="The valley has fallen", any=("valley",), rules=RULES)}
    windows, judge, policy = Windows(), Judge(events), AlertPolicy(events)
    steps: list[Alert] = []
    before = START
    for part, upto in cut(rows, cuts):
        coming = [mark for mark in marks if before <= (mark.at if isinstance(mark, StatusMark) else mark.ends) < upto]
        statuses = [mark for mark in coming if isinstance(mark, StatusMark)]
        counted = windows.add(part, upto, [mark for mark in coming if isinstance(mark, GapMark)])
        judged = judge.decide(counted, upto, statuses)
        steps += policy.decide(judged.findings, counted, upto, describe, statuses, state_of=judge.state_of)
        before = upto
    return steps


@settings(max_examples=15)
@given(st.integers(0, 4), st.lists(st.integers(0, 900), max_size=12), st.integers(1, 400))
def test_any_cut_of_a_stream_gives_the_same_alerts(seed: int, cuts: list[int], second: int) -> None:
    rows = story(seed, sources=3, lag=40.0)
    burst = rows["seen_at"][240]
    marks = (
        GapMark(source="s0", begins=START + timedelta(hours=1), ends=START + timedelta(minutes=90), why="down"),
        StatusMark(at=burst + timedelta(seconds=second), event=EVENT, narrative="n2", status=Status.DENIED, by="desk"),
    )
    straight = alerts(rows, [], marks)
    assert {alert.rule for alert in straight} >= {"race", "spike", "volume"}
    assert any(alert.narrative_state is NarrativeState.VIRAL_UNCONFIRMED for alert in straight)
    assert msgspec.json.encode(alerts(rows, cuts, marks)) == msgspec.json.encode(straight)


def test_one_row_at_a_time_gives_the_same_alerts() -> None:
    rows = story(0, ((150, 60.0, EVEN), (150, 1.0, CLAIMS)))
    assert msgspec.json.encode(alerts(rows, range(rows.height))) == msgspec.json.encode(alerts(rows, []))


def test_quiet_talk_of_a_week_alerts_nobody() -> None:
    rows = story(1, ((3_000, 200.0, EVEN),))
    steps = alerts(rows, range(0, rows.height, 300))
    assert [step.rule for step in steps if step.at <= rows["seen_at"][-1]] == []
    assert {step.rule for step in steps} == {"quiet"}, "and then nothing comes for a day"
