import asyncio
import os
import threading
from pathlib import Path

import msgspec
import pytest

from monitor.alert.receivers.file import File, FileSettings
from monitor.errors import DeliveryError
from monitor.records import Notification
from tests.fakes.alerts import a_notification, an_alert


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "alerts.ndjson"


def the_file(path: Path) -> File:
    return File(FileSettings(name="desk", path=str(path)))


def note(number: int) -> Notification:
    return a_notification(alert=an_alert(id=f"a{number}"))


def keys(path: Path) -> list[str]:
    return [str(msgspec.json.decode(line)["key"]) for line in path.read_bytes().splitlines()]


def content(path: Path) -> bytes:
    return path.read_bytes()


def put(path: Path, written: bytes) -> None:
    path.write_bytes(written)


def move_away(path: Path) -> None:
    path.rename(path.with_suffix(".1"))


async def test_a_notification_is_one_line_and_lines_come_in_order(path: Path) -> None:
    receiver = the_file(path)
    for number in range(3):
        await receiver.send(note(number))
    assert keys(path) == [note(number).key for number in range(3)]
    assert content(path).endswith(b"\n")


async def test_a_key_is_written_once_also_after_a_restart(path: Path) -> None:
    await the_file(path).send(note(0))
    await the_file(path).send(note(1))
    await the_file(path).send(note(0))
    assert keys(path) == [note(0).key, note(1).key]


@pytest.mark.parametrize("torn", [1, 20, 200])
async def test_a_line_torn_by_a_crash_is_written_anew(path: Path, torn: int) -> None:
    await the_file(path).send(note(0))
    await the_file(path).send(note(1))
    whole = content(path)
    put(path, whole[: -torn - 1] if torn < 100 else whole[:-torn])
    await the_file(path).send(note(1))
    assert content(path) == whole


async def test_what_somebody_else_wrote_is_left_alone(path: Path) -> None:
    put(path, b'{"theirs": 1}\nno line end')
    await the_file(path).send(note(0))
    lines = content(path).splitlines()
    assert lines[:2] == [b'{"theirs": 1}', b"no line end"]
    assert len(lines) == 3


async def test_the_line_is_on_the_disk_before_it_counts(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(DeliveryError, match="not_writable: No space left on device"):
        await the_file(path).send(note(0))
    assert content(path) == b""


async def test_a_file_that_was_moved_away_is_begun_anew(path: Path) -> None:
    receiver = the_file(path)
    await receiver.send(note(0))
    move_away(path)
    await receiver.send(note(1))
    assert keys(path) == [note(1).key]


async def test_while_a_write_blocks_the_next_one_gives_up_at_once(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    receiver, blocked, go_on = the_file(path), threading.Event(), threading.Event()

    def hang(_: int) -> None:
        blocked.set()
        go_on.wait()

    monkeypatch.setattr(os, "fsync", hang)
    first = asyncio.create_task(receiver.send(note(0)))
    await asyncio.to_thread(blocked.wait)
    with pytest.raises(DeliveryError, match="timeout: the write before still blocks"):
        await receiver.send(note(1))
    go_on.set()
    await first
    assert keys(path) == [note(0).key]
