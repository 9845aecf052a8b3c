import numpy as np
import numpy.typing as npt
from hypothesis import given
from hypothesis import strategies as st

from monitor.window.watermark import SECOND, Watermarks, closing_ticks

LATENESS = 120 * SECOND


def late(marks: Watermarks, posts: list[tuple[int, int]]) -> list[bool]:
    """Posts of one source as (tick, seconds between what the author says and when it was seen)."""
    tick = np.array([post[0] for post in posts])
    seen = (tick - 1) * SECOND
    behind = np.array([post[1] for post in posts]) * SECOND
    return list(marks.late(["s"], np.zeros(tick.size, np.int64), tick, seen - behind, seen)[0])


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


def closings(posts: list[tuple[str, int, int]], upto: int, ends: list[int]) -> npt.NDArray[np.int64]:
    """When windows that end at these seconds close, given posts (source, tick, seconds behind)."""
    marks = Watermarks(LATENESS)
    names = sorted({post[0] for post in posts})
    tick = np.array([post[1] for post in posts])
    seen = (tick - 1) * SECOND
    behind = np.array([post[2] for post in posts]) * SECOND
    source = np.array([names.index(post[0]) for post in posts])
    _, steps = marks.late(names, source, tick, seen - behind, seen)
    return closing_ticks(steps.horizon(1, upto), LATENESS, upto, np.array(ends) * SECOND)


def test_a_window_closes_when_the_allowed_lateness_has_passed() -> None:
    assert closings([("a", 1, 0)], 1_000, [300, 600]).tolist() == [420, 720]


def test_a_source_behind_holds_a_window_open_for_as_long_as_it_is_behind() -> None:
    assert closings([("a", 1, 0), ("b", 2, 60)], 1_000, [300]).tolist() == [480]


def test_a_source_without_posts_for_ten_minutes_holds_nothing() -> None:
    assert closings([("a", 1, 0), ("b", 2, 3_000)], 1_000, [300]).tolist() == [603]


def test_a_source_days_behind_holds_windows_open_for_an_hour_at_most() -> None:
    posts = [("b", tick, 90_000) for tick in range(1, 6_000, 500)]
    assert closings(posts, 6_000, [300]).tolist() == [300 + 3_600 + 120]


def test_the_second_source_may_be_the_one_that_lets_a_window_close() -> None:
    assert closings([("a", 1, 0), ("b", 2, 300), ("b", 500, 30)], 1_000, [300]).tolist() == [500]
