"""What a backtest writes: every alert of every point as JSON or CSV, which no spreadsheet takes for a formula."""

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from monitor.alert.harmless import harmless
from monitor.app.backtest.archived import Precision
from monitor.app.backtest.grid import Point
from monitor.app.backtest.stories import Fired, Outcome, Story

COLUMNS = (
    "point",
    "event",
    "rule",
    "narrative",
    "label",
    "at",
    "reason",
    "claims",
    "denials",
    "peak",
    "lead_to_peak_s",
    "first_official",
    "lead_to_official_s",
)
LONGEST_LABEL = 300
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "＠")


def as_json(
    points: Sequence[Point],
    outcomes: Sequence[Outcome],
    stories: Sequence[Story],
    about: Mapping[str, object],
    answered: Sequence[Precision] = (),
) -> bytes:
    """One object: `about`, `stories`, and per point its settings, sums and alerts."""
    told: list[dict[str, Any]] = []
    for number, (point, outcome) in enumerate(zip(points, outcomes, strict=True)):
        useful = {"answered": _precision(answered[number])} if answered else {}
        row = {"point": point.name, "settings": dict(point.settings), **sums(outcome), **useful}
        told.append(row | {"alerts": list(_rows(point, outcome))})
    whole = {**about, "stories": [_story(story) for story in stories], "points": told}
    return msgspec.json.format(msgspec.json.encode(whole), indent=1) + b"\n"


def as_csv(points: Sequence[Point], outcomes: Sequence[Outcome]) -> bytes:
    """One line per alert of every point."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    for point, outcome in zip(points, outcomes, strict=True):
        for row in _rows(point, outcome):
            writer.writerow([_plain(row[name]) for name in COLUMNS])
    return text.getvalue().encode()


def sums(outcome: Outcome) -> dict[str, Any]:
    """One point's figures; leads in seconds, null where there is none."""
    leads, official = outcome.leads(), outcome.official_leads()
    return {
        "fired": len(outcome.fired),
        "per_day": round(outcome.per_day, 4),
        "narratives": outcome.narratives,
        "stories": outcome.stories,
        "missed": len(outcome.missed),
        "median_lead_s": seconds(median(leads)),
        "worst_lead_s": seconds(min(leads, default=None)),
        "median_lead_to_official_s": seconds(median(official)),
    }


def median(leads: Sequence[timedelta]) -> timedelta | None:
    """The lower middle one of sorted leads."""
    return leads[(len(leads) - 1) // 2] if leads else None


def seconds(lead: timedelta | None) -> float | None:
    """In seconds."""
    return None if lead is None else lead.total_seconds()


def _rows(point: Point, outcome: Outcome) -> Iterator[dict[str, Any]]:
    return (_row(point, fired) for fired in outcome.fired)


def _row(point: Point, fired: Fired) -> dict[str, Any]:
    alert, story = fired.alert, fired.story
    return {
        "point": point.name,
        "event": alert.event,
        "rule": alert.rule,
        "narrative": alert.narrative,
        "label": harmless(alert.label, LONGEST_LABEL),
        "at": _time(alert.at),
        "reason": alert.reason,
        "claims": alert.claims,
        "denials": alert.denials,
        "peak": _time(story.peak) if story else None,
        "lead_to_peak_s": seconds(fired.lead_to_peak),
        "first_official": _time(story.official) if story and story.official else None,
        "lead_to_official_s": seconds(fired.lead_to_official),
    }


def _story(story: Story) -> dict[str, Any]:
    return {
        "event": story.event,
        "narrative": story.narrative,
        "label": harmless(story.label, LONGEST_LABEL),
        "begins": _time(story.begins),
        "ends": _time(story.ends),
        "peak": _time(story.peak),
        "claims": story.claims,
        "first_official": _time(story.official) if story.official else None,
    }


def _precision(one: Precision) -> dict[str, Any]:
    low, high = one.interval
    return {"fired": one.fired, "useful": one.useful, "low": round(low, 4), "high": round(high, 4)}


def _time(at: datetime) -> str:
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")


def _plain(value: object) -> object:
    """A text that a spreadsheet would calculate is preceded by an apostrophe, as spreadsheets themselves do."""
    if value is None:
        return ""
    if isinstance(value, str) and value.startswith(_FORMULA):
        return f"'{value}"
    return value
