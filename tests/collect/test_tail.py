"""A followed file through everything that happens to files: no whole line is lost, none comes twice."""

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.collect import rotated
from monitor.collect.rotated import Place
from monitor.collect.tail import CHUNK, TOO_LONG, Lost, Piece, Tail
from tests.fakes.log_writer import LogWriter


class Reader:
    """Reads with a Tail, and with another one after a restart."""

    def __init__(self, path: Path, place: Place | None = None) -> None:
        self.path = path
        self.lines: list[bytes] = []
        self.lost: list[Lost] = []
        self.place = place
        self.tail = Tail(path, place, follow=True)

    def look(self) -> bool:
        """One look; says whether it found anything."""
        found = self.tail.look()
        if isinstance(found, Piece):
            self.lines += found.lines.split(b"\n")[: found.posts]
            self.place = found.place
        elif isinstance(found, Lost):
            self.lost.append(found)
        return found is not None

    def read_all(self) -> list[bytes]:
        """Everything there is, beyond what was read before."""
        begin = len(self.lines)
        while self.look():
            pass
        return self.lines[begin:]

    def restart(self) -> None:
        self.tail.close()
        self.tail = Tail(self.path, Place.read(self.place.text()) if self.place else None, follow=True)


Desk = tuple[LogWriter, Reader]


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    writer = LogWriter(tmp_path)
    writer.append(3)
    reader = Reader(writer.path)
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
    reader = Reader(tmp_path / "posts.ndjson")
    assert reader.read_all() == [b"1"]
    with (elsewhere / "a").open("ab") as file:
        file.write(b"2\n")
    (elsewhere / "b").write_bytes(b"3\n")
    (tmp_path / "posts.ndjson").unlink()
    (tmp_path / "posts.ndjson").symlink_to(elsewhere / "b")
    reader.restart()
    assert reader.read_all() == [b"2", b"3"]


def test_a_line_that_is_too_long_is_counted_and_not_held(desk: Desk) -> None:
    writer, reader = desk
    with writer.path.open("ab") as file:
        file.write(b"x" * (3 * CHUNK))
    assert reader.read_all() == [TOO_LONG.strip()]
    reader.restart()
    assert reader.read_all() == []
    with writer.path.open("ab") as file:
        file.write(b"x" * CHUNK + b"\nnext\n")
    assert reader.read_all() == [b"next"]


def test_a_piece_is_never_larger_than_its_bound(tmp_path: Path) -> None:
    path = tmp_path / "posts.ndjson"
    path.write_bytes((b"y" * 999 + b"\n") * 5000)
    tail = Tail(path, None, follow=True)
    pieces = []
    while isinstance(found := tail.look(), Piece):
        pieces.append(found)
    tail.close()
    assert sum(piece.posts for piece in pieces) == 5000
    assert all(len(piece.lines) <= CHUNK and piece.lines.endswith(b"\n") for piece in pieces)


def test_a_resume_point_of_the_first_version_is_an_offset(desk: Desk) -> None:
    writer, _ = desk
    assert Reader(writer.path, Place.read(str(len(writer.written[0]) + 1))).read_all() == writer.written[1:]
    behind = Reader(writer.path, Place.read("999999"))
    assert behind.read_all() == writer.written
    assert [one.why for one in behind.lost] == [rotated.TRUNCATED]


@pytest.mark.parametrize("text", ["", "nope", "{}", '{"offset":-1}', "[]", "-7"])
def test_a_resume_point_of_something_else_is_told(text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 -- whatever it says
        Place.read(text)


def test_nothing_stays_open_when_a_tail_is_closed(desk: Desk) -> None:
    _, reader = desk
    before = len(list(Path("/dev/fd").iterdir()))
    reader.tail.close()
    assert len(list(Path("/dev/fd").iterdir())) == before - 1


def rotate_and_write_on(writer: LogWriter) -> None:
    writer.rotate(writes_on=True)
    writer.append()
    writer.reopen()


HAPPENS: dict[str, Callable[[LogWriter, Reader], object]] = {
    "append": lambda writer, _: writer.append(),
    "append many": lambda writer, _: writer.append(7),
    "begin a line": lambda writer, _: writer.begin_line(),
    "rotate": lambda writer, _: writer.rotate(),
    "rotate and write on": lambda writer, _: rotate_and_write_on(writer),
    "copy and truncate": lambda writer, _: writer.copy_and_truncate(),
    "look": lambda _, reader: reader.look(),
    "read all": lambda _, reader: reader.read_all(),
    "restart": lambda _, reader: reader.restart(),
}


@settings(max_examples=300, deadline=None)
@given(st.lists(st.sampled_from(sorted(HAPPENS)), max_size=25))
def test_whatever_happens_no_whole_line_is_lost_and_none_comes_twice(steps: list[str]) -> None:
    with TemporaryDirectory() as folder:
        writer = LogWriter(Path(folder))
        writer.append()
        reader = Reader(writer.path)
        reader.read_all()
        for step in steps:
            HAPPENS[step](writer, reader)
        writer.end_line()
        reader.read_all()
        reader.tail.close()
        writer.close()
    assert reader.lines == writer.written
    assert reader.lost == []
