"""`monitor event preview`: what an event would have matched, read beside the daemon and without one."""

import json
import random
import sqlite3
from datetime import timedelta
from pathlib import Path

import polars as pl
import pytest

import monitor.__main__ as command_line
from monitor.app.preview import PORTION, preview
from monitor.errors import StoreError
from monitor.store.reader import Reader
from monitor.store.store import Commit, Store
from monitor.watched import Event
from tests.fakes.mentions import START, clustered

EVENT = Event(name="dam", proposition="The dam has burst", any=("dam",), none=("joke",))


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path}/m.sqlite"


def filled(url: str, texts: list[str]) -> None:
    rows = [
        {"id": str(number), "text": text, "posted_at": at, "seen_at": at}
        for number, text in enumerate(texts)
        for at in [START + timedelta(minutes=number)]
    ]
    with Store(url) as store:
        store.commit(Commit(mentions=clustered(*rows)))


def test_posts_are_counted_by_term_and_hour_whatever_the_portions(url: str) -> None:
    texts = [random.Random(number).choice(["the dam", "a dam joke", "nothing", "DAM!"]) for number in range(500)]
    filled(url, texts)
    wanted = sum("dam" in text.lower() and "joke" not in text for text in texts)
    with Reader(url) as reader:
        found = preview(EVENT, reader, 1_000_000)
        assert (found.read, found.matched) == (500, wanted)
        assert sum(hour.posts for hour in found.hours) == sum(term.posts for term in found.terms) == wanted
        assert preview(EVENT, reader, 100).read == 100


def test_a_post_that_mentions_two_events_is_one_post(url: str) -> None:
    row = {"id": "1", "text": "the dam"}
    with Store(url) as store:
        store.commit(Commit(mentions=clustered(row | {"event": "a"}, row | {"event": "b"})))
    with Reader(url) as reader:
        assert preview(EVENT, reader, 10).matched == 1


def test_samples_are_the_newest_different_texts(url: str) -> None:
    filled(url, [f"dam {number // 2}" for number in range(60)])
    with Reader(url) as reader:
        assert [sample.text for sample in preview(EVENT, reader, 100).samples] == [
            f"dam {n}" for n in range(29, 19, -1)
        ]


def test_progress_is_told_and_reaches_the_end(url: str) -> None:
    filled(url, ["the dam"] * 10)
    told: list[tuple[int, int]] = []
    with Reader(url) as reader:
        preview(EVENT, reader, 4, lambda done, of: told.append((done, of)))
    assert told[-1] == (4, 4)
    assert PORTION > 4


def test_nothing_can_be_written_through_a_reader(url: str) -> None:
    filled(url, ["the dam"])
    with (
        Reader(url) as reader,
        pytest.raises(StoreError, match="read-only"),
        reader._connection() as connection,  # noqa: SLF001 -- what nobody else should do
    ):
        connection.exec_driver_sql("DELETE FROM mentions")


def test_it_reads_while_the_store_is_open_and_sees_what_is_committed(url: str) -> None:
    with Store(url) as store, Reader(url) as reader:
        assert preview(EVENT, reader, 10).read == 0
        store.commit(Commit(mentions=clustered({"text": "the dam"})))
        assert preview(EVENT, reader, 10).matched == 1


@pytest.fixture
def configured(tmp_path: Path, url: str) -> Path:
    (tmp_path / "monitor.toml").write_text(f'[store]\nurl = "{url}"\n', "utf-8")
    (tmp_path / "dam.toml").write_text('name = "dam"\nproposition = "The dam has burst"\nany = ["dam"]\n', "utf-8")
    return tmp_path


def typed(configured: Path, *more: str) -> int:
    return command_line.main(["event", "preview", str(configured / "dam.toml"), "--config", str(configured), *more])


def test_the_command_shows_totals_hours_terms_and_harmless_samples(
    configured: Path, url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    filled(url, ["the dam \x1b[2J @everyone [red]", *["dam"] * 99, *["nothing"] * 50])
    assert typed(configured) == 0
    out = capsys.readouterr().out
    assert out.startswith("dam: 100 of 150 archived posts match\n")
    assert "posts per 1 h of event time, UTC" in out
    assert "2021-09-03 12:00  60  █" in out
    assert "2021-09-03 13:00  40  █" in out
    assert "@everyone" not in out
    assert "\x1b" not in out
    assert "[red]" in out


def test_the_command_speaks_json(configured: Path, url: str, capsys: pytest.CaptureFixture[str]) -> None:
    filled(url, ["the dam"])
    assert typed(configured, "--json") == 0
    assert json.loads(capsys.readouterr().out)["matched"] == 1


def test_no_store_and_one_of_another_schema_are_one_line(
    configured: Path, url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert typed(configured) == 1
    assert "no such file; relative paths start where the monitor is started" in capsys.readouterr().err
    with Store(url) as store:
        store.commit(Commit(mentions=pl.DataFrame(schema=clustered().schema), state={"a": b"b"}))
    with sqlite3.connect(url.removeprefix("sqlite:///")) as connection:
        connection.execute("UPDATE meta SET version_num = '0001'")
    connection.close()
    assert typed(configured) == 1
    assert "start `monitor run` once" in capsys.readouterr().err


def test_an_empty_archive_is_said(configured: Path, url: str, capsys: pytest.CaptureFixture[str]) -> None:
    Store(url).close()
    assert typed(configured) == 0
    assert "the archive is empty" in capsys.readouterr().out
