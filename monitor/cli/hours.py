"""A small bar chart of posts per hour, or per longer step where the time is long."""

from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from monitor.web.bodies import Hour

MOST_ROWS = 48
STEPS = tuple(timedelta(hours=hours) for hours in (1, 3, 6, 12, 24, 7 * 24, 30 * 24, 365 * 24))
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_BLOCKS = "▏▎▍▌▋▊▉█"


def step_of(hours: Sequence[Hour]) -> timedelta:
    """How long a row of the chart lasts."""
    span = hours[-1].begins - hours[0].begins
    return next((step for step in STEPS if span // step < MOST_ROWS), STEPS[-1])


def chart(hours: Sequence[Hour], width: int) -> list[str]:
    """Lines of at most `width` characters, oldest first; steps without posts between others are there too."""
    if not hours:
        return []
    step = step_of(hours)
    counts = Counter[int]()
    for hour in hours:
        counts[(hour.begins - _EPOCH) // step] += hour.posts
    most = max(counts.values())
    digits = len(f"{most:,}")
    room = max(8, width - len("2026-11-23 12:00  ") - digits - 2)
    first = max(min(counts), max(counts) - MOST_ROWS + 1)
    places = range(first, max(counts) + 1)
    return [_line(place * step, counts[place], digits, bar(counts[place] / most, room)) for place in places]


def bar(share: float, room: int) -> str:
    """A bar that fills `share` of `room` characters, in eighths; something for every share above 0."""
    eighths = round(share * room * 8)
    if share > 0:
        eighths = max(1, eighths)
    whole, rest = divmod(eighths, 8)
    return _BLOCKS[-1] * whole + (_BLOCKS[rest - 1] if rest else "")


def _line(since_epoch: timedelta, posts: int, digits: int, drawn: str) -> str:
    return f"{_EPOCH + since_epoch:%Y-%m-%d %H:%M}  {posts:>{digits},}  {drawn}".rstrip()
