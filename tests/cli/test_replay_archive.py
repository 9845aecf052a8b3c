"""`monitor replay --from-archive`: the alerts that a daemon left, again; and what is refused."""

from pathlib import Path

import pytest

import monitor.__main__ as command_line
from monitor.cli import replay
from monitor.store.store import Store
from tests.app.test_archived import FALL, START, created, lines, live, marks
from tests.fakes.tagger import WordTagger

FEWER = 'name = "fall"\nproposition = "Bazarak has fallen"\nany = ["bazarak"]\n[rules]\nalert_on = []\n'


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where an archive may stand; posts are tagged as they were in it."""
    monkeypatch.setattr(replay, "load_tagger", lambda _: WordTagger())
    monkeypatch.chdir(tmp_path)
    return tmp_path / "a.sqlite"


def test_an_archive_is_replayed_byte_for_byte_and_by_other_rules_where_a_file_is_named(store: Path) -> None:
    alerts, event = store.with_name("alerts.ndjson"), store.with_name("fall.toml")
    event.write_text(FEWER, "utf-8")
    steps = live(store, created(2), marks(), {0.0: [FALL], START + 1_200.9: [FALL]})
    before = store.read_bytes()
    words = ["replay", "--from-archive", str(store), "--no-store", "--alerts", str(alerts), "--summary", "s.json"]
    assert command_line.main(words) == 0
    assert alerts.read_bytes().splitlines() == lines(steps) != []
    assert command_line.main([*words, "--event", str(event)]) == 0
    assert alerts.read_bytes() == b""
    assert store.read_bytes() == before


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([], "one of the two"),
        (["posts.ndjson", "--from-archive", "a.sqlite"], "one of the two"),
        (["posts.ndjson"], "name the file of an event"),
        (["--from-archive", "a.sqlite", "--archive", "a.sqlite"], "is what is to be read"),
        (["--from-archive", "sqlite:///a.sqlite", "--archive", "a.sqlite"], "is what is to be read"),
        (["--from-archive", "a.sqlite", "--no-store"], "does not say which events were watched"),
        (["--from-archive", "none.sqlite", "--no-store"], "no such file"),
    ],
)
def test_mistakes_are_told_in_a_line_and_touch_nothing(
    store: Path, words: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    Store(f"sqlite:///{store}").close()
    before = store.read_bytes()
    assert command_line.main(["replay", *words]) in {1, 2}
    assert said in capsys.readouterr().err
    assert store.read_bytes() == before
