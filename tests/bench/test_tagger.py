"""How fast the shipped tagger is, how long it takes to load and what memory it holds, beside the targets."""

import sys

import pytest

from classifiers import data
from classifiers.speed import load_cost, posts_per_second
from classifiers.train import OUTPUT

LOAD = 0.5
MEMORY = 150.0

pytestmark = pytest.mark.bench


@pytest.mark.parametrize(("size", "count", "target", "aim"), [(4_096, 8, 25_000, 100_000), (64, 128, 10_000, 40_000)])
def test_the_tagger_is_fast_enough(size: int, count: int, target: int, aim: int) -> None:
    found = max(posts_per_second(OUTPUT, data.written(), size, count) for _ in range(3))
    sys.stdout.write(f"\nbatch {size:>5}: {found:>8,.0f} posts/s of one core's time, target {target:,}, aim {aim:,}\n")
    assert found > target / 2


def test_the_tagger_loads_fast_and_small() -> None:
    seconds, peak, before = min(load_cost(OUTPUT) for _ in range(3))
    sys.stdout.write(
        f"\nload {seconds:.2f} s, target {LOAD}; {peak:.0f} MB ({before:.0f} before), target {MEMORY:.0f}\n"
    )
    assert seconds < 2 * LOAD
    assert peak < 2 * MEMORY
