"""Draws the calibration curve as an SVG: how often a tag was true where it was forecast with a probability."""

from typing import Final

import numpy as np
import numpy.typing as npt

from classifiers.tags import TAGS

__all__ = ["calibration_picture"]

_SIZE: Final = 320
_EDGE: Final = 44
_BINS: Final = 10
_LEAST: Final = 20
"""Forecasts in a bin below which no point is drawn."""
_COLOURS: Final = ("#1f5fa8", "#c0392b", "#b7860b", "#6c3fa0", "#555555")


def calibration_picture(probabilities: npt.NDArray[np.float64], true: npt.NDArray[np.int64]) -> str:
    """One line per tag over the diagonal of perfect calibration; ten bins, a bin of under 20 forecasts left out."""
    width, height = _SIZE + 2 * _EDGE + 90, _SIZE + 2 * _EDGE
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}">',
        '<g font-family="sans-serif" font-size="12">',
        f'<rect width="{width}" height="{height}" fill="white"/>',
        f'<path d="M{_EDGE} {_EDGE}v{_SIZE}h{_SIZE}" fill="none" stroke="#333"/>',
        f'<path d="M{_EDGE} {_EDGE + _SIZE}L{_EDGE + _SIZE} {_EDGE}" stroke="#bbb" stroke-dasharray="4 4"/>',
    ]
    for tick in (0.0, 0.25, 0.5, 0.75, 1.0):
        x, y = _place(tick, tick)
        lines.append(f'<text x="{x:.0f}" y="{_EDGE + _SIZE + 16}" text-anchor="middle">{tick:g}</text>')
        lines.append(f'<text x="{_EDGE - 6}" y="{y + 4:.0f}" text-anchor="end">{tick:g}</text>')
    middle = _EDGE + _SIZE // 2
    lines.append(f'<text x="{middle}" y="{height - 8}" text-anchor="middle">probability forecast</text>')
    lines.append(
        f'<text x="12" y="{middle}" text-anchor="middle" transform="rotate(-90 12 {middle})">share that was true</text>'
    )
    for place, (tag, colour) in enumerate(zip(TAGS, _COLOURS, strict=True)):
        points = [_place(*point) for point in _curve(probabilities[:, place], true == place)]
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
        lines.append(f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"/>')
        lines += [f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="{colour}"/>' for x, y in points]
        lines.append(f'<text x="{_EDGE + _SIZE + 12}" y="{_EDGE + 18 * place + 12}" fill="{colour}">{tag}</text>')
    return "\n".join([*lines, "</g></svg>"]) + "\n"


def _place(forecast: float, outcome: float) -> tuple[float, float]:
    return _EDGE + forecast * _SIZE, _EDGE + (1 - outcome) * _SIZE


def _curve(forecast: npt.NDArray[np.float64], outcome: npt.NDArray[np.bool_]) -> list[tuple[float, float]]:
    which = np.minimum((forecast * _BINS).astype(np.int64), _BINS - 1)
    return [
        (float(forecast[which == each].mean()), float(outcome[which == each].mean()))
        for each in range(_BINS)
        if (which == each).sum() >= _LEAST
    ]
