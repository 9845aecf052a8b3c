"""What counting, judging and the alert policy cost per post: windows ▶ judge ▶ policy on batches of 4,096."""

import sys
import time
from datetime import timedelta

import polars as pl
import pytest

from monitor.alert.decide import AlertPolicy
from monitor.alert.steps import Described
from monitor.judge.judge import Judge
from monitor.watched import Event
from monitor.window.counts import Windows
from tests.fakes.streams import CLAIMS, EVEN, EVENT, Phase, story

BATCH = 4_096
TARGET = 3.0
"""Microseconds per post."""

pytestmark = pytest.mark.bench


def cost(rows: pl.DataFrame) -> list[float]:
    """Microseconds of processor time per post of each stage."""
    events = {EVENT: Event(name=EVENT, proposition="The valley has fallen", any=("valley",))}
    windows, judge, policy = Windows(), Judge(events), AlertPolicy(events)
    spent = [0.0, 0.0, 0.0]
    for begin in range(0, rows.height, BATCH):
        batch = rows[begin : begin + BATCH]
        upto = batch["seen_at"][-1]
        times = [time.process_time()]
        counted = windows.add(batch, upto)
        times.append(time.process_time())
        judged = judge.decide(counted, upto)
        times.append(time.process_time())
        policy.decide(judged.findings, counted, upto, lambda event, _narrative, _at: Described(event, ()))
        judge.snapshot()
        policy.snapshot()
        times.append(time.process_time())
        spent = [before + 1e6 * (b - a) for before, a, b in zip(spent, times, times[1:], strict=False)]
    return [stage / rows.height for stage in spent]


@pytest.mark.parametrize("between", [0.001, 0.1, 1.0, 50.0])
def test_counting_and_judging_cost_little_per_post(between: float) -> None:
    phases: tuple[Phase, ...] = ((400, 60.0, EVEN), (80_000, between, CLAIMS))
    rows = story(0, phases, narratives=10, lag=10.0)
    stages = min((cost(rows) for _ in range(3)), key=sum)
    windows, judge, policy = stages
    sys.stdout.write(
        f"\n{between:>6} s between posts: {sum(stages):>6.2f} us per post, target {TARGET}"
        f" (windows {windows:.2f}, judge {judge:.2f}, policy {policy:.2f})\n"
    )
    assert sum(stages) < 10 * TARGET


def test_a_year_with_a_post_a_day_costs_by_posts_and_not_by_seconds() -> None:
    rows = story(0, ((365, 86_400.0, EVEN),))
    begin = time.process_time()
    cost(rows)
    spent = time.process_time() - begin
    sys.stdout.write(f"\na year with a post a day, two window lengths: {spent:.2f} s\n")
    assert timedelta(seconds=spent) < timedelta(seconds=10)
