"""Where a configuration is read."""

from pathlib import Path

import pytest


@pytest.fixture
def workplace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty directory to work in, with the files that the fixtures speak of."""
    monkeypatch.chdir(tmp_path)
    for name in ("posts.ndjson", "model.npz"):
        (tmp_path / name).touch()
    (tmp_path / "token").write_text("a token\n", "utf-8")
    return tmp_path
