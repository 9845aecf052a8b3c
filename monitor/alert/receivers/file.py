"""A file: one line of JSON per notification, on the disk before it counts as sent.

A notification that comes again – after a crash between writing and marking it sent – is not written again: the keys in
the last megabyte of the file are known, also after a restart.
"""

import asyncio
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Lock

import msgspec
from msgspec import Struct

from monitor.alert.receivers.document import document
from monitor.alert.receivers.receiver import Reason, one_at_a_time
from monitor.errors import DeliveryError
from monitor.records import Notification
from monitor.watched import Duration, Name

_TAIL = 1 << 20  # bytes
_BEGINS = b'{"version":'  # what only a line of ours begins with


class FileSettings(Struct, tag="file", tag_field="kind", frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A receiver that appends lines of JSON to a file."""

    name: Name
    path: str
    """Made if it is missing; its folder must exist."""
    deadline: Duration = Duration(days=1)
    """A line that could not be written for this long is a dead letter."""
    timeout: Duration = Duration(seconds=10)
    """One write, with the wait for the disk, takes at most this long."""


class _Line(Struct):
    key: str


class File:
    """Appends; the file may be moved away while the monitor runs."""

    def __init__(self, settings: FileSettings) -> None:
        self.name = settings.name
        self.timeout = settings.timeout
        self.pace = None
        self._path = Path(settings.path)
        self._lock = Lock()

    def repeats(self, notification: Notification) -> bool:  # noqa: ARG002 -- the same for every one
        """Never: a key that is in the file is not written again."""
        return False

    async def send(self, notification: Notification) -> str | None:
        """Writes a line unless its key is there already. Raises DeliveryError."""
        try:
            await asyncio.to_thread(self._append, notification.key, document(notification) + b"\n")
        except OSError as error:
            raise DeliveryError(Reason.NOT_WRITABLE, retry=True, detail=error.strerror or "") from error
        return None

    def _append(self, key: str, line: bytes) -> None:
        with one_at_a_time(self._lock), _opened(self._path) as file:
            end, tail = _tail(file)
            lines = tail.split(b"\n")
            if key in _keys(lines):
                return
            if lines[-1].startswith(_BEGINS):
                end -= len(lines[-1])  # a line of ours that a crash tore
                os.ftruncate(file, end)
            elif lines[-1]:
                line = b"\n" + line
            try:
                _write(file, line)
                os.fsync(file)
            except OSError:
                os.ftruncate(file, end)
                raise


@contextmanager
def _opened(path: Path) -> Iterator[int]:
    file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o640)
    try:
        yield file
    finally:
        os.close(file)


def _tail(file: int) -> tuple[int, bytes]:
    """The file's size, and its last bytes."""
    end = os.fstat(file).st_size
    begin = max(0, end - _TAIL)
    return end, os.pread(file, end - begin, begin)


def _keys(lines: list[bytes]) -> set[str]:
    found = set()
    for line in lines[:-1]:
        try:
            found.add(msgspec.json.decode(line, type=_Line).key)
        except msgspec.DecodeError:
            continue  # somebody else's line, or the torn first one of the tail
    return found


def _write(file: int, line: bytes) -> None:
    rest = memoryview(line)
    while rest:
        rest = rest[os.write(file, rest) :]
