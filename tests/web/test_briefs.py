"""Briefs, asked of the API and of the command line."""

import asyncio
import stat
from pathlib import Path

import msgspec
import pytest

import monitor.__main__ as command_line
from monitor.alert.chart import picture
from monitor.alert.export import Brief
from monitor.records import AlertState
from monitor.store.store import Commit, Store
from tests.fakes.alerts import a_piece
from tests.fakes.live import configuration, live
from tests.fakes.mentions import none
from tests.fakes.pictures import charted
from tests.pipeline.test_daemon import free_port


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A configuration whose archive has an alert that fired and resolved."""
    configuration(tmp_path, free_port())
    steps = [charted(evidence=(a_piece(0),)), charted(state=AlertState.RESOLVED, evidence=(a_piece(5),))]
    with Store(f"sqlite:///{tmp_path}/m.sqlite") as store:
        for step in steps:
            store.commit(Commit(none(), alerts=[step]))
    return tmp_path


async def typed(folder: Path, *words: str) -> int:
    return await asyncio.to_thread(command_line.main, ["alerts", "export", *words, "--config", str(folder)])


async def test_a_brief_names_authors_only_if_asked_to(folder: Path) -> None:
    async with live(folder) as daemon:
        plain = (await daemon.ask("GET", "/alerts/a1/brief")).body
        assert [(one["frozen"], one["post"]["author"]) for one in plain["exhibits"]] == [(True, None), (False, None)]
        full = (await daemon.ask("GET", "/alerts/a1/brief?authors=true")).body
        assert [one["post"]["author"] for one in full["exhibits"]] == ["author-0", "author-5"]
        unknown = await daemon.ask("GET", "/alerts/a2/brief")
        assert (unknown.status, unknown.body["error"]) == (404, "unknown_alert")


async def test_the_command_writes_four_files_for_its_owner_and_none_over_another(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = folder / "out" / "brief"
    async with live(folder):
        assert await typed(folder, "a1", "--output", str(out)) == 0
        assert capsys.readouterr().out == f"{out}: brief.md, brief.json, evidence.csv, chart.png; 2 posts\n"
        assert await typed(folder, "a1", "--output", str(out)) == 2
        assert "is there already" in capsys.readouterr().err
        assert await typed(folder, "a2", "--output", str(folder / "no")) == 2
    made = msgspec.json.decode((out / "brief.json").read_bytes(), type=Brief)
    assert (out / "chart.png").read_bytes() == picture(made.alert)
    assert "chart.png" in (out / "brief.md").read_text("utf-8")
    assert {stat.S_IMODE(path.stat().st_mode) for path in out.iterdir()} == {0o600}
    assert not (folder / "no").exists()
