import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from monitor.judge.recent import MINUTE, Recent

SPAN = 5
Posts = list[tuple[int, int, int]]

posts = st.lists(st.tuples(st.integers(1, 2_000), st.integers(0, 3), st.integers(0, 3)), max_size=30).map(
    lambda rows: sorted({row[0]: row for row in rows}.values())
)


def within(rows: Posts, second: int) -> tuple[int, int]:
    """Claims and denials of the minute of `second`, as far as it has come, and of the minutes before it."""
    minute = (second - 1) // MINUTE
    inside = [row for row in rows if row[0] <= second and minute - SPAN < (row[0] - 1) // MINUTE]
    return sum(row[1] for row in inside), sum(row[2] for row in inside)


def recent(rows: Posts, kept: Posts) -> Recent:
    ticks, claims, denials = (np.array([row[part] for row in rows], np.int64) for part in range(3))
    return Recent(kept, ticks, claims, denials, SPAN)


@given(posts, st.integers(0, 2_000))
def test_counts_of_the_span_are_the_same_wherever_the_stream_is_cut(rows: Posts, cut: int) -> None:
    first, second = [row for row in rows if row[0] <= cut], [row for row in rows if row[0] > cut]
    later = recent(second, recent(first, []).minutes(cut))
    whole = [within(rows, row[0]) for row in second]
    assert list(zip(later.claims.tolist(), later.denials.tolist(), strict=True)) == whole
    assert later.at(2_100) == within(rows, 2_100)


@given(posts, st.integers(1, 8), st.integers(0, 2_000))
def test_the_second_is_found_at_which_too_few_claims_remain(rows: Posts, least: int, after: int) -> None:
    found = recent(rows, []).falls(least, after)
    boundaries = [
        minute * MINUTE + 1
        for minute in sorted({(row[0] - 1) // MINUTE + SPAN for row in rows})
        if minute * MINUTE + 1 > after
    ]
    assert found == next((at for at in boundaries if within(rows, at)[0] < least), None)
