"""What became of a file that was rotated, truncated or replaced: told by what stands in it, and only then by numbers.

A place is known again by a fingerprint of the first and the last bytes before it. Device and inode say where to look
first: they are given anew, and change with a copy or a mount. The order of rotated files is that of their last writing.
"""

import os
import re
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, NamedTuple, Self

import msgspec
import xxhash
from msgspec import Meta, Struct

EDGE = 256
"""Bytes at the begin and before the offset that tell one file from another."""

TRUNCATED = "the file was truncated, and no copy of what it held is there; lines may be lost"
GONE = "the file was replaced, and the one before it is gone; lines may be lost"
COMPRESSED = "the file was rotated and compressed before it was read to its end; lines are lost"

Edges = tuple[bytes, bytes]
"""The first and the last bytes before an offset, EDGE at most of each."""


class Place(Struct, frozen=True, omit_defaults=True):
    """How far a file was read."""

    offset: Annotated[int, Meta(ge=0)]
    """Bytes."""
    device: int = 0
    inode: int = 0
    print: str = ""
    """Fingerprint of what stands before the offset; "" where it is not known."""
    written: int = 0
    """When the file had last been written to as of then, in nanoseconds since 1970."""
    inside: bool = False
    """In the middle of a line that is too long: its rest is skipped."""

    @classmethod
    def read(cls, text: str) -> Self:
        """From a resume point; a bare number is an offset. Raises ValueError."""
        try:
            return cls(int(text)) if text.isdecimal() else msgspec.json.decode(text, type=cls)
        except msgspec.MsgspecError as error:
            raise ValueError(text) from error

    def text(self) -> str:
        """As a resume point."""
        return msgspec.json.encode(self).decode()


class _Sibling(NamedTuple):
    path: Path
    status: os.stat_result


def opened(path: Path) -> int:
    """A descriptor of a regular file; raises OSError, also for what is none and could block."""
    file = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    if not stat.S_ISREG(os.fstat(file).st_mode):
        os.close(file)
        raise IsADirectoryError(0, "it is no regular file")
    return file


def edges(file: int, offset: int) -> Edges:
    """What tells that place."""
    length = min(EDGE, offset)
    return os.pread(file, length, 0), os.pread(file, length, offset - length)


def fingerprint(seen: Edges) -> str:
    """A short word for edges; "" before the first byte, where nothing is known."""
    return xxhash.xxh3_64_hexdigest(b"".join(seen)) if seen[0] else ""


def fits(path: Path, place: Place) -> bool:
    """Whether a place is in the file at `path`."""
    try:
        file = opened(path)
    except OSError:
        return False
    try:
        if os.fstat(file).st_size < place.offset:
            return False
        return not place.print or fingerprint(edges(file, place.offset)) == place.print
    finally:
        os.close(file)


def moved(path: Path, place: Place) -> Path | None:
    """The file that a place is in, if it was renamed, or copied before it was truncated."""
    if not place.print:
        return None
    found = [one for one in _siblings(path) if one.path.name.startswith(path.stem) or _is(one, place)]
    found = [one for one in found if fits(one.path, place)]
    found.sort(key=lambda one: (_is(one, place), one.status.st_size), reverse=True)
    return found[0].path if found else None


def newer(path: Path, written: int, held: os.stat_result | None = None) -> list[Path]:
    """Rotated files last written to after a time, oldest first; among equals those after the held one."""
    there = status(path)
    ranked = []
    least = (written, -float("inf"), "")
    for one in _siblings(path):
        number = _rotation(path, one.path.name)
        if number is None or (there is not None and os.path.samestat(one.status, there)):
            continue
        rank = (one.status.st_mtime_ns, -number, one.path.name)
        if held is not None and os.path.samestat(one.status, held):
            least = rank
        elif one.status.st_size:
            ranked.append((rank, one.path))
    return [other for rank, other in sorted(ranked) if rank > least]


def why_lost(path: Path, place: Place) -> str:
    """Why the lines behind a place that is in no file any more are lost; "" if there were none."""
    compressed = False
    for one in _siblings(path):
        packed = one.path.name.startswith(path.stem) and one.path.suffix == ".gz"
        if packed and place.print and one.status.st_mtime_ns >= place.written:
            if _unpacked(one.path) == place.offset % (1 << 32):
                return ""
            compressed = True
    there = status(path)
    if compressed:
        return COMPRESSED
    known = (place.device, place.inode)
    return TRUNCATED if there is None or known in {(0, 0), (there.st_dev, there.st_ino)} else GONE


def status(path: Path) -> os.stat_result | None:
    """What stands at `path`; None for nothing."""
    try:
        return path.stat()
    except FileNotFoundError:
        return None


def _is(one: _Sibling, place: Place) -> bool:
    return (one.status.st_dev, one.status.st_ino) == (place.device, place.inode)


def _siblings(path: Path) -> Iterator[_Sibling]:
    """Regular files beside it, and beside what it links to."""
    for folder in dict.fromkeys((path.parent, Path(os.path.realpath(path)).parent)):
        try:
            paths = sorted(folder.iterdir())
        except OSError:
            continue
        for other in paths:
            try:
                found = other.stat()
            except OSError:
                continue
            if stat.S_ISREG(found.st_mode):
                yield _Sibling(other, found)


def _rotation(path: Path, name: str) -> int | None:
    """The number in the name of a rotated file (0 for a date); None if it is none."""
    date = r"\d{4}-?\d\d-?\d\d[\dT:_.-]*"
    if re.fullmatch(rf"{re.escape(path.stem)}[._-]{date}{re.escape(path.suffix)}", name):
        return 0
    found = re.fullmatch(rf"{re.escape(path.name)}[._-](?:(\d{{1,6}})|{date})", name)
    return int(found[1] or 0) if found else None


def _unpacked(path: Path) -> int | None:
    """Bytes that a gzip file holds, modulo 2³²."""
    try:
        with path.open("rb") as file:
            file.seek(-4, os.SEEK_END)
            return int.from_bytes(file.read(4), "little")
    except OSError:
        return None
