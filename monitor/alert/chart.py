"""An alert → its chart as PNG, by resvg, with fonts that are installed with the monitor and no others.

resvg runs no scripts and is given no files or addresses to read, and every text in the drawing is escaped.
"""

import logging
from datetime import UTC, tzinfo
from importlib.resources import files

import resvg_py

from monitor.alert.chart_drawing import drawing
from monitor.records import Alert

MOST_BYTES = 500_000
"""A picture larger than this is none: something is wrong with it."""

log = logging.getLogger(__name__)


def picture(alert: Alert, zone: tzinfo = UTC) -> bytes | None:
    """The chart of an alert; None where it has no counts, or cannot be drawn, which is logged."""
    svg = drawing(alert, zone)
    if svg is None:
        return None
    try:
        made = resvg_py.svg_to_bytes(svg_string=svg, skip_system_fonts=True, font_files=_fonts())
    except (ValueError, OSError) as error:
        log.warning("alert %s: its chart could not be drawn: %s", alert.id, error)
        return None
    return made if len(made) <= MOST_BYTES else None


def _fonts() -> list[str]:
    return [
        str(files("fontpkg_noto_sans") / "files" / "NotoSans[wdth,wght].ttf"),
        str(files("fontpkg_noto_sans_arabic") / "files" / "NotoSansArabic[wdth,wght].ttf"),
    ]
