"""Was this alert useful? Asked of the API, and of the command line."""

import asyncio
import json
from pathlib import Path

import pytest

import monitor.__main__ as command_line
from monitor.marks import AckMark
from monitor.records import AlertState, Answer
from monitor.store.reader import Reader
from monitor.store.store import Commit, Store
from tests.fakes.alerts import AT, an_alert
from tests.fakes.live import configuration, live
from tests.fakes.mentions import none
from tests.pipeline.test_daemon import free_port, scraped


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A configuration whose archive has two alerts."""
    configuration(tmp_path, free_port())
    alerts = [
        an_alert(id="a1"),
        an_alert(id="a2", fingerprint="f2", state=AlertState.RESOLVED, label="=1+1 \x1b[31m@all"),
    ]
    with Store(f"sqlite:///{tmp_path}/m.sqlite") as store:
        store.commit(Commit(none(), alerts=alerts))
    return tmp_path


async def test_the_last_answer_about_an_alert_counts_and_lasts(folder: Path) -> None:
    async with live(folder) as daemon:
        assert (await daemon.ask("GET", "/answers")).body == {"answers": []}
        made = await daemon.ask("POST", "/alerts/a1/answer", {"useful": False})
        assert (made.status, made.body["useful"], made.body["by"]) == (201, False, "")
        await daemon.ask("POST", "/alerts/a2/answer", {"useful": True, "by": "late", "comment": "it was the dam"})
        await daemon.ask("POST", "/alerts/a1/answer", {"useful": True, "by": "desk"})
        await scraped(daemon.port, 'monitor_answers_total{outcome="useful"} 2.0')
        await scraped(daemon.port, 'monitor_answers_total{outcome="not_useful"} 1.0')
    async with live(folder) as daemon:
        answers = (await daemon.ask("GET", "/answers")).body["answers"]
        assert [(one["alert"], one["useful"], one["by"]) for one in answers] == [
            ("a2", True, "late"),
            ("a1", True, "desk"),
        ]
        newest = (await daemon.ask("GET", "/answers?limit=1")).body["answers"]
        assert [one["alert"] for one in newest] == ["a1"]


async def test_an_answer_needs_a_known_alert_and_a_yes_or_no(folder: Path) -> None:
    async with live(folder) as daemon:
        unknown = await daemon.ask("POST", "/alerts/a3/answer", {"useful": True})
        assert (unknown.status, unknown.body["error"]) == (404, "unknown_alert")
        for bad in ({}, {"useful": "yes"}, {"useful": True, "by": "\0"}, {"useful": True, "more": 1}):
            answer = await daemon.ask("POST", "/alerts/a1/answer", bad)
            assert (answer.status, answer.body["error"]) == (400, "bad_body")
        assert (await daemon.ask("GET", "/answers")).body["answers"] == []


async def test_alerts_are_listed_harmlessly_and_answered_on_the_command_line(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async def typed(*words: str) -> tuple[int, str, str]:
        status = await asyncio.to_thread(command_line.main, ["alerts", *words, "--config", str(folder)])
        printed = capsys.readouterr()
        return status, printed.out, printed.err

    async with live(folder):
        listed = (await typed("list"))[1]
        assert "a1" in listed
        assert "valley has fallen" in listed
        assert "\x1b" not in listed
        assert "@all" not in listed
        assert await typed("useful", "a1", "yes", "--by", "desk") == (0, "a1: useful, by desk\n", "")
        assert await typed("useful", "a2", "no", "--comment", "a film") == (0, "a2: not useful\n", "")
        listed = (await typed("list", "--state", "firing"))[1]
        assert "useful, by desk" in listed
        assert "a2" not in listed
        found = json.loads((await typed("list", "--json", "--limit", "1"))[1])
        assert [one["since"] for one in found["alerts"]] == [an_alert().since.isoformat().replace("+00:00", "Z")]
        status, _, err = await typed("useful", "a3", "yes")
        assert (status, err) == (2, "monitor: there is no alert of this id; list the alerts for theirs\n")


def test_an_answer_is_told_with_its_time(folder: Path) -> None:
    answer = Answer(at=AT, alert="a1", useful=True, by="desk", comment="on air")
    with Store(f"sqlite:///{folder}/m.sqlite") as store:
        store.answer(answer)
    with Reader(f"sqlite:///{folder}/m.sqlite") as reader:
        assert reader.answers() == [answer]
        assert reader.has_alert("a1")
        assert not reader.has_alert("a3")


async def test_only_what_fires_can_be_acknowledged_and_the_archive_knows_by_whom(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async with live(folder) as daemon:
        made = await daemon.ask("POST", "/alerts/a1/acknowledge", {"by": "ada", "assignee": "ben", "comment": "mine"})
        assert (made.status, made.body["assignee"]) == (201, "ben")
        words = ["alerts", "acknowledge", "a1", "--by", "\x1b[31mcleo", "--config", str(folder)]
        assert await asyncio.to_thread(command_line.main, words) == 0
        assert capsys.readouterr().out == "a1: acknowledged by ␛[31mcleo, ␛[31mcleo has it\n"
        over = await daemon.ask("POST", "/alerts/a2/acknowledge", {"by": "ada"})
        assert (over.status, over.body["error"]) == (409, "not_firing")
        unknown = await daemon.ask("POST", "/alerts/a3/acknowledge", {"by": "ada"})
        assert (unknown.status, unknown.body["error"]) == (404, "unknown_alert")
        assert (await daemon.ask("POST", "/alerts/a1/acknowledge", {})).status == 400
    with Reader(f"sqlite:///{folder}/m.sqlite") as reader:
        acks = [mark for mark in reader.every_mark() if isinstance(mark, AckMark)]
    assert [(one.alert, one.by, one.assignee, one.comment) for one in acks] == [
        ("a1", "ada", "ben", "mine"),
        ("a1", "\x1b[31mcleo", "", ""),
    ]
