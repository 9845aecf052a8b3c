import msgspec
import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from monitor.window.watermark import SECOND, Watermarks

LATENESS = 120 * SECOND


def late(marks: Watermarks, posts: list[tuple[int, int]]) -> list[bool]:
    """Posts of one source as (tick, seconds between what the author says and when it was seen)."""
    tick = np.array([post[0] for post in posts])
    seen = (tick - 1) * SECOND
    behind = np.array([post[1] for post in posts]) * SECOND
    return list(marks.late(["s"], np.zeros(tick.size, np.int64), tick, seen - behind, seen))


def test_a_post_more_than_the_lateness_behind_what_its_source_has_shown_is_late() -> None:
    assert late(Watermarks(LATENESS), [(1, 0), (10, 119), (10, 121), (11, 119)]) == [False, False, True, False]


def test_a_source_that_is_always_behind_is_not_late() -> None:
    assert late(Watermarks(LATENESS), [(1, 3_600), (10, 3_600), (20, 3_719), (30, 3_722)]) == [
        False,
        False,
        False,
        True,
    ]


def test_only_posts_of_earlier_ticks_make_a_post_late() -> None:
    assert late(Watermarks(LATENESS), [(5, 0), (5, 9_999)]) == [False, False]
    assert late(Watermarks(LATENESS), [(5, 0), (6, 9_999)]) == [False, True]


def test_the_watermark_does_not_reverse() -> None:
    marks = Watermarks(LATENESS)
    late(marks, [(1, 0)])
    late(marks, [(2, 100_000)])
    assert late(marks, [(3, 200)]) == [True]


def test_a_forged_future_time_does_not_move_the_watermark() -> None:
    marks = Watermarks(LATENESS)
    late(marks, [(1, -1_000_000)])
    assert late(marks, [(2, 100)]) == [False]


@given(st.lists(st.tuples(st.integers(1, 50), st.integers(0, 400)), min_size=1, max_size=30), st.integers(0, 30))
def test_what_is_late_does_not_depend_on_the_cut(posts: list[tuple[int, int]], cut: int) -> None:
    posts.sort(key=lambda post: post[0])
    marks = Watermarks(LATENESS)
    parts = [flag for part in (posts[:cut], posts[cut:]) if part for flag in late(marks, part)]
    assert parts == late(Watermarks(LATENESS), posts)


def test_sources_of_an_older_version_are_taken_up() -> None:
    straight, again = Watermarks(LATENESS), Watermarks(LATENESS)
    late(straight, [(1, 60), (2, 30)])
    again.restore({"window/sources": msgspec.msgpack.encode({"s": (-30 * SECOND, 2)})})
    assert again.snapshot() == straight.snapshot()
    assert late(again, [(3, 149), (4, 152)]) == [False, True]
