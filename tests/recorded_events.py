"""Replays the four recorded events in DATA/pheme9.parquet and prints what the desk would have been told, as a table.

The main narrative is the one with most claims; its peak is the middle of the ten minutes with most of them.

`python -m tests.recorded_events DATA`, part of `make evaluate DATA=…`; nothing of the posts is kept.
"""

import json
import subprocess
import sys
import tempfile
from collections import Counter
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
    fired: str
    per_day: float
    busiest: int
    first: str
    rule: str
    peak: str
    lead: str


def main(data: Path) -> None:
    """Prints the table."""
    lines = [
        "| event | mentions | narratives | alerts | per day, most | main narrative: first alert | by | peak | lead |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    lines += [
        f"| {told.event} | {told.mentions:,} | {told.narratives} | {told.fired} "
        f"| {told.per_day:.2f}, {told.busiest} | {told.first} | {told.rule} | {told.peak} | {told.lead} |"
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
    fired = [step for step in steps if step["state"] == "firing"]
    tagged = pl.read_parquet(outputs["tagged.parquet"])
    span: timedelta = tagged["seen_at"][-1] - tagged["seen_at"][0]
    claims = tagged.filter(pl.col("tag") == "claim").drop_nulls("narrative")
    narrative: str = claims.group_by("narrative").len().sort("len", "narrative", descending=[True, False])[0, 0]
    of_it = claims.filter(pl.col("narrative") == narrative).group_by(pl.col("seen_at").dt.truncate("10m")).len()
    peak: datetime = of_it.sort("len", "seen_at", descending=[True, False])["seen_at"][0] + timedelta(minutes=5)
    rules = Counter(step["rule"] for step in fired)
    days = Counter(step["at"][:10] for step in fired)
    line = Told(
        event,
        summary["posts"],
        summary["mentions"],
        summary["narratives"],
        ", ".join(f"{count} {rule}" for rule, count in sorted(rules.items())) or "0",
        len(fired) / max(1.0, span / timedelta(days=1)),
        max(days.values(), default=0),
        "none",
        "–",
        f"{peak:%d %b %H:%M}",
        "–",
    )
    first = next((step for step in fired if step["narrative"] == narrative), None)
    if first is None:
        return line
    at = datetime.fromisoformat(first["at"])
    lead = f"{(peak - at) / timedelta(minutes=1):+,.0f} min"
    return line._replace(first=f"{at:%d %b %H:%M}", rule=f"{first['rule']}: {first['reason']}", lead=lead)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
