"""An alert → its chart as SVG: claims, denials, celebration per minute, with spike and alert marks. Pure.

Drawn at twice the size of a phone's points: 360 points wide. Colours are Okabe and Ito's, which colour-blind readers
tell apart (Color Universal Design, 2008), and each side has a line of its own kind too.
"""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta, tzinfo
from itertools import chain
from typing import NamedTuple

from monitor.alert import words
from monitor.alert.chart_text import breadth, drawn, is_rtl, lines, markup
from monitor.marks import GapMark
from monitor.records import Alert, Series

WIDTH, HEIGHT = 720, 500
MOST = 180
"""Minutes that are drawn, the last ones."""
FONTS = "Noto Sans, Noto Sans Arabic"

_EDGE, _LEFT, _RIGHT, _TOP, _BOTTOM = 20, 80, 696, 236, 438
_INK, _QUIET, _GRID = "#111111", "#555555", "#D9D9D9"
_TITLE, _TEXT = 30, 23
_MINUTE = timedelta(minutes=1)
_STEPS = (5, 10, 15, 30, 60)
_MOST_LABELS = 6
_LEAST_SCALE = 4
_POINTS = 60
"""More of them on a line, and it is a thicket at the width of a phone."""


class _Side(NamedTuple):
    """How one side is drawn."""

    name: str
    means: tuple[float, ...]
    """Of every few minutes, the last ones whole."""
    total: int
    colour: str
    line: str
    """Attributes of its line: width and pattern."""


class _Plane(NamedTuple):
    """Where a minute and a count lie."""

    begins: datetime
    minutes: int
    top: int
    """The count at the upper edge."""

    @property
    def each(self) -> int:
        """Minutes of one point of a line."""
        return _each(self.minutes)

    def x(self, at: datetime) -> float:
        """Pixels from the left, within the plane."""
        share = (at - self.begins) / _MINUTE / max(self.minutes - 1, 1)
        return _LEFT + (_RIGHT - _LEFT) * min(max(share, 0.0), 1.0)

    def y(self, count: float) -> float:
        """Pixels from above."""
        return _BOTTOM - (_BOTTOM - _TOP) * count / self.top


def drawing(alert: Alert, zone: tzinfo = UTC) -> str | None:
    """The chart as SVG, times in the desk's `zone`; None of an alert that has no counts."""
    if alert.series is None or not alert.series.claims:
        return None
    series = _last(alert.series)
    sides = _sides(alert, series)
    highest = max(chain.from_iterable(side.means for side in sides))
    plane = _Plane(series.begins, len(series.claims), _scale(highest))
    parts = [
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#FFFFFF"/>',
        _head(alert),
        _legend(sides),
        *(_blind(plane, gap) for gap in _gaps(alert, plane)),
        _grid(plane),
        _hours(plane, zone),
        *(_curve(plane, side) for side in sides),
        _marks(alert, series, plane, zone),
    ]
    opening = f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{HEIGHT}" font-family="{FONTS}">'
    return f"{opening}{''.join(parts)}</svg>"


def _last(series: Series) -> Series:
    """The last minutes of counts, equally many of each."""
    length = min(len(series.claims), len(series.denials), len(series.celebrations))
    kept = min(length, MOST)
    return Series(
        begins=series.begins + (length - kept) * _MINUTE,
        claims=series.claims[length - kept : length],
        denials=series.denials[length - kept : length],
        celebrations=series.celebrations[length - kept : length],
        spikes=series.spikes,
    )


def _sides(alert: Alert, series: Series) -> list[_Side]:
    """From the one below to the one on top."""
    return [
        _Side(
            words.CHART_CELEBRATIONS, _means(series.celebrations), alert.celebrations, "#009E73",
            'stroke-width="6" stroke-dasharray="1 11"',
        ),
        _Side(words.CHART_CLAIMS, _means(series.claims), alert.claims, "#D55E00", 'stroke-width="5"'),
        _Side(
            words.CHART_DENIALS, _means(series.denials), alert.denials, "#0072B2",
            'stroke-width="5" stroke-dasharray="15 10"',
        ),
    ]  # fmt: skip


