"""A backtest as an SVG: the largest stories with when each point fired, and lead against alerts per day.

It stands alone: no fonts, scripts or links from elsewhere, and the texts of posts in it are plain characters.
"""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from html import escape
from typing import NamedTuple

import polars as pl

from monitor.alert.harmless import harmless
from monitor.app.backtest.counts import STEP
from monitor.app.backtest.grid import Point
from monitor.app.backtest.report import median
from monitor.app.backtest.stories import Outcome, Story

LARGEST = 4
"""Stories that are drawn."""
AROUND = timedelta(hours=3)
"""Before and after each."""
NAMED = 12
"""Points that are named beside their marks."""
_WIDTH, _PLOT, _LEFT, _TOP = 960, 130, 60, 30
_SCATTER = 260
_ROW = 11
_LABEL = 90
_CLAIMS, _DENIALS, _PEAK, _OFFICIAL = "#1f5fa8", "#c0392b", "#555555", "#2e7d32"
_COLOURS = ("#6c3fa0", "#b7860b", "#00838f", "#ad1457", "#558b2f", "#4e342e")


class _Frame(NamedTuple):
    """A rectangle in which something is drawn over a range of numbers."""

    top: float
    height: float
    first: float
    last: float
    most: float

    def x(self, value: float) -> float:
        """From a number across."""
        return _LEFT + (value - self.first) / max(self.last - self.first, 1e-9) * (_WIDTH - 2 * _LEFT)

    def y(self, value: float) -> float:
        """From a number up."""
        return self.top + self.height * (1 - value / max(self.most, 1e-9))


def picture(
    points: Sequence[Point], outcomes: Sequence[Outcome], stories: Sequence[Story], activity: pl.DataFrame
) -> str:
    """SVG text; equal backtests give equal text. `activity`: ACTIVITY."""
    told = sorted((story for story in stories if story.narrative), key=lambda story: (-story.claims, story.begins))
    drawn: list[str] = []
    top = float(_TOP)
    for story in told[:LARGEST]:
        drawn += _of_story(story, points, outcomes, activity, top)
        top += _PLOT + _ROW * min(len(points), NAMED) + 62
    if not told:
        drawn.append(_text(_LEFT, top, "no narrative was claimed often enough to be a story"))
        top += 24
    drawn += _of_points(points, outcomes, top + 20)
    height = top + 20 + _SCATTER + 60
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height:.0f}">',
            '<g font-family="sans-serif" font-size="11">',
            f'<rect width="{_WIDTH}" height="{height:.0f}" fill="white"/>',
            *drawn,
            "</g></svg>\n",
        ]
    )


def _of_story(
    story: Story, points: Sequence[Point], outcomes: Sequence[Outcome], activity: pl.DataFrame, top: float
) -> Iterator[str]:
    """Claims and denials of its narrative over its time, and below a row of marks per point."""
    begin, end = story.begins - AROUND, story.ends + AROUND
    mine = activity.filter(event=story.event, narrative=story.narrative).filter(
        (pl.col("begins") >= begin) & (pl.col("begins") < end)
    )
    most = max(*mine["claims"].to_list(), *mine["denials"].to_list(), 1)
    frame = _Frame(top + 14, _PLOT, begin.timestamp(), end.timestamp(), float(most))
    yield _text(_LEFT, top + 4, harmless(f"{story.event}: {story.label}", _LABEL), weight="bold")
    yield f'<path d="M{_LEFT} {frame.top:.0f}v{_PLOT}h{_WIDTH - 2 * _LEFT}" fill="none" stroke="#333"/>'
    yield _text(_LEFT - 6, frame.top + 8, str(most), anchor="end")
    for name, colour in (("claims", _CLAIMS), ("denials", _DENIALS)):
        yield f'<path d="{_outline(frame, mine, name)}" fill="none" stroke="{colour}" stroke-width="1.5"/>'
    yield _text(_WIDTH - _LEFT - 150, top + 4, "claims", anchor="end", fill=_CLAIMS)
    yield _text(_WIDTH - _LEFT, top + 4, "denials, in five minutes each", anchor="end", fill=_DENIALS)
    yield from _moment(frame, story.peak, "peak", _PEAK)
    if story.official is not None:
        yield from _moment(frame, story.official, "official", _OFFICIAL)
    rows = min(len(points), NAMED)
    for number, (point, outcome) in enumerate(zip(points, outcomes, strict=True)):
        y = frame.top + _PLOT + 10 + _ROW * min(number, rows - 1)
        colour = _COLOURS[number % len(_COLOURS)]
        times = [one.alert.at for one in outcome.fired if one.alert.event == story.event and one.alert.narrative in
                 {story.narrative, ""} and begin <= one.alert.at < end]  # fmt: skip
        for at in times:
            yield f'<path d="M{frame.x(at.timestamp()):.1f} {y - 4:.1f}l4 8h-8z" fill="{colour}" fill-opacity="0.7"/>'
        if number < NAMED:
            said = (
                point.name if number < NAMED - 1 or len(points) <= NAMED else f"{len(points) - NAMED + 1} more points"
            )
            yield _text(_WIDTH - _LEFT + 4, y + 3, harmless(said, 60), anchor="end", fill=colour, size=9)
    below = frame.top + _PLOT + 10 + _ROW * rows + 8
    for share in (0.0, 0.25, 0.5, 0.75, 1.0):
        at = begin + (end - begin) * share
        yield _text(frame.x(at.timestamp()), below, f"{at.astimezone(UTC):%d %b %H:%M}", anchor="middle", fill="#333")


