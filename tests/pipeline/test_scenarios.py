"""The four scenarios over twenty seeds, through the walk with the tagger that ships: the worst is what counts."""

import sys
from collections import Counter
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
MOST_A_DAY = MOST_TOLD = 6
FIRST_DAY = datetime(2021, 9, 4, tzinfo=UTC)


class Played(NamedTuple):
    """What came of one seed."""

    fired: int
    busiest: int
    """Alerts of the day with most of them."""
    first: datetime | None
    """The first alert on a narrative,"""
    rule: str
    """… and its rule."""
    race: datetime | None
    """The first race alert."""
    peak: datetime
    """The middle of the ten minutes with most claims."""
    posts: tuple[int, int]
    """On cards of narratives: posts whose tag is the truth, and all;"""
    firsts: tuple[int, int]
    """… and the first claims among them."""
    told: list[tuple[str, int]]
    """Cards, and how often a channel is told of each; the most first."""


def play(name: str, seed: int, folder: Path) -> Played:
    frame = generate(name, seed)
    path = folder / f"{name}.ndjson"
    write_ndjson(frame, path)
    stream = decode(path.read_bytes(), SOURCE).posts.sort(ORDER)
    walk = Walk([load_event(EVENTS / f"{SCENARIOS[name]}.toml")], load_tagger(packaged_model()))
    every = [
        alert
        for part in stream.iter_slices(8192)
        for alert in walk(Batch(part, upto=part["seen_at"][-1])).alerts
        if alert.state is not AlertState.PENDING
    ]
    steps = list({alert.id: alert for alert in reversed(every) if alert.state is AlertState.FIRING}.values())[::-1]
    claims = frame.filter(pl.col("truth_tag") == "claim")
    per_minute = (
        claims.group_by(pl.col("seen_at").dt.truncate("10m")).len().sort("len", "seen_at", descending=[True, False])
    )
    told = sorted((alert for alert in steps if alert.narrative), key=lambda alert: alert.at)
    days = Counter(alert.at.date() for alert in steps)
    truth = dict(frame.select("id", "truth_tag").iter_rows())
    shown = [piece for alert in told for piece in alert.evidence]
    claimed = [[piece for piece in alert.evidence if piece.tag == "claim"] for alert in told]
    firsts = [min(own, key=lambda piece: piece.posted_at) for own in claimed if own]
    return Played(
        len(steps),
        max(days.values(), default=0),
        told[0].at if told else None,
        told[0].rule if told else "",
        min((alert.at for alert in told if alert.rule == "race"), default=None),
        per_minute["seen_at"][0] + timedelta(minutes=5),
        (sum(truth.get(piece.id) == piece.tag for piece in shown), len(shown)),
        (sum(truth.get(piece.id) == piece.tag for piece in firsts), len(firsts)),
        Counter(alert.group for alert in every if alert.change and not alert.silenced).most_common(),
    )


@pytest.mark.parametrize("name", SCENARIOS)
def test_over_twenty_seeds(name: str, tmp_path: Path) -> None:
    played = [play(name, seed, tmp_path) for seed in SEEDS]
    out = sys.stdout
    out.write(
        f"\n{name}: seed, alerts fired, on one day, first alert, by, peak of the claim, its lead and a race's, min\n"
    )
    for seed, one in zip(SEEDS, played, strict=True):
        leads = ["" if at is None else f"{(one.peak - at) / timedelta(minutes=1):,.0f}" for at in (one.first, one.race)]
        first = "none" if one.first is None else f"{one.first:%d %b %H:%M} {one.rule}"
        said = f"{seed:>4} {one.fired:>3} {one.busiest:>3} {first:>20} {one.peak:%d %b %H:%M}"
        out.write(f"{said} {leads[0]:>7} {leads[1]:>7}\n")
    most = [one.told[0][1] for one in played if one.told] or [0]
    whole = [sum(count for _, count in one.told) for one in played]
    out.write(f"notifications, most per card: {max(most)} (target {MOST_TOLD}), of each seed {most}; in all {whole}\n")
    if name == "quiet-week":
        out.write(f"most alerts in a quiet week: {max(one.fired for one in played)}   target 0\n")
        assert max(one.fired for one in played) == 0
    else:
        early = [one for one in played if one.first is not None and one.first < one.peak]
        out.write(f"alert before the peak: {len(early)} of {len(played)} seeds   target all\n")
        raced = [one for one in played if one.race is not None and one.race < one.peak]
        out.write(f"race alert before the peak: {len(raced)} of {len(played)} seeds\n")
        for what, pairs in (("posts", [one.posts for one in played]), ("first claims", [one.firsts for one in played])):
            right, whole = (sum(part) for part in zip(*pairs, strict=True))
            out.write(f"{what} on the cards whose tag is the truth: {right} of {whole}\n")
        out.write(f"most alerts on one day: {max(one.busiest for one in played)}   target at most {MOST_A_DAY}\n")
        last = FIRST_DAY if name == "panjshir" else datetime.max.replace(tzinfo=UTC)
        assert all(one.first is not None and one.first < min(one.peak, last) for one in played)
        assert max(one.busiest for one in played) <= MOST_A_DAY
        assert max(most) <= MOST_TOLD
