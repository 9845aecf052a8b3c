import json
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from monitor.__main__ import main
from monitor.demo.recording import write_ndjson
from monitor.demo.scenario import generate
from monitor.store.store import Store

EVENT_TOML = Path("config/demo/events/fall-of-panjshir.toml")

SUMMARY = {"posts", "mentions", "tags", "narratives", "alerts", "wall_s", "posts_per_s", "peak_rss_mb"}
LINE = {"id", "event", "narrative", "rule", "state", "at", "reason", "claims", "denials", "celebrations", "questions"}


@pytest.fixture(scope="module")
def recording(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("recording") / "posts.ndjson"
    write_ndjson(generate("panjshir", 5, posts=4_000), path)
    return path


def replay(recording: Path, folder: Path, *options: str) -> tuple[bytes, bytes, dict[str, Any]]:
    outputs = [folder / name for name in ("alerts.ndjson", "tagged.parquet", "summary.json")]
    named = [f"--{name}={path}" for name, path in zip(("alerts", "tagged", "summary"), outputs, strict=True)]
    assert main(["replay", str(recording), "--event", str(EVENT_TOML), *named, *options]) == 0
    alerts, tagged, summary = (path.read_bytes() for path in outputs)
    return alerts, tagged, json.loads(summary)


def test_the_same_input_gives_the_same_bytes_however_it_is_cut_into_batches(recording: Path, tmp_path: Path) -> None:
    first = replay(recording, tmp_path, "--no-store")
    second = replay(recording, tmp_path, "--no-store", "--batch", "313")
    assert first[:2] == second[:2]
    assert all(set(json.loads(line)) >= LINE for line in first[0].splitlines())


def test_the_summary_holds_what_is_promised_and_the_archive_every_mention(recording: Path, tmp_path: Path) -> None:
    _, tagged, summary = replay(recording, tmp_path, "--archive", str(tmp_path / "new" / "archive.sqlite"))
    assert set(summary) >= SUMMARY
    assert summary["mentions"] == sum(summary["tags"].values()) == pl.read_parquet(tagged).height
    with Store(f"sqlite:///{tmp_path / 'new' / 'archive.sqlite'}") as store:
        assert store.recent_mentions(10_000).height == summary["mentions"]


@pytest.mark.parametrize(
    ("change", "status", "says"),
    [
        (["missing.ndjson"], 2, "no such file"),
        (["--event", "missing.toml"], 2, "missing.toml"),
        (["--model", "README.md"], 2, "README.md"),
        (["--summary", "/dev/full"], 1, "cannot write /dev/full: No space left on device"),
        (["--alerts", "/nowhere/alerts.ndjson"], 1, "cannot write /nowhere/alerts.ndjson"),
    ],
)
def test_what_cannot_work_is_one_clear_line(
    recording: Path, change: list[str], status: int, says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["replay", str(recording), "--no-store", "--event", str(EVENT_TOML), *change]
    arguments = [*arguments[:1], *change, *arguments[2:5]] if change[0].endswith(".ndjson") else arguments
    assert main(arguments) == status
    assert says in capsys.readouterr().err