def _moment(frame: _Frame, at: datetime, said: str, colour: str) -> Iterator[str]:
    """An upright line at a time, where it lies within the frame."""
    if frame.first <= at.timestamp() <= frame.last:
        x = frame.x(at.timestamp())
        yield f'<path d="M{x:.1f} {frame.top:.0f}v{_PLOT}" stroke="{colour}" stroke-dasharray="4 3"/>'
        yield _text(x + 3, frame.top + 10, said, fill=colour)


def _outline(frame: _Frame, steps: pl.DataFrame, name: str) -> str:
    """Counts as a stepped line; where nothing was said it is on the ground."""
    ground = frame.y(0)
    parts, ended = [f"M{_LEFT} {ground:.1f}"], None
    for begins, count in steps.select("begins", name).iter_rows():
        if begins != ended:
            parts.append(f"V{ground:.1f}H{frame.x(begins.timestamp()):.1f}")
        ended = begins + STEP
        parts.append(f"V{frame.y(count):.1f}H{frame.x(ended.timestamp()):.1f}")
    return "".join([*parts, f"V{ground:.1f}H{_WIDTH - _LEFT}"])


def _of_points(points: Sequence[Point], outcomes: Sequence[Outcome], top: float) -> Iterator[str]:
    """Median lead before the peak, against alerts per day; a hollow mark has missed stories."""
    placed = [
        (number, outcome.per_day, lead / timedelta(minutes=1))
        for number, outcome in enumerate(outcomes)
        if (lead := median(outcome.leads())) is not None
    ]
    yield _text(_LEFT, top, "median lead before the peak (minutes, upwards) against alerts per day", weight="bold")
    low, high = min((up for *_, up in placed), default=0.0), max((up for *_, up in placed), default=1.0)
    low, high = min(low, 0.0), max(high, 1.0)
    frame = _Frame(top + 12, _SCATTER, 0.0, max((day for _, day, _ in placed), default=1.0) * 1.1 or 1.0, high - low)
    yield f'<path d="M{_LEFT} {frame.top:.0f}v{_SCATTER}h{_WIDTH - 2 * _LEFT}" fill="none" stroke="#333"/>'
    for share in (0.0, 0.5, 1.0):
        yield _text(_LEFT - 6, frame.y(share * frame.most) + 4, f"{low + share * frame.most:.0f}", anchor="end")
        yield _text(
            frame.x(share * frame.last), frame.top + _SCATTER + 16, f"{share * frame.last:.2g}", anchor="middle"
        )
    for number, day, up in placed:
        x, y, colour = frame.x(day), frame.y(up - low), _COLOURS[number % len(_COLOURS)]
        fill = "white" if outcomes[number].missed else colour
        yield f'<circle cx="{x:.1f}" cy="{y:.1f}" r="4" fill="{fill}" stroke="{colour}" stroke-width="1.5"/>'
        if len(points) <= NAMED:
            yield _text(x + 7, y + 4, harmless(points[number].name, 60), fill=colour)
    if not placed:
        yield _text(_LEFT + 8, frame.top + 20, "no point alerted a story before or after its peak")


def _text(
    x: float, y: float, said: str, *, anchor: str = "start", fill: str = "#222", weight: str = "normal", size: int = 11
) -> str:
    """A piece of text: characters, and nothing that acts."""
    style = f'text-anchor="{anchor}" fill="{fill}" font-weight="{weight}" font-size="{size}"'
    return f'<text x="{x:.1f}" y="{y:.1f}" {style}>{escape(said)}</text>'
