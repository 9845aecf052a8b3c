"""Which payloads are being worked on, in a small file that outlives a crash; and where poison is set aside.

After a crash the payloads that were in hand are suspects. Where the monitor ended by an error, each of them gets a
strike and is walked alone when its source brings it again. Where it died without a trace (a signal, a crash in native
code, out of memory) it was most likely no payload's fault: they are walked in groups of a sixteenth, so that a few
deaths find the guilty one and an innocent feed is not held up; one that was alone in hand gets a strike. At two strikes
a payload is quarantined: written to a file of its own and not walked again as long as that file is there. A store that
cannot be used is no payload's fault: while it is waited for, nothing is in hand.
"""

import logging
import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from math import ceil
from pathlib import Path

import msgspec
import xxhash

from monitor.arrivals import Payload
from monitor.errors import StoreError

STRIKES = 2
GROUPS = 16
_NOTE = "in-hand.json"
_SUFFIX = ".payload"
_PRIVATE = 0o640
"""Posts are nobody else's business."""

log = logging.getLogger(__name__)


class _Note(msgspec.Struct):
    """What the file says."""

    strikes: dict[str, int]
    """Digest → strikes it had when it was taken in hand."""
    failed: bool = False
    """The monitor ended by an error, and said so."""


class InHand:
    """The note of what is in hand, in a folder of its own; raises StoreError where it cannot be written."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        with _clear(folder):
            folder.mkdir(parents=True, exist_ok=True)
            self._file = os.open(folder / _NOTE, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, _PRIVATE)
        self._size = os.fstat(self._file).st_size
        self._suspects = _judged(os.pread(self._file, self._size, 0))
        self._written = True
        self.at_once = 1 if any(self._suspects.values()) else max(1, ceil(len(self._suspects) / GROUPS))
        """Suspects that are walked together."""
        if self._suspects:
            said = "the last run ended with %d payloads in hand; they are walked %d at a time"
            log.warning(said, len(self._suspects), self.at_once)
        self._suspects |= {path.stem.rpartition("-")[2]: STRIKES for path in folder.glob(f"*{_SUFFIX}")}

    def close(self) -> None:
        """Gives the file back."""
        os.close(self._file)

    @staticmethod
    def digest(payload: Payload) -> str:
        """What names a payload."""
        return xxhash.xxh3_128_hexdigest(payload.body, seed=xxhash.xxh32_intdigest(payload.source.encode()))

    def strikes(self, digest: str) -> int | None:
        """How many strikes a suspect has; None for a payload that is none."""
        return self._suspects.get(digest) if self._suspects else None

    @contextmanager
    def taken(self, digests: Mapping[str, int]) -> Iterator[None]:
        """Notes these payloads (digest → strikes so far) until `release`; an error in the context is noted too.

        A StoreError is not theirs: they are put back.
        """
        with _clear(self._folder / _NOTE):
            self._write(_Note(dict(digests)))
        done = False
        try:
            yield
            done = True
        except StoreError:
            done = True
            self._overwrite(_Note({}))
            raise
        finally:
            if not done:
                self._overwrite(_Note(dict(digests), failed=True))

    def release(self, digests: Iterable[str]) -> None:
        """They are committed."""
        for digest in digests:
            self._suspects.pop(digest, None)
        self._overwrite(_Note({}))

    def quarantine(self, payload: Payload, digest: str) -> Path:
        """Writes the payload to a file of its own, which is on the disk when this returns; may be repeated."""
        path = self._folder / f"{payload.source}-{digest}{_SUFFIX}"
        with _clear(path):
            with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, _PRIVATE), "wb") as file:
                file.write(payload.body)
                file.flush()
                os.fsync(file.fileno())
            _sync(self._folder)
        said = "source %s: the monitor crashed twice on one payload; it is set aside in %s"
        log.error(said, payload.source, path, extra={"source": payload.source})
        return path

    def _overwrite(self, note: _Note) -> None:
        """Where a failure must not stand in the way: the next note overwrites this one."""
        try:
            self._write(note)
        except OSError as error:  # at worst a payload is walked alone once more
            log.warning("%s: cannot be written (%s)", self._folder / _NOTE, error.strerror)

    def _write(self, note: _Note) -> None:
        """In place, never shorter, not synced: it outlives the process, not the machine, and a full disk."""
        if not note.strikes and not self._written:
            return
        body = msgspec.json.encode(note)
        self._size = max(self._size, len(body))
        os.pwrite(self._file, body.ljust(self._size), 0)
        self._written = bool(note.strikes)


def _judged(body: bytes) -> dict[str, int]:
    """Suspects and their strikes, from the note that the last run left behind."""
    try:
        note = msgspec.json.decode(body, type=_Note)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return {}
    guilty = note.failed or len(note.strikes) == 1
    return {digest: strikes + guilty for digest, strikes in note.strikes.items()}


def _sync(folder: Path) -> None:
    """Makes the names in a folder last."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


@contextmanager
def _clear(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        why = f"{path}: cannot be written ({error.strerror}); free space, or name another folder under [pipeline]"
        raise StoreError(why, passes=True) from error