def _each(minutes: int) -> int:
    """Minutes of one point of a line."""
    return -(-minutes // _POINTS)


def _means(counts: Sequence[int]) -> tuple[float, ...]:
    each = _each(len(counts))
    return tuple(sum(counts[cut : cut + each]) / each for cut in range(len(counts) % each, len(counts), each))


def _scale(highest: float) -> int:
    """The smallest round even number that is no less."""
    size = 1
    while True:
        for step in (2, 4, 5, 6, 8, 10):
            if step * size >= max(highest, _LEAST_SCALE) and step * size % 2 == 0:
                return step * size
        size *= 10


def _short(count: int) -> str:
    """A count in at most five letters, or a few more where it is absurd."""
    for size, letter in ((1_000_000, "M"), (1_000, "k")):
        if count >= 10 * size:
            return f"{count // size}{letter}"
        if count >= size:
            return f"{count // (size // 10) / 10:g}{letter}"
    return str(count)


def _head(alert: Alert) -> str:
    """Status word and the claim, in its own direction."""
    status = _text(_EDGE, 36, words.STATUS[alert.status], size=_TEXT, weight=700, fill=_QUIET)
    title = drawn(alert.label) or drawn(alert.proposition)
    size, weight = (_TITLE, 700) if title else (_TEXT, 400)
    title = title or words.CHART_NO_TITLE
    x, anchor = (_RIGHT, "end") if is_rtl(title) else (_EDGE, "start")
    shown = lines(title, (_RIGHT - _EDGE) / size, 2)
    placed = zip((78, 118) if len(shown) > 1 else (92,), shown, strict=True)
    return status + "".join(_text(x, y, one, size=size, weight=weight, anchor=anchor) for y, one in placed)


def _legend(sides: Sequence[_Side]) -> str:
    """Which line is whose, and how many there are in all: claims, denials, celebration."""
    parts, x = [], float(_EDGE)
    for side in (sides[1], sides[2], sides[0]):
        label = f"{side.name} {_short(side.total)}"
        parts.append(_line(x, 158, x + 46, 158, f'stroke="{side.colour}" {side.line} stroke-linecap="round"'))
        parts.append(_text(x + 56, 166, label, size=_TEXT))
        x += 56 + breadth(label) * _TEXT + 20
    return "".join(parts)


def _gaps(alert: Alert, plane: _Plane) -> list[GapMark]:
    ends = plane.begins + plane.minutes * _MINUTE
    return [gap for gap in alert.blind if not gap.partial and gap.ends > plane.begins and gap.begins < ends]


def _blind(plane: _Plane, gap: GapMark) -> str:
    """A band where a source was blind: counts are a floor there."""
    begins, ends = plane.x(gap.begins), plane.x(gap.ends)
    place = f'x="{begins:.1f}" y="{_TOP}" width="{max(ends - begins, 2):.1f}" height="{_BOTTOM - _TOP}"'
    return f'<rect {place} fill="#ECECEC"/>'


def _grid(plane: _Plane) -> str:
    parts = []
    for count in (0, plane.top // 2, plane.top):
        y = plane.y(count)
        parts.append(_line(_LEFT, y, _RIGHT, y, f'stroke="{_INK if count == 0 else _GRID}" stroke-width="2"'))
        parts.append(_text(_LEFT - 12, y + 8, _short(count), size=_TEXT, anchor="end", fill=_QUIET))
    return "".join(parts)


def _hours(plane: _Plane, zone: tzinfo) -> str:
    """Times below the plane, at round minutes of the desk's clock."""
    step = next((step for step in _STEPS if plane.minutes / step <= _MOST_LABELS), _STEPS[-1])
    parts = []
    for number in range(plane.minutes):
        at = plane.begins + number * _MINUTE
        local = at.astimezone(zone)
        x = plane.x(at)
        if (local.hour * 60 + local.minute) % step == 0 and _LEFT + 10 <= x <= _RIGHT - 30:
            parts.append(_line(x, _BOTTOM, x, _BOTTOM + 8, f'stroke="{_INK}" stroke-width="2"'))
            parts.append(_text(x, _BOTTOM + 32, f"{local:%H:%M}", size=_TEXT, anchor="middle", fill=_QUIET))
    offset = (plane.begins + plane.minutes * _MINUTE).astimezone(zone).strftime("%z")
    clock = "UTC" if offset == "+0000" else f"UTC{offset[:3]}:{offset[3:5]}"
    scale = words.CHART_SCALE if plane.each == 1 else words.CHART_SCALE_MEAN
    said = scale.format(zone=clock, each=plane.each)
    parts.append(_text(_RIGHT, HEIGHT - 6, said, size=20, anchor="end", fill=_QUIET))
    return "".join(parts)


def _curve(plane: _Plane, side: _Side) -> str:
    """A side's line through the mean of every few minutes; none along those in which it said nothing."""
    first = plane.minutes % plane.each + (plane.each - 1) / 2
    path, drawing_on = [], False
    for number, mean in enumerate(side.means):
        near = any(side.means[max(number - 1, 0) : number + 2])
        if near:
            at = plane.begins + (first + number * plane.each) * _MINUTE
            path.append(f"{'L' if drawing_on else 'M'}{plane.x(at):.1f} {plane.y(mean):.1f}")
        drawing_on = near
    look = f'stroke="{side.colour}" {side.line} fill="none" stroke-linecap="round" stroke-linejoin="round"'
    return f'<path d="{" ".join(path)}" {look} shape-rendering="crispEdges"/>' if path else ""


def _marks(alert: Alert, series: Series, plane: _Plane, zone: tzinfo) -> str:
    """Where the alert began, where spikes did, and what the grey bands are."""
    parts, entries = [], []
    if plane.begins <= alert.since:
        x = plane.x(alert.since)
        parts.append(_line(x, _TOP - 6, x, _BOTTOM, f'stroke="{_INK}" stroke-width="3"'))
        entries.append((_line(0, -14, 0, 4, f'stroke="{_INK}" stroke-width="4"'), words.CHART_ALERT, alert.since))
    spikes = [at for at in series.spikes if plane.begins <= at <= alert.at]
    parts += [f'<path d="M{plane.x(at) - 11:.1f} {_TOP - 10} h22 l-11 18 z" fill="{_INK}"/>' for at in spikes]
    if spikes:
        entries.append(('<path d="M-9 -13 h18 l-9 15 z"/>', words.CHART_SPIKE, spikes[-1]))
    if _gaps(alert, plane):
        entries.append(('<rect x="-10" y="-14" width="20" height="18" fill="#D0D0D0"/>', words.CHART_BLIND, alert.at))
    x = float(_EDGE + 12)
    for sign, said, at in entries:
        label = said.format(at=f"{at.astimezone(zone):%H:%M}")
        parts.append(f'<g transform="translate({x:.1f} 204)" fill="{_INK}">{sign}</g>')
        parts.append(_text(x + 20, 210, label, size=21, fill=_QUIET))
        x += 20 + breadth(label) * 21 + 24
    return "".join(parts)


def _line(x1: float, y1: float, x2: float, y2: float, look: str) -> str:
    return f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" {look}/>'


def _text(
    x: float, y: float, said: str, *, size: int, weight: int = 400, anchor: str = "start", fill: str = _INK
) -> str:
    place = f'x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}"'
    return f'<text {place} font-size="{size}" font-weight="{weight}" fill="{fill}">{markup(said)}</text>'
