"""A followed file: its bounds and resume points, and whatever happens in whatever order."""

from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.collect import rotated
from monitor.collect.rotated import Place
from monitor.collect.tail import CHUNK, TOO_LONG, Piece, Tail
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
    assert TailReader(writer.path, Place.read(str(len(writer.written[0]) + 1))).read_all() == writer.written[1:]
    behind = TailReader(writer.path, Place.read("999999"))
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


HAPPENS: dict[str, Callable[[LogWriter, TailReader], object]] = {
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
        reader = TailReader(writer.path)
        reader.read_all()
        for step in steps:
            HAPPENS[step](writer, reader)
        writer.end_line()
        reader.read_all()
        reader.tail.close()
        writer.close()
    assert reader.lines == writer.written
    assert reader.lost == []
