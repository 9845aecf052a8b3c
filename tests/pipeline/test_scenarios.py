"""The four scenarios over twenty seeds, through the walk with the tagger that ships: the worst is what counts."""

import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

import polars as pl
import pytest

from monitor.app import Walk
from monitor.collect.post1 import decode
from monitor.collect.recorded import SOURCE
from monitor.demo.recording import write_ndjson
from monitor.demo.scenario import generate
from monitor.frames import ORDER, Batch
from monitor.records import AlertState
from monitor.settings import load_event, packaged_model
from monitor.tag.tagger import load_tagger

pytestmark = pytest.mark.prove

SEEDS = range(21, 41)
"""None of them was looked at while thresholds were chosen (those were 1 to 20)."""
EVENTS = Path("config/demo/events")
SCENARIOS = {
    "panjshir": "fall-of-panjshir",
    "bank-run": "bank-run",
    "death-hoax": "death-hoax",
    "quiet-week": "fall-of-panjshir",
}
FIRST_DAY = datetime(2021, 9, 4, tzinfo=UTC)


class Played(NamedTuple):
    """What came of one seed."""

    fired: int
    first: datetime | None
    """The first race alert on the main claim."""
    peak: datetime
    """The middle of the ten minutes with most claims."""


def play(name: str, seed: int, folder: Path) -> Played:
    frame = generate(name, seed)
    path = folder / f"{name}.ndjson"
    write_ndjson(frame, path)
    stream = decode(path.read_bytes(), SOURCE).posts.sort(ORDER)
    walk = Walk([load_event(EVENTS / f"{SCENARIOS[name]}.toml")], load_tagger(packaged_model()))
    steps = [
        alert
        for part in stream.iter_slices(8192)
        for alert in walk(Batch(part, upto=part["seen_at"][-1])).alerts
        if alert.state is AlertState.FIRING
    ]
    claims = frame.filter(pl.col("truth_tag") == "claim")
    per_minute = (
        claims.group_by(pl.col("seen_at").dt.truncate("10m")).len().sort("len", "seen_at", descending=[True, False])
    )
    races = [alert.at for alert in steps if alert.rule == "race"]
    return Played(len(steps), min(races, default=None), per_minute["seen_at"][0] + timedelta(minutes=5))


@pytest.mark.parametrize("name", SCENARIOS)
def test_over_twenty_seeds(name: str, tmp_path: Path) -> None:
    played = [play(name, seed, tmp_path) for seed in SEEDS]
    out = sys.stdout
    out.write(f"\n{name}: seed, alerts fired, first race alert, peak of the claim, lead in minutes\n")
    for seed, one in zip(SEEDS, played, strict=True):
        lead = "" if one.first is None else f"{(one.peak - one.first) / timedelta(minutes=1):,.0f}"
        first = "none" if one.first is None else f"{one.first:%d %b %H:%M}"
        out.write(f"{seed:>4} {one.fired:>3} {first:>12} {one.peak:%d %b %H:%M} {lead:>7}\n")
    if name == "quiet-week":
        out.write(f"most alerts in a quiet week: {max(one.fired for one in played)}   target 0\n")
        assert max(one.fired for one in played) == 0
    else:
        early = [one for one in played if one.first is not None and one.first < one.peak]
        out.write(f"alert before the peak: {len(early)} of {len(played)} seeds   target all\n")
        out.write(f"most alerts: {max(one.fired for one in played)}\n")
    if name == "panjshir":
        assert all(one.first is not None and one.first < min(one.peak, FIRST_DAY) for one in played)
