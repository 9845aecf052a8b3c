"""How long a chart takes and how large it is, from short to extreme counts, with a title in every script."""

import sys
from random import Random
from statistics import median
from time import process_time

import pytest

from monitor.alert.chart import picture
from monitor.clock import SystemClock
from monitor.records import Series
from tests.fakes.alerts import AT, an_alert
from tests.fakes.corpus import SCRIPTS

pytestmark = pytest.mark.bench

MILLISECONDS, BYTES = 150, 60_000


def test_a_chart_in_every_script_from_short_to_extreme() -> None:
    clock, chance = SystemClock(), Random(7)
    took, busy, sizes = [], [], []
    for text in SCRIPTS.values():
        for minutes in (1, 12, 30, 180):
            for most in (1, 9, 400, 10**9):
                sides = [tuple(chance.randint(0, most) for _ in range(minutes)) for _ in range(3)]
                series = Series(begins=AT, claims=sides[0], denials=sides[1], celebrations=sides[2])
                alert = an_alert(label=text * 9, series=series, claims=10**9)
                began, spent = clock.monotonic(), process_time()
                made = picture(alert)
                took.append((clock.monotonic() - began) * 1_000)
                busy.append((process_time() - spent) * 1_000)
                assert made is not None
                sizes.append(len(made))
    sys.stdout.write(f"\na chart, ms: median {median(took):.0f}, slowest {max(took):.0f}   target {MILLISECONDS}\n")
    sys.stdout.write(f"  of which on a core: median {median(busy):.0f}, most {max(busy):.0f}\n")
    sys.stdout.write(f"a chart, bytes: median {median(sizes):,.0f}, largest {max(sizes):,}   target {BYTES:,}\n")
    assert max(sizes) <= BYTES
