"""`monitor check`, and what every command shares: exit status, no traceback, help that teaches."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import monitor.__main__ as command_line
from monitor.cli import check
from monitor.errors import SettingsError, StoreError
from monitor.settings import schema

GOOD = Path(__file__).parents[1] / "settings" / "good"


@pytest.fixture(autouse=True)
def workplace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    shutil.copytree(GOOD / "small", "config")
    Path("posts.ndjson").touch()


def test_a_good_configuration_is_summed_up(capsys: pytest.CaptureFixture[str]) -> None:
    assert command_line.main(["check"]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "config: good",
        "  events       1  bridge",
        "  sources      1  posts",
        "  receivers    1  desk",
    ]


def test_every_mistake_is_a_line_on_standard_error_and_the_status_is_2(capsys: pytest.CaptureFixture[str]) -> None:
    Path("config/monitor.toml").write_text("[web]\nprot = 1\nport = 0\n", "utf-8")
    assert command_line.main(["check", "--config", "config"]) == 2
    printed = capsys.readouterr()
    assert not printed.out
    assert printed.err.splitlines() == [
        "monitor: config/monitor.toml: $.web.prot: no such setting; did you mean 'port'?",
        "monitor: config/monitor.toml: $.web.port: 0 is out of range; write at least 1",
    ]


def test_the_schema_is_written_where_it_is_asked_for() -> None:
    assert command_line.main(["check", "--schema", "schema.json"]) == 0
    assert Path("schema.json").read_bytes() == schema()


def test_a_schema_that_cannot_be_written_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert command_line.main(["check", "--schema", "nowhere/schema.json"]) == 1
    assert capsys.readouterr().err == "monitor: cannot write nowhere/schema.json: No such file or directory\n"


@pytest.mark.parametrize(
    ("error", "status", "said"),
    [
        (SettingsError(["a: wrong", "b: wrong"]), 2, "monitor: a: wrong\nmonitor: b: wrong\n"),
        (StoreError("the disk is full; make room"), 1, "monitor: the disk is full; make room\n"),
        (KeyboardInterrupt(), 130, ""),
        (BaseExceptionGroup("tasks", [StoreError("full"), StoreError("full")]), 1, "monitor: full\n"),
        (ExceptionGroup("tasks", [ExceptionGroup("more", [SettingsError(["a: wrong"])])]), 2, "monitor: a: wrong\n"),
    ],
    ids=["settings", "store", "interrupt", "store in tasks", "settings in tasks of tasks"],
)
def test_what_goes_wrong_becomes_a_status_and_no_traceback(
    error: BaseException, status: int, said: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(_: object) -> int:
        raise error

    monkeypatch.setattr(check, "run", fail)
    assert command_line.main(["check"]) == status
    assert capsys.readouterr().err == said


@pytest.mark.parametrize(
    "bug",
    [KeyError("x"), ExceptionGroup("tasks", [StoreError("full"), KeyError("x")])],
    ids=["alone", "beside another"],
)
def test_a_bug_is_not_hidden(bug: Exception, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_: object) -> int:
        raise bug

    monkeypatch.setattr(check, "run", fail)
    with pytest.raises(type(bug)):
        command_line.main(["check"])


def test_a_reader_that_leaves_early_is_no_error() -> None:
    command = [sys.executable, "-m", "monitor", "check"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:  # noqa: S603 -- ours
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        assert process.stderr.read() == b""
    assert process.returncode == 0


@pytest.mark.parametrize("arguments", [[], ["chekc"], ["check", "--confg", "x"], ["check", "--schema"]])
def test_a_wrong_command_line_has_status_2(arguments: list[str]) -> None:
    with pytest.raises(SystemExit) as left:
        command_line.main(arguments)
    assert left.value.code == 2


@pytest.mark.parametrize("command", command_line.COMMANDS, ids=lambda command: command.NAME)
def test_the_help_of_every_command_ends_with_examples(
    command: command_line.Command, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as left:
        command_line.main([command.NAME, "--help"])
    assert left.value.code == 0
    assert f"\nexamples:\n  monitor {command.NAME}" in capsys.readouterr().out


def test_the_version_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as left:
        command_line.main(["--version"])
    assert left.value.code == 0
    assert capsys.readouterr().out.startswith("monitor ")
