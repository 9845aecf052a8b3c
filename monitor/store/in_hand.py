"""Which payloads are being worked on, in a small file that outlives a crash; and where poison is set aside.

After a crash the payloads in hand are suspects. Where the walk of them ended in an error, each is walked alone
when its source brings it again, and two such errors in a row convict it. Where the monitor died without a trace (a
signal, a crash in native code, out of memory) it was most likely no payload's fault: suspects are walked in groups of a
sixteenth, so that a few deaths find the guilty one and an innocent feed is not held up; four deaths with it alone in
hand convict it. Whoever is convicted is quarantined: written to a file of its own and not walked again as long as that
file is there. A store that cannot be used, and an end for any other reason, is no payload's fault.
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
from monitor.store.durable import sync_folder

CONVICTED = 4
"""Points at which a payload is quarantined,"""
ERROR, DEATH = 2, 1
"""… and what it gets for an error in its walk, and for a death with it alone in hand."""
GROUPS = 16
MOST_GUILTY = 1_000
"""Suspects with points that are waited for; the oldest are forgotten."""
_NOTE = "in-hand.json"
_SUFFIX = ".payload"
_PRIVATE = 0o640
"""Posts are nobody else's business."""

log = logging.getLogger(__name__)


class _Note(msgspec.Struct):
    """What the file says."""

    points: dict[str, int]
    """Digest → points it had when it was taken in hand."""
    failed: bool = False
    """Their walk ended in an error."""
    before: dict[str, int] = {}
    """Digest → points of those that wait to come again."""


class InHand:
    """The note of what is in hand, in a folder of its own; raises StoreError where it cannot be written."""

    def __init__(self, folder: Path) -> None:
        self._folder = self.folder = folder
        with _clear(folder):
            folder.mkdir(parents=True, exist_ok=True)
            self._file = os.open(folder / _NOTE, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, _PRIVATE)
        self._size = os.fstat(self._file).st_size
        self._suspects = _judged(os.pread(self._file, self._size, 0))
        self._guilty = dict([pair for pair in self._suspects.items() if pair[1]][-MOST_GUILTY:])
        self._written = True
        self._failed = False
        self.at_once = 1 if any(self._suspects.values()) else max(1, ceil(len(self._suspects) / GROUPS))
        """Suspects that are walked together."""
        if self._suspects:
            said = "the last run ended with %d payloads in hand; they are walked %d at a time"
            log.warning(said, len(self._suspects), self.at_once)
        self._suspects |= {path.stem.rpartition("-")[2]: CONVICTED for path in folder.glob(f"*{_SUFFIX}")}

    def close(self) -> None:
        """The end of a run that did not crash: nobody is suspected but those whose walk ended in an error."""
        if not self._failed:
            self._overwrite(_Note({}))
        os.close(self._file)

    @staticmethod
    def digest(payload: Payload) -> str:
        """What names a payload."""
        return xxhash.xxh3_128_hexdigest(payload.body, seed=xxhash.xxh32_intdigest(payload.source.encode()))

    def points(self, digest: str) -> int | None:
        """What speaks against a suspect; None for a payload that is none."""
        return self._suspects.get(digest) if self._suspects else None

    @contextmanager
    def walked(self, digests: Mapping[str, int]) -> Iterator[None]:
        """Notes these payloads (digest → points so far) until `release`; an error in the context is noted too."""
        with _clear(self._folder / _NOTE):
            self._write(_Note(dict(digests)))
        self._failed = True
        try:
            yield
            self._failed = False
        finally:
            if self._failed:
                self._overwrite(_Note(dict(digests), failed=True))
                log.error("the walk of %d payloads ended in an error: %s", len(digests), ", ".join(list(digests)[:5]))

    def release(self, digests: Iterable[str]) -> None:
        """They are committed."""
        for digest in digests:
            self._suspects.pop(digest, None)
            self._guilty.pop(digest, None)
        self._overwrite(_Note({}))

    def quarantine(self, payload: Payload, digest: str) -> Path:
        """Writes the payload to a file of its own, which is on the disk when this returns; may be repeated."""
        path = self._folder / f"{payload.source}-{digest}{_SUFFIX}"
        with _clear(path):
            with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, _PRIVATE), "wb") as file:
                file.write(payload.body)
                file.flush()
                os.fsync(file.fileno())
            sync_folder(self._folder)
        self._guilty.pop(digest, None)
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
        if not note.points and not self._written and not self._guilty:
            return
        note.before = {name: points for name, points in self._guilty.items() if name not in note.points}
        body = msgspec.json.encode(note)
        self._size = max(self._size, len(body))
        os.pwrite(self._file, body.ljust(self._size), 0)
        self._written = bool(note.points)


def _judged(body: bytes) -> dict[str, int]:
    """Suspects and their points, from the note that the last run left behind."""
    try:
        note = msgspec.json.decode(body, type=_Note)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return {}
    more = ERROR if note.failed else DEATH if len(note.points) == 1 else 0
    return note.before | {digest: points + more for digest, points in note.points.items()}


@contextmanager
def _clear(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        why = f"{path}: cannot be written ({error.strerror}); free space, or name another folder under [pipeline]"
        raise StoreError(why, passes=True) from error
