"""The chart as one line of text, for chats that take no pictures and for whoever sees none. Pure."""

from datetime import timedelta

from monitor.alert import words
from monitor.records import Series

_BARS = 16
_HEIGHTS = "·▁▂▃▄▅▆▇█"
"""Of nothing, and of eighths of the highest."""


def trend(series: Series) -> str:
    """Bars of equally many minutes each, both sides on one scale; "" where nobody claims or denies anything."""
    length = min(len(series.claims), len(series.denials))
    each = max(-(-length // _BARS), 1)
    cuts = range(length % each if length > each else 0, length, each)
    claims, denials = ([sum(side[cut : cut + each]) for cut in cuts] for side in (series.claims, series.denials))
    highest = max((*claims, *denials), default=0)
    if not highest:
        return ""
    bars = ("".join(_HEIGHTS[-(-8 * count // highest)] for count in side) for side in (claims, denials))
    begins = series.begins + timedelta(minutes=cuts[0])
    span = {"begins": f"{begins:%H:%M}", "ends": f"{begins + timedelta(minutes=len(cuts) * each):%H:%M}"}
    return words.TREND.format(each=each, claims=next(bars), denials=next(bars), highest=highest, **span)
