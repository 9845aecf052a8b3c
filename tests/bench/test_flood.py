"""A flood of keys on what is bounded by them: authors in the window stage, narratives in the judge."""

import sys
import time
import tracemalloc

import numpy as np
import pytest

from monitor.judge import watch
from monitor.judge.judge import Judge
from monitor.watched import Event
from monitor.window.keys import SeenKeys
from tests.fakes.counts import EVENT, at, counted

AUTHORS = 10_000_000
NARRATIVES = 200_000
"""Ten times as many as the judge keeps; the cluster stage lets 10,000 begin in 200,000 mentions."""
AT_ONCE = 65_536
MOST_MEGABYTES = 100.0

pytestmark = pytest.mark.bench


def megabytes() -> float:
    return tracemalloc.get_traced_memory()[1] / 1e6


def test_ten_million_distinct_authors_in_a_day() -> None:
    seen, keys = SeenKeys(), np.random.default_rng(0).integers(1, 2**63, AUTHORS).astype(np.uint64)
    tracemalloc.start()
    began, new = time.process_time(), 0
    for begin in range(0, AUTHORS, AT_ONCE):
        part = keys[begin : begin + AT_ONCE]
        new += int(seen.add(np.arange(begin, begin + part.size) * 86_400 // AUTHORS, part).sum())
        seen.snapshot()
    spent, peak = time.process_time() - began, megabytes()
    tracemalloc.stop()
    sys.stdout.write(
        f"\n{AUTHORS:,} distinct authors: {1e6 * spent / AUTHORS:.2f} us each, {len(seen):,} held,"
        f" peak {peak:.0f} MB of {MOST_MEGABYTES:.0f}\n"
    )
    assert new == AUTHORS
    assert len(seen) < AUTHORS / 2


def test_a_flood_of_narratives_on_the_judge() -> None:
    judge, narratives = Judge({EVENT: Event(name=EVENT, proposition="The valley has fallen", any=("*",))}), 0
    tracemalloc.start()
    began, hour = time.process_time(), 0
    while narratives < NARRATIVES:
        rows = [(hour * 3_600 + 5.0 + number, f"n{narratives + number}", 1, 0) for number in range(3_000)]
        judge.decide(counted(rows), at((hour + 1) * 3_600))
        judge.snapshot()
        narratives, hour = narratives + len(rows), hour + 1
    spent, peak = time.process_time() - began, megabytes()
    tracemalloc.stop()
    kept = narratives - judge.dropped
    sys.stdout.write(
        f"\n{narratives:,} narratives: {1e6 * spent / narratives:.0f} us each, {kept:,} kept,"
        f" {judge.dropped:,} dropped and counted, peak {peak:.0f} MB of {MOST_MEGABYTES:.0f}\n"
    )
    assert kept <= watch.MOST + 3_000
