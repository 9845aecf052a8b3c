"""What `monitor replay --archive` makes anew, and what it leaves alone."""

from pathlib import Path

import polars as pl
import pytest

from monitor.__main__ import main
from monitor.frames import CLUSTERED
from monitor.store.store import Commit, Store

EVENT = "config/demo/events/fall-of-panjshir.toml"


def replayed(folder: Path, archive: Path) -> int:
    posts = folder / "posts.ndjson"
    posts.touch()
    return main(["replay", str(posts), "--event", EVENT, "--archive", str(archive)])


def test_an_earlier_replays_archive_is_made_anew(tmp_path: Path) -> None:
    archive = tmp_path / "replay.sqlite"
    assert [replayed(tmp_path, archive), replayed(tmp_path, archive)] == [0, 0]


def test_a_daemons_store_is_never_removed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    archive = tmp_path / "monitor.sqlite"
    with Store(f"sqlite:///{archive}") as store:
        store.commit(Commit(pl.DataFrame(schema=CLUSTERED), resume={"collected": "1"}))
    assert replayed(tmp_path, archive) == 2
    assert "no archive of a replay" in capsys.readouterr().err
    with Store(f"sqlite:///{archive}") as store:
        assert store.resume_points() == {"collected": "1"}


def test_a_file_that_is_no_store_is_left_alone(tmp_path: Path) -> None:
    notes = tmp_path / "notes.txt"
    notes.write_text("the desk's only copy\n" * 100, "utf-8")
    assert replayed(tmp_path, notes) == 2
    assert notes.read_text("utf-8").startswith("the desk's only copy")
