"""`monitor db` on a store of its own, and beside a daemon's lock."""

import re
import sqlite3
from pathlib import Path

import msgspec
import pytest

from monitor.__main__ import main
from monitor.settings import load, load_store
from monitor.store.sole import sole
from monitor.store.store import Commit, Store
from tests.fakes.mentions import clustered
from tests.pipeline.test_daemon import EVENT, free_port


@pytest.fixture
def config(tmp_path: Path) -> Path:
    (tmp_path / "monitor.toml").write_text(f'[store]\nurl = "sqlite:///{tmp_path}/m.sqlite"\n', "utf-8")
    with Store(f"sqlite:///{tmp_path}/m.sqlite") as store:
        store.commit(Commit(clustered({}, {})))
    return tmp_path


def db(config: Path, *words: str) -> int:
    return main(["db", *words, "--config", str(config)])


def test_check_shows_what_is_in_it(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert db(config, "check") == 0
    shown = capsys.readouterr().out
    assert "schema 0004" in shown
    assert "kept   texts 180d, mentions 730d, alerts 730d, deliveries 90d" in shown
    assert db(config, "check", "--json") == 0
    found = msgspec.json.decode(capsys.readouterr().out)
    assert found["retention"]["texts"] == "180d"
    assert {one["table"]: one["rows"] for one in found["held"]}["mentions"] == 2


def test_the_stores_address_may_be_a_file_that_every_command_finds(
    config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (config / "url").write_text(f"sqlite:///{config}/m.sqlite\n", "utf-8")
    (config / "monitor.toml").write_text(f'[store]\nurl_file = "{config}/url"\n[web]\nport = {free_port()}\n', "utf-8")
    (config / "events").mkdir()
    (config / "events" / "fall.toml").write_text(EVENT, "utf-8")
    assert db(config, "check") == 0
    assert re.search(r"mentions +2 ", capsys.readouterr().out)
    assert load(config, {}).store_url.reveal() == load_store(config, {}).reveal() == f"sqlite:///{config}/m.sqlite"


def test_check_says_which_table_is_missing(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with sqlite3.connect(config / "m.sqlite") as connection:
        connection.execute("DROP TABLE fired")
    assert db(config, "check") == 1
    assert "the store is damaged: there is no table fired; restore a backup" in capsys.readouterr().err


def test_a_backup_is_made_and_restored(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert db(config, "backup", str(config / "b.sqlite")) == 0
    assert db(config, "backup", str(config / "b.sqlite")) == 1
    assert "is there already; name another file, or take its place with --force" in capsys.readouterr().err
    assert db(config, "backup", str(config / "b.sqlite"), "--force") == 0
    assert db(config, "restore", str(config / "b.sqlite")) == 1
    assert "is not empty" in capsys.readouterr().err
    (config / "m.sqlite").unlink()
    assert db(config, "restore", str(config / "b.sqlite")) == 0
    with Store(f"sqlite:///{config}/m.sqlite") as store:
        assert store.recent_mentions(5).height == 2


@pytest.mark.parametrize("action", [("upgrade",), ("vacuum",), ("restore", "b.sqlite")], ids=lambda words: words[0])
def test_what_wants_the_daemon_stopped_is_refused_while_it_works(
    config: Path, action: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    lock = sole(f"sqlite:///{config}/m.sqlite")
    assert db(config, *action) == 1
    assert "another monitor" in capsys.readouterr().err
    assert db(config, "check") == 0
    lock.close()
    assert db(config, "vacuum") == db(config, "upgrade") == 0
