"""Rows of CLUSTERED, as the stages would hand them to the store."""

from datetime import UTC, datetime, timedelta
from typing import Any

import polars as pl

from monitor.frames import CLUSTERED

START = datetime(2021, 9, 3, 12, tzinfo=UTC)


def clustered(*rows: dict[str, Any]) -> pl.DataFrame:
    """One row per dict, a second apart; what a dict leaves out is plain."""
    filled = [_row(number) | row for number, row in enumerate(rows)]
    return pl.DataFrame([{name: row.get(name) for name in CLUSTERED} for row in filled], schema=CLUSTERED)


def none() -> pl.DataFrame:
    return clustered()


def _row(number: int) -> dict[str, Any]:
    seen_at = START + timedelta(seconds=number)
    return {
        "source": "s",
        "platform": "x",
        "id": str(number),
        "op": "create",
        "text": f"text {number}",
        "posted_at": seen_at,
        "seen_at": seen_at,
        "event_time": seen_at,
        "author": f"author-{number}",
        "event": "fall",
        "via": "term",
        "tag": "claim",
        "p_claim": 0.9,
        "url": f"https://example.org/{number}",
    }
