"""Lines of a file that others write, rotate, truncate and replace. Blocking: for a thread.

The file is held open, so that renaming, compressing or deleting it takes away nothing while the monitor runs. It is
left only when the next one has a whole line: whoever writes may go on in the old one for a while.
"""

import os
import threading
from pathlib import Path
from typing import NamedTuple

from monitor.collect import rotated
from monitor.collect.rotated import EDGE, Edges, Place

CHUNK = 1 << 20
"""Bytes of a piece at most; a line of so many bytes is rejected as `over_size`."""
TOO_LONG = b'{"op":"delete","platform":"file","id":"%s"}\n' % (b"-" * 257)
"""Stands in for a line that is too long to be held; itself over size, so that it is counted as that."""


class Piece(NamedTuple):
    """Whole lines, and where the file goes on behind them."""

    lines: bytes
    posts: int
    place: Place


class Lost(NamedTuple):
    """Lines may be missing that were written after a time."""

    why: str
    after: int
    """Nanoseconds since 1970."""


class Tail:
    """Reads one file, or what it became, from a place on; raises OSError."""

    def __init__(self, path: Path, place: Place | None, *, follow: bool) -> None:
        self._path = path
        self._place = place
        self._follow = follow
        self._file: int | None = None
        self._offset = 0
        self._edges: Edges = (b"", b"")
        self._written = 0
        self._inside = False
        self._over = False
        self._lock = threading.Lock()
        self.missing = False
        """Whether nothing stands at the path any more; what stood there is still held."""

    def look(self) -> Piece | Lost | None:
        """The next lines; None where there are none now."""
        with self._lock:
            found = self._look()
        if self._over:
            self.close()
        return found

    def close(self) -> None:
        """Gives the file back; a look that is still going on, in another thread, does so when it is done."""
        self._over = True
        if self._lock.acquire(blocking=False):
            try:
                self._drop()
            finally:
                self._lock.release()

    def _look(self) -> Piece | Lost | None:
        lost = self._find() if self._file is None else None
        while lost is None and not self._over:
            block = self._block()
            if block is None:
                lost = self._find()
                continue
            if block and self._inside:
                self._skip(block)
                continue
            if (piece := self._cut(block, last=not self._follow)) or not self._follow:
                return piece
            after = self._after()
            if after is None:
                return None
            block = self._block()  # whoever writes has moved on: what is unread now is the rest
            if block and not self._inside and (piece := self._cut(block, last=True)):
                return piece
            if block == b"":
                self._open(*after)
        return lost

    def _block(self) -> bytes | None:
        """What comes next, CHUNK at most; None if the file no longer holds what was read."""
        written = os.fstat(self._held).st_mtime_ns
        block = os.pread(self._held, CHUNK, self._offset)
        begin, end = self._edges
        same = os.pread(self._held, len(begin), 0) == begin
        if not same or os.pread(self._held, len(end), self._offset - len(end)) != end:
            return None
        self._written = written
        return block

    def _cut(self, block: bytes, *, last: bool) -> Piece | None:
        """Whole lines of a block; the `last` may lack its line break."""
        whole = block[: block.rfind(b"\n") + 1]
        if whole:
            return self._piece(whole, whole, whole.count(b"\n"))
        if len(block) == CHUNK:
            self._inside = True
            return self._piece(block, TOO_LONG, 1)
        return self._piece(block, block, 1) if block and last else None

    def _piece(self, taken: bytes, lines: bytes, posts: int) -> Piece:
        self._advance(taken)
        return Piece(lines, posts, self._here())

    def _skip(self, block: bytes) -> None:
        end = block.find(b"\n") + 1
        self._inside = not end
        self._advance(block[: end or len(block)])

    def _advance(self, taken: bytes) -> None:
        begin, end = self._edges
        self._edges = ((begin + taken[:EDGE])[:EDGE], (end + taken[-EDGE:])[-EDGE:])
        self._offset += len(taken)

    def _here(self) -> Place:
        now = os.fstat(self._held)
        known = rotated.fingerprint(self._edges)
        return Place(self._offset, now.st_dev, now.st_ino, known, self._written, self._inside)

    @property
    def _held(self) -> int:
        if self._file is None:
            raise FileNotFoundError
        return self._file

    def _open(self, path: Path, place: Place | None = None) -> None:
        """Goes on in another file, at its begin or at a place in it."""
        file = rotated.opened(path)
        self._drop()
        self._file = file
        self._place = None
        self._offset = place.offset if place else 0
        self._inside = place.inside if place else False
        self._edges = rotated.edges(file, self._offset)

    def _drop(self) -> None:
        if self._file is not None:
            os.close(self._file)
            self._file = None

    def _find(self) -> Lost | None:
        """Opens the file in which the place is, or what came after it; says if lines may be lost between."""
        place = self._place if self._file is None else self._here()
        if place is None or rotated.fits(self._path, place):
            self._open(self._path, place)
            return None
        if not self._follow:
            self._open(self._path)
            return None
        if (old := rotated.moved(self._path, place)) is not None:
            self._open(old, place)
            return None
        why = rotated.why_lost(self._path, place)
        newer = rotated.newer(self._path, place.written) if place.print else []
        self._open(newer[0] if newer else self._path)
        return Lost(why, place.written) if why else None

    def _after(self) -> tuple[Path, Place | None] | None:
        """Where it goes on behind the end of the file that is held; None if that is still the file."""
        held, there = os.fstat(self._held), rotated.status(self._path)
        self.missing = there is None
        if there is not None and os.path.samestat(held, there):
            return None
        here = self._here()
        if self._offset and there is not None and rotated.fits(self._path, here):
            return self._path, here
        newer = rotated.newer(self._path, held.st_mtime_ns, held)
        if newer:
            return newer[0], None
        return (self._path, None) if there is not None and _begun(self._path) else None


def _begun(path: Path) -> bool:
    """Whether a file holds a first line: one of which nothing was read cannot be told from another."""
    file = rotated.opened(path)
    try:
        block = os.pread(file, CHUNK, 0)
    finally:
        os.close(file)
    return b"\n" in block or len(block) == CHUNK
