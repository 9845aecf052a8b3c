"""`monitor demo` as somebody runs it: without a terminal, in one, and interrupted."""

import asyncio
import os
import pty
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from monitor.__main__ import main
from monitor.cli.demo import drawing, perform
from monitor.demo.board import Board
from monitor.errors import StoreError
from tests.demo.boards import a_board, a_step
from tests.demo.plays import a_play
from tests.fakes.alerts import an_alert
from tests.fakes.clock import settle


def test_without_a_terminal_it_prints_a_line_an_hour_and_the_summary(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["demo", "--posts", "600", "--speed", "max"]) == 0
    said = capsys.readouterr().out
    hours = re.findall(r"^0[3-7] Sep (\d\d):\d\d UTC  [\d,]+ posts, [\d,]+ mentions", said, re.MULTILINE)
    assert hours == [f"{hour % 24:02}" for hour in range(1, 97)]
    assert "The story is over: " in said
    assert "How well it tagged" in said
    assert "Where to go next" in said
    assert "\x1b" not in said


def test_where_it_is_installed_without_the_checkout_it_says_where_it_plays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("monitor.cli.demo.EVENTS", tmp_path / "config" / "demo" / "events")
    assert main(["demo", "--speed", "max", "--once"]) == 2
    assert "in a checkout: make demo" in capsys.readouterr().err


@pytest.mark.parametrize("speed", ["fast", "0", "0.5", "-3", "inf", "nan", ""])
def test_a_speed_that_is_none_is_refused_with_a_line_that_says_what_to_write(
    speed: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["demo", f"--speed={speed}"])
    assert caught.value.code == 2
    assert "write max, or a number of at least 1" in capsys.readouterr().err


def test_the_picture_is_drawn_once_when_a_race_alert_has_reached_the_chat(tmp_path: Path) -> None:
    path = tmp_path / "docs" / "demo.svg"
    draw = drawing(path, "max")
    board = a_board(a_step())
    draw(board)
    board.add(a_step(alerts=(an_alert(),), hours=2))
    draw(board)
    assert not path.exists()
    board.show(["the card"])
    draw(board)
    drawn = path.read_text("utf-8")
    assert drawn.startswith("<svg")
    assert "card" in drawn
    board.show(["the card", "another"])
    draw(board)
    assert path.read_text("utf-8") == drawn


def test_a_picture_that_cannot_be_written_says_so() -> None:
    board = a_board(a_step(alerts=(an_alert(),)))
    board.show(["the card"])
    with pytest.raises(StoreError, match=r"cannot write /proc/none/demo\.svg: "):
        drawing(Path("/proc/none/demo.svg"), "max")(board)


async def test_the_end_stays_on_screen_until_ctrl_c_and_is_no_interruption(tmp_path: Path) -> None:
    over = asyncio.Event()

    def watch(board: Board) -> None:
        if board.now >= board.ends:
            over.set()

    running = asyncio.create_task(perform(a_play(), tmp_path / "demo.sqlite", watch, stay=True))
    await over.wait()
    await settle()
    assert not running.done()
    os.kill(os.getpid(), signal.SIGINT)
    assert (await running).finished


def test_in_a_terminal_it_has_a_screen_of_its_own_which_ctrl_c_leaves_for_the_summary_so_far() -> None:
    master, slave = pty.openpty()
    size = os.environ | {"TERM": "xterm-256color", "COLUMNS": "100", "LINES": "30"}
    command = [sys.executable, "-m", "monitor", "demo", "--posts", "600", "--speed", "3600"]
    with subprocess.Popen(command, stdin=slave, stdout=slave, stderr=slave, env=size) as running:  # noqa: S603 -- ours
        os.close(slave)
        raw = read(master, b"the newsroom's chat")
        running.send_signal(signal.SIGINT)
        screen = (raw + read(master)).decode()
    os.close(master)
    assert running.returncode == 130, screen
    enters, leaves = screen.index("\x1b[?1049h"), screen.rindex("\x1b[?1049l")
    for panel in ("tags per minute", "the race", "narratives", "feeds", "alerts", "the newsroom's chat"):
        assert panel in screen[enters:leaves]
    assert "Stopped at " in screen[leaves:]
    assert "Traceback" not in screen


def read(master: int, until: bytes | None = None) -> bytes:
    """What comes out of a terminal until a word appears or its program ends."""
    found = b""
    while until is None or until not in found:
        try:
            part = os.read(master, 65_536)
        except OSError:
            part = b""
        if not part:
            break
        found += part
    return found
