"""Raw payloads of a source, kept in files that rotate, so that they can be played back through its `parse`.

A file holds a line of JSON per payload. The files of a source have its name and the time of their first payload; the
oldest are removed when all together are too large. Blocking: for a thread.
"""

import logging
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import Annotated

import msgspec
from msgspec import Meta, Struct

from monitor.arrivals import Payload
from monitor.errors import SettingsError

_FILES = 8
"""A source's bound is split into so many files, so that an eighth of it goes at once."""

log = logging.getLogger(__name__)


class Recorded(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What an operator may set of every source."""

    record: str | None = None
    """Folder in which the source's raw payloads are kept, texts and authors included; without one nothing is."""
    record_bytes: Annotated[int, Meta(ge=1 << 20, le=1 << 42)] = 1 << 30
    """How large the source's files there may become together; the oldest make room."""


class Line(Struct, omit_defaults=True):
    """One payload as it stands in a file."""

    at: datetime
    """When it arrived."""
    text: str | None = None
    """Its body; None where that is no UTF-8."""
    base64: bytes | None = None
    """Its body, where it is no UTF-8."""

    @property
    def body(self) -> bytes:
        """The body as it came."""
        return self.text.encode() if self.text is not None else self.base64 or b""


_LINE = msgspec.json.Decoder(Line)


class Recorder:
    """Records the payloads of those sources that are to be recorded; a full disk stops recording and nothing else."""

    def __init__(self, sources: Iterable[tuple[str, str, int]]) -> None:
        """`sources`: name, folder and most bytes of each."""
        self._files = {name: _Files(name, Path(folder), most) for name, folder, most in sources}

    def take(self, payloads: Sequence[Payload], at: datetime) -> None:
        """Records payloads, those that do not know when they arrived as arrived `at`."""
        for payload in payloads if self._files else ():
            files = self._files.get(payload.source)
            if files is not None:
                files.write(payload.body, payload.arrived_at or at)


class _Files:
    """The files of one source."""

    def __init__(self, name: str, folder: Path, most: int) -> None:
        self._name = name
        self._folder = folder
        self._each = most // _FILES
        self._most = most
        self._open: Path | None = None
        self._size = 0
        self._failing = False

    def write(self, body: bytes, at: datetime) -> None:
        try:
            text, base64 = body.decode(), None
        except UnicodeDecodeError:
            text, base64 = None, body
        line = msgspec.json.encode(Line(at, text, base64)) + b"\n"
        try:
            if self._open is None or self._size + len(line) > self._each:
                self._rotate(at)
            if self._open is not None:
                with self._open.open("ab") as file:
                    file.write(line)
            self._size += len(line)
            self._failing = False
        except OSError as error:
            if not self._failing:
                said = "source %s is not recorded: %s: %s"
                log.error(said, self._name, self._folder, error.strerror, extra={"source": self._name})  # noqa: TRY400 -- expected
            self._failing, self._open = True, None

    def _rotate(self, at: datetime) -> None:
        self._folder.mkdir(parents=True, exist_ok=True)
        self._open, self._size = self._folder / f"{self._name}.{at:%Y%m%dT%H%M%S.%fZ}.ndjson", 0
        there = sorted(self._folder.glob(f"{self._name}.*.ndjson"))
        left = sum(path.stat().st_size for path in there)
        for path in there:
            if left <= self._most - self._each:
                break
            left -= path.stat().st_size
            path.unlink()


def recorded(paths: Iterable[Path], torn: Callable[[Path, int], None] = lambda _, __: None) -> Iterator[Line]:
    """The payloads of recorded files, in the order of the files; raises SettingsError for what is no recording.

    A last line that was not written to its end, as when the process was killed, is left out; `torn` is told of it, and
    of its bytes.
    """
    for path in paths:
        try:
            with path.open("rb") as file:
                for number, line in enumerate(file, 1):
                    if not line.endswith(b"\n") and not _is_one(line):
                        torn(path, len(line))
                        continue
                    yield _read(line, f"{path}: line {number}")
        except OSError as error:
            raise SettingsError([f"{path}: {error.strerror}"]) from error


def _is_one(line: bytes) -> bool:
    """Whether a line without an end is whole all the same."""
    try:
        _LINE.decode(line)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return False
    return True


def _read(line: bytes, where: str) -> Line:
    try:
        return _LINE.decode(line)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise SettingsError([f"{where}: no recorded payload ({error})"]) from error
