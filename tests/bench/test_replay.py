"""How fast a replay goes and how much memory it takes: the command itself, on one core, beside its target."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.bench.recordings import one_in_a_hundred, repeated
from tests.bench.starts import start

EVENT = Path("config/demo/events/fall-of-panjshir.toml")
SLOW = 5
"""A machine that does other things as well may be this much slower than the target before the bench fails."""

pytestmark = pytest.mark.bench


def replay(recording: Path, folder: Path, *options: str) -> dict[str, Any]:
    """The summary of a replay that may use one core."""
    core = min(os.sched_getaffinity(0))
    summary = folder / "summary.json"
    command = [sys.executable, "-m", "monitor", "replay", str(recording), "--event", str(EVENT)]
    subprocess.run(  # noqa: S603 -- our own command
        [*command, "--summary", str(summary), *options],
        check=True,
        env=os.environ | {"POLARS_MAX_THREADS": "1", "OMP_NUM_THREADS": "1"},
        preexec_fn=lambda: os.sched_setaffinity(0, {core}),
    )
    found: dict[str, Any] = json.loads(summary.read_text("utf-8"))
    return found


def tell(figure: str, measured: float, target: str) -> None:
    sys.stdout.write(f"\n{figure:<58} {measured:>12,.0f}   target {target}\n")


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return repeated(tmp_path_factory.mktemp("bench") / "story.ndjson", 120_000)


def test_replay_of_a_stream_in_which_nearly_all_posts_match(story: Path, tmp_path: Path) -> None:
    without = replay(story, tmp_path, "--no-store")
    tell("nearly all match, no store, one core, posts/s", without["posts_per_s"], ">= 50,000")
    archive = ("--archive", str(tmp_path / "replay.sqlite"))
    with_archive = replay(story, tmp_path, *archive)
    tell("nearly all match, with the archive, one core, posts/s", with_archive["posts_per_s"], ">= 15,000")
    assert without["mentions"] == with_archive["mentions"] > 0


def test_replay_of_a_stream_in_which_one_post_in_a_hundred_matches(tmp_path: Path) -> None:
    summary = replay(one_in_a_hundred(tmp_path / "noise.ndjson", 400_000), tmp_path, "--no-store")
    tell("one in a hundred matches, no store, one core, posts/s", summary["posts_per_s"], ">= 150,000")
    assert 0 < summary["mentions"] < summary["posts"] / 50


def test_memory_after_a_million_mentions_and_a_start_on_them(tmp_path: Path) -> None:
    recording = repeated(tmp_path / "million.ndjson", 1_080_000)
    summary = replay(recording, tmp_path, "--archive", str(tmp_path / "replay.sqlite"))
    tell(f"peak memory after {summary['mentions']:,} mentions, MB", summary["peak_rss_mb"], "<= 600")
    assert summary["mentions"] > 0
    recording.unlink()
    started = start(f"sqlite:///{tmp_path}/replay.sqlite", EVENT, tmp_path)
    tell(f"start to ready on {summary['mentions']:,} mentions, ms", started.seconds * 1000, "<= 10,000")
    tell("memory then, MB", started.megabytes, "none")
    assert started.seconds < SLOW * 10


def test_a_start_on_an_empty_store(tmp_path: Path, place: str) -> None:
    started = start(place, EVENT, tmp_path)
    kind = place.partition(":")[0]
    tell(f"start to ready on an empty store ({kind}), ms", started.seconds * 1000, "<= 2,000; 3,000")
    tell("processor time of it, ms", started.processor * 1000, "none")
    tell("memory then, MB", started.megabytes, "< 250")
    assert started.seconds < SLOW * 2
    assert started.megabytes < 250
