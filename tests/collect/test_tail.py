"""A followed file through everything that happens to files."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from monitor.collect import rotated
from monitor.collect.tail import Lost
from tests.fakes.log_writer import LogWriter
from tests.fakes.tail_reader import TailReader

Desk = tuple[LogWriter, TailReader]


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    writer = LogWriter(tmp_path)
    writer.append(3)
    reader = TailReader(writer.path)
    reader.read_all()
    yield writer, reader
    reader.tail.close()
    writer.close()


def test_lines_that_are_appended_follow(desk: Desk) -> None:
    writer, reader = desk
    writer.append(2)
    assert reader.read_all() == writer.written[3:]
    assert reader.read_all() == []


def test_a_line_is_handed_on_when_it_is_whole(desk: Desk) -> None:
    writer, reader = desk
    writer.begin_line()
    assert reader.read_all() == []
    writer.end_line()
    assert reader.read_all() == writer.written[3:]


@pytest.mark.parametrize("restarts", [False, True], ids=["running", "restarted"])
def test_the_rest_of_a_rotated_file_is_read_before_the_new_one(desk: Desk, restarts: bool) -> None:  # noqa: FBT001
    writer, reader = desk
    writer.append(2)
    writer.rotate()
    writer.append(2)
    if restarts:
        reader.restart()
    assert reader.read_all() == writer.written[3:]
    assert reader.lost == []


@pytest.mark.parametrize("restarts", [False, True], ids=["running", "restarted"])
def test_files_rotated_one_after_the_other_are_read_in_their_order(desk: Desk, restarts: bool) -> None:  # noqa: FBT001
    writer, reader = desk
    for _ in range(12):
        writer.append()
        writer.rotate()
    if restarts:
        reader.restart()
    assert reader.read_all() == writer.written[3:]


def test_what_is_still_written_to_the_renamed_file_is_read(desk: Desk) -> None:
    writer, reader = desk
    writer.rotate(writes_on=True)
    writer.append()
    assert reader.read_all() == writer.written[3:]
    writer.path.touch()
    writer.append()
    assert reader.read_all() == writer.written[4:]
    writer.reopen()
    writer.append()
    assert reader.read_all() == writer.written[5:]


@pytest.mark.parametrize("restarts", [False, True], ids=["running", "restarted"])
def test_the_copy_is_read_to_its_end_where_a_file_is_copied_and_truncated(desk: Desk, restarts: bool) -> None:  # noqa: FBT001
    writer, reader = desk
    writer.append(2)
    writer.copy_and_truncate()
    if restarts:
        reader.restart()
    assert reader.read_all() == writer.written[3:5]
    writer.append(2)
    assert reader.read_all() == writer.written[5:]
    assert reader.lost == []


@pytest.mark.parametrize("lines", [1, 9], ids=["shorter", "longer than before"])
def test_a_truncated_file_is_read_from_its_begin_and_the_loss_is_told(desk: Desk, lines: int) -> None:
    writer, reader = desk
    before = writer.path.stat().st_mtime_ns
    os.truncate(writer.path, 0)
    writer.append(lines)
    assert reader.read_all() == writer.written[3:]
    assert reader.lost == [Lost(rotated.TRUNCATED, before)]


def test_another_content_of_the_same_size_is_noticed(desk: Desk) -> None:
    writer, reader = desk
    size = writer.path.stat().st_size
    writer.path.write_bytes(b"x" * (size - 1) + b"\n")
    assert reader.read_all() == [b"x" * (size - 1)]
    assert [one.why for one in reader.lost] == [rotated.TRUNCATED]


def test_a_file_made_anew_under_the_same_number_is_another_file(desk: Desk) -> None:
    writer, reader = desk
    assert reader.place is not None
    writer.append()
    reader.restart()
    text = writer.path.read_bytes()
    writer.path.write_bytes(text[:5] + b"!" + text[6:])  # same device, same inode, same size
    assert reader.read_all() == writer.path.read_bytes().splitlines()
    assert [one.why for one in reader.lost] == [rotated.TRUNCATED]


def test_a_copy_of_the_file_in_its_place_goes_on_where_the_file_did(desk: Desk) -> None:
    writer, reader = desk
    copy = Path(f"{writer.path}.new")
    shutil.copy2(writer.path, copy)
    copy.write_bytes(copy.read_bytes() + b"more\n")
    copy.rename(writer.path)
    assert reader.read_all() == [b"more"]
    assert reader.lost == []


def test_a_deleted_file_is_read_to_its_end_while_it_is_held(desk: Desk) -> None:
    writer, reader = desk
    writer.append(2)
    writer.path.unlink()
    assert reader.read_all() == writer.written[3:]
    assert reader.tail.missing
    writer.reopen()
    writer.append()
    assert reader.read_all() == writer.written[5:]
    assert not reader.tail.missing
    assert reader.lost == []


def test_a_file_that_went_while_nobody_looked_is_a_loss(desk: Desk) -> None:
    writer, reader = desk
    before = writer.path.stat().st_mtime_ns
    writer.append()
    writer.path.rename(writer.path.parent / "elsewhere")
    (writer.path.parent / "elsewhere").unlink()
    writer.path.touch()
    writer.reopen()
    writer.append(2)
    reader.restart()
    assert reader.read_all() == writer.written[4:]
    assert [(one.why, one.after) for one in reader.lost] in [
        [(why, before)] for why in (rotated.GONE, rotated.TRUNCATED)
    ]


def test_what_came_between_a_lost_file_and_the_newest_is_read(desk: Desk) -> None:
    writer, reader = desk
    writer.rotate()
    writer.append(2)
    writer.rotate()
    writer.append(2)
    Path(f"{writer.path}.2").unlink()
    reader.restart()
    assert reader.read_all() == writer.written[3:]
    assert len(reader.lost) == 1


@pytest.mark.parametrize(("unread", "why"), [(0, []), (2, [rotated.COMPRESSED])], ids=["read", "with unread lines"])
def test_a_compressed_file_is_a_loss_only_where_it_holds_more_than_was_read(
    desk: Desk, unread: int, why: list[str]
) -> None:
    writer, reader = desk
    writer.append(unread)
    writer.rotate()
    writer.compress(1)
    writer.append(2)
    reader.restart()
    assert reader.read_all() == writer.written[3 + unread :]
    assert [one.why for one in reader.lost] == why


def test_a_file_compressed_while_it_is_held_is_no_loss(desk: Desk) -> None:
    writer, reader = desk
    writer.append(2)
    writer.rotate()
    writer.compress(1)
    writer.append(2)
    assert reader.read_all() == writer.written[3:]
    assert reader.lost == []


def test_other_files_beside_it_are_let_alone(desk: Desk) -> None:
    writer, reader = desk
    for name in ("posts.ndjson.bak", "posts-2.ndjson", "posts.ndjson.1.md5", "other.ndjson.1", "posts.ndjson~"):
        (writer.path.parent / name).write_bytes(b"not ours\n")
    writer.rotate()
    writer.append()
    assert reader.read_all() == writer.written[3:]
    reader.restart()
    assert reader.read_all() == []


@pytest.mark.parametrize("name", ["posts.ndjson-20210903", "posts-2021-09-03.ndjson", "posts.ndjson.2021-09-03_14"])
def test_rotated_files_may_carry_a_date(desk: Desk, name: str) -> None:
    writer, reader = desk
    writer.rotate()
    writer.append(2)
    writer.rotate()
    Path(f"{writer.path}.1").rename(writer.path.parent / name)
    writer.append()
    reader.restart()
    assert reader.read_all() == writer.written[3:]


def test_a_link_that_is_turned_to_another_file_is_a_rotation(tmp_path: Path) -> None:
    elsewhere = tmp_path / "day"
    elsewhere.mkdir()
    (elsewhere / "a").write_bytes(b"1\n")
    (tmp_path / "posts.ndjson").symlink_to(elsewhere / "a")
    reader = TailReader(tmp_path / "posts.ndjson")
    assert reader.read_all() == [b"1"]
    with (elsewhere / "a").open("ab") as file:
        file.write(b"2\n")
    (elsewhere / "b").write_bytes(b"3\n")
    (tmp_path / "posts.ndjson").unlink()
    (tmp_path / "posts.ndjson").symlink_to(elsewhere / "b")
    reader.restart()
    assert reader.read_all() == [b"2", b"3"]
