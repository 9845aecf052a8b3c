"""`monitor demo` as somebody runs it: without a terminal, in one, and interrupted."""

import os
import pty
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from monitor.__main__ import main

SMALL = ("--posts", "1500", "--seed", "5")
COMMAND = (sys.executable, "-m", "monitor", "demo", *SMALL)


def said(capsys: pytest.CaptureFixture[str], *options: str) -> str:
    assert main(["demo", *SMALL, "--once", "--speed", "max", *options]) == 0
    return capsys.readouterr().out


def told(text: str) -> list[str]:
    """The lines about alerts."""
    return re.findall(r"^.* race (?:pending|firing|resolved) .*$", text, re.MULTILINE)


def test_without_a_terminal_it_prints_hours_alerts_and_the_summary_twice_the_same(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    first = said(capsys, "--picture", str(tmp_path / "deep" / "demo.svg"))
    assert len(re.findall(r"^0[3-7] Sep \d\d:\d\d UTC  [\d,]+ posts", first, re.MULTILINE)) == 96
    assert "The story is over: " in first
    assert "How well it tagged" in first
    assert "Where to go next" in first
    assert "\x1b" not in first
    assert (tmp_path / "deep" / "demo.svg").read_text("utf-8").startswith("<svg")
    assert told(first)
    assert told(said(capsys)) == told(first)


def test_another_seed_tells_another_story(capsys: pytest.CaptureFixture[str]) -> None:
    assert said(capsys, "--seed", "6") != said(capsys)


@pytest.mark.parametrize("speed", ["fast", "0", "0.5", "-3", "inf", "nan", ""])
def test_a_speed_that_is_none_is_refused_with_a_line_that_says_what_to_write(
    speed: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["demo", f"--speed={speed}"])
    assert caught.value.code == 2
    assert "write max, or a number of at least 1" in capsys.readouterr().err


def test_a_picture_that_cannot_be_written_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["demo", *SMALL, "--once", "--speed", "max", "--picture", "/proc/none/demo.svg"]) == 1
    assert capsys.readouterr().err.startswith("monitor: cannot write /proc/none/demo.svg: ")


def test_ctrl_c_ends_it_between_two_steps_with_the_summary_so_far() -> None:
    slowly = [*COMMAND, "--speed", "3600"]
    with subprocess.Popen(slowly, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as running:  # noqa: S603  our own
        assert running.stdout is not None
        running.stdout.readline()
        running.send_signal(signal.SIGINT)
        out, err = running.communicate(timeout=30)
    assert running.returncode == 130
    assert b"Stopped at " in out
    assert b"Traceback" not in err


def test_in_a_terminal_it_draws_on_a_screen_of_its_own_and_leaves_the_summary() -> None:
    master, slave = pty.openpty()
    environment = os.environ | {"TERM": "xterm-256color", "COLUMNS": "100", "LINES": "30"}
    with subprocess.Popen(  # noqa: S603  our own
        [*COMMAND, "--speed", "max", "--once"], stdin=slave, stdout=slave, stderr=slave, env=environment
    ) as running:
        os.close(slave)
        screen = everything(master)
    assert running.returncode == 0
    enters, leaves = screen.index("\x1b[?1049h"), screen.rindex("\x1b[?1049l")
    for panel in ("tags per minute", "the race", "narratives", "feeds", "alerts", "the newsroom's chat"):
        assert panel in screen[enters:leaves]
    assert "The story is over" in screen[leaves:]


def everything(master: int) -> str:
    """What comes out of a terminal until its program ends."""
    parts: list[bytes] = []
    while True:
        try:
            part = os.read(master, 65_536)
        except OSError:
            part = b""
        if not part:
            os.close(master)
            return b"".join(parts).decode()
        parts.append(part)
