"""Replays the four recorded events in DATA/pheme9.parquet and prints what the desk would have been told, as a table.

`python -m tests.recorded_events DATA`, part of `make evaluate DATA=…`; nothing of the posts is kept.
"""

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import NamedTuple

import polars as pl

EVENTS = Path(__file__).parent / "events"


class Told(NamedTuple):
    """One event's line of the table."""

    event: str
    posts: int
    mentions: int
    narratives: int
    fired: int
    days: float
    first: str
    peak: str
    lead: str


def main(data: Path) -> None:
    """Prints the table."""
    lines = [
        "| event | posts | mentions | narratives | race alerts | per day | first alert | peak of narrative | lead |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    lines += [
        f"| {told.event} | {told.posts:,} | {told.mentions:,} | {told.narratives} | {told.fired} "
        f"| {told.fired / told.days:.2f} | {told.first} | {told.peak} | {told.lead} |"
        for told in replays(data / "pheme9.parquet")
    ]
    sys.stdout.write("\n".join(lines) + "\n")


def replays(recording: Path) -> Iterator[Told]:
    """Replays the recording once per event file."""
    for event in sorted(EVENTS.glob("*.toml")):
        with tempfile.TemporaryDirectory() as folder:
            outputs = {name: Path(folder) / name for name in ("alerts.ndjson", "tagged.parquet", "summary.json")}
            options = [f"--{name.partition('.')[0]}={path}" for name, path in outputs.items()]
            command = [sys.executable, "-m", "monitor", "replay", str(recording), "--event", str(event), "--no-store"]
            subprocess.run([*command, *options], check=True)  # noqa: S603 -- our own command
            yield _told(event.stem, outputs)


def _told(event: str, outputs: dict[str, Path]) -> Told:
    summary = json.loads(outputs["summary.json"].read_text("utf-8"))
    steps = [json.loads(line) for line in outputs["alerts.ndjson"].read_text("utf-8").splitlines()]
    fired = [step for step in steps if step["state"] == "firing" and step["rule"] == "race"]
    tagged = pl.read_parquet(outputs["tagged.parquet"])
    span: timedelta = tagged["seen_at"][-1] - tagged["seen_at"][0]
    line = Told(
        event,
        summary["posts"],
        summary["mentions"],
        summary["narratives"],
        len(fired),
        max(1.0, span / timedelta(days=1)),
        "none",
        "–",
        "–",
    )
    if not fired:
        return line
    first = datetime.fromisoformat(fired[0]["at"])
    hours = tagged.filter(pl.col("narrative") == fired[0]["narrative"]).group_by(pl.col("seen_at").dt.truncate("1h"))
    peak: datetime = hours.len().sort("len", "seen_at", descending=[True, False])["seen_at"][0]
    lead = (peak - first) / timedelta(minutes=1)
    return line._replace(first=f"{first:%d %b %H:%M}", peak=f"{peak:%d %b %H:%M}", lead=f"{lead:+,.0f} min")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
