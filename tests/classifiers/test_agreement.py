import polars as pl
import pytest

from classifiers.agreement import agreement, kappa


@pytest.mark.parametrize(
    ("first", "second", "value"),
    [
        ("aabb", "aabb", 1.0),
        ("aabb", "bbaa", -1.0),
        ("aabb", "abab", 0.0),
        ("aaaa", "aaaa", 1.0),
        ("aaab", "aabb", 0.5),
    ],
)
def test_kappa_is_agreement_beyond_chance(first: str, second: str, value: float) -> None:
    assert kappa(pl.Series(list(first)), pl.Series(list(second))) == pytest.approx(value)


def test_the_readings_agree_far_beyond_chance_in_every_set() -> None:
    lines = [line.split(" | ") for line in agreement().splitlines()[2:]]
    assert len(lines) == 7
    assert all(float(cells[3].strip("*")) > 0.6 for cells in lines)
