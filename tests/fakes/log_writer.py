"""A program that writes lines to a file, and another that rotates it; the file's times are their own."""

import gzip
import os
import shutil
from pathlib import Path


class LogWriter:
    """Writes numbered lines; `written` lists what a reader should see, in order."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "posts.ndjson"
        self.written: list[bytes] = []
        self._file = self.path.open("ab", buffering=0)
        self._time = 1_600_000_000_000_000_000
        self._open_line = b""

    def close(self) -> None:
        self._file.close()

    def append(self, lines: int = 1) -> None:
        """Whole lines; ends one that is open."""
        self.end_line()
        for _ in range(lines):
            line = self._next()
            self._write(line + b"\n")
            self.written.append(line)

    def begin_line(self) -> None:
        """The first half of a line."""
        self.end_line()
        self._open_line = self._next()
        self._write(self._open_line[:9])

    def end_line(self) -> None:
        if self._open_line:
            self._write(self._open_line[9:] + b"\n")
            self.written.append(self._open_line)
            self._open_line = b""

    def rotate(self, *, writes_on: bool = False) -> None:
        """Renames the file and all before it; a program that `writes_on` does so in the renamed one."""
        if not writes_on:
            self.end_line()
        self._shift()
        self.path.rename(f"{self.path}.1")
        if not writes_on:
            self.reopen()

    def reopen(self) -> None:
        """Makes the file anew, as after a rotation."""
        self.end_line()
        self._file.close()
        self._file = self.path.open("ab", buffering=0)
        self._stamp()

    def copy_and_truncate(self) -> None:
        """Rotates as `copytruncate` does."""
        self.end_line()
        self._shift()
        shutil.copy2(self.path, f"{self.path}.1")
        os.truncate(self.path, 0)
        self._stamp()

    def compress(self, number: int) -> None:
        """Compresses a rotated file; keeps its time, as gzip does."""
        plain = Path(f"{self.path}.{number}")
        packed = Path(f"{plain}.gz")
        packed.write_bytes(gzip.compress(plain.read_bytes()))
        shutil.copystat(plain, packed)
        plain.unlink()

    def _shift(self) -> None:
        free = 1
        while Path(f"{self.path}.{free}").exists():
            free += 1
        for number in range(free - 1, 0, -1):
            Path(f"{self.path}.{number}").rename(f"{self.path}.{number + 1}")

    def _next(self) -> bytes:
        number = len(self.written)
        return b'{"id": "%06d"%s}' % (number, b" " * (number * 37 % 300))

    def _write(self, text: bytes) -> None:
        self._file.write(text)
        self._stamp()

    def _stamp(self) -> None:
        """Every writing has a time of its own, which a file system's clock does not promise."""
        self._time += 1_000_000_000
        os.utime(self._file.fileno(), ns=(self._time, self._time))
