"""The bar chart of a preview."""

from datetime import UTC, datetime, timedelta

import pytest

from monitor.cli.hours import MOST_ROWS, bar, chart
from monitor.web.bodies import Hour

NOON = datetime(2021, 9, 3, 12, tzinfo=UTC)


def hour(after: int, posts: int) -> Hour:
    return Hour(begins=NOON + timedelta(hours=after), posts=posts)


def test_hours_without_posts_between_others_are_shown() -> None:
    assert chart([hour(0, 2), hour(3, 4)], 29) == [
        "2021-09-03 12:00  2  ████",
        "2021-09-03 13:00  0",
        "2021-09-03 14:00  0",
        "2021-09-03 15:00  4  ████████",
    ]


@pytest.mark.parametrize("hours", [1, 47, 48, 49, 200, 5000, 200_000])
@pytest.mark.parametrize("width", [20, 80, 200])
def test_a_chart_has_few_rows_and_fits_the_terminal_and_counts_every_post(hours: int, width: int) -> None:
    lines = chart([hour(place, 7) for place in range(hours)], width)
    assert 1 <= len(lines) <= MOST_ROWS
    assert all(len(line) <= max(width, 40) for line in lines)
    assert sum(int(line.split()[2].replace(",", "")) for line in lines) == hours * 7


def test_nothing_has_no_chart() -> None:
    assert chart([], 80) == []


def test_every_share_above_nothing_is_seen() -> None:
    assert bar(0.0, 10) == ""
    assert bar(0.0001, 10) == "▏"
    assert bar(1.0, 10) == "█" * 10
