"""Raw payloads are kept in files that rotate, and come back as they were."""

import logging
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.arrivals import Payload
from monitor.collect.record import Line, Recorder, recorded
from monitor.errors import SettingsError
from tests.fakes.clock import START

MOST = 1 << 20


def kept(folder: Path) -> list[Path]:
    return sorted(folder.glob("*.ndjson"))


@settings(max_examples=20, deadline=None)
@given(bodies=st.lists(st.binary(max_size=100), max_size=5))
def test_what_comes_back_is_what_came(bodies: list[bytes], tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("recorded")
    recorder = Recorder([("posts", str(folder / "new"), MOST)])
    payloads = [Payload("posts", body, None, arrived_at=START + timedelta(seconds=1)) for body in bodies]
    recorder.take([*payloads, Payload("other", b"not recorded", None)], START)
    assert [(line.body, line.at) for line in recorded(kept(folder / "new"))] == [
        (body, START + timedelta(seconds=1)) for body in bodies
    ]


def test_the_oldest_files_make_room_for_the_newest(tmp_path: Path) -> None:
    (tmp_path / "posts-too.20210101T000000.000000Z.ndjson").write_bytes(b"x" * MOST)
    recorder = Recorder([("posts", str(tmp_path), MOST)])
    for number in range(60):
        body = b"%05d" % number + b"x" * 50_000
        recorder.take([Payload("posts", body, None)], START + timedelta(minutes=number))
    mine = [path for path in kept(tmp_path) if path.name.startswith("posts.")]
    assert sum(path.stat().st_size for path in mine) <= MOST
    numbers = [int(line.body[:5]) for line in recorded(mine)]
    assert numbers == list(range(numbers[0], 60))
    assert len(numbers) >= 15
    assert len(kept(tmp_path)) == len(mine) + 1


def test_a_folder_that_cannot_be_written_stops_recording_and_nothing_else(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "file").touch()
    recorder = Recorder([("posts", str(tmp_path / "file"), MOST)])
    with caplog.at_level(logging.ERROR):
        recorder.take([Payload("posts", b"1", None)] * 3, START)
    assert len(caplog.records) == 1
    (tmp_path / "file").unlink()
    recorder.take([Payload("posts", b"4", None)], START)
    assert [line.body for line in recorded(kept(tmp_path / "file"))] == [b"4"]


def test_what_is_no_recording_is_a_mistake_with_its_place(tmp_path: Path) -> None:
    file = tmp_path / "a.ndjson"
    file.write_text('{"at":"2021-09-03T12:00:00Z","text":"a"}\n{"id":"1"}\n', "utf-8")
    with pytest.raises(SettingsError, match=r"a\.ndjson: line 2: no recorded payload"):
        list(recorded([file]))
    with pytest.raises(SettingsError, match="No such file"):
        list(recorded([tmp_path / "none"]))
    assert Line(START).body == b""


def test_a_last_line_that_was_not_written_to_its_end_is_left_out_and_said(tmp_path: Path) -> None:
    recorder = Recorder([("posts", str(tmp_path), MOST)])
    recorder.take([Payload("posts", b"one", None), Payload("posts", b"two", None)], START)
    (file,) = kept(tmp_path)
    whole, said = file.read_bytes(), list[tuple[Path, int]]()
    first = whole.index(b"\n") + 1
    for end in range(first, len(whole) + 1):
        file.write_bytes(whole[:end])
        found = [line.body for line in recorded([file], lambda path, size: said.append((path, size)))]
        assert found == [b"one", b"two"][: 1 + (end >= len(whole) - 1)]
    assert said == [(file, end - first) for end in range(first + 1, len(whole) - 1)]
