"""Posts from an NDJSON file on this machine: once through, or followed through rotation and truncation.

docs/file.md says what is promised.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import ClassVar

from monitor.arrivals import Contact, Payload
from monitor.clock import Clock
from monitor.collect.about import OWN, About
from monitor.collect.parsed import Parsed
from monitor.collect.post1 import parse
from monitor.collect.record import Recorded
from monitor.collect.rotated import Place
from monitor.collect.tail import Lost, Piece, Tail
from monitor.errors import SourceRefusedError, SourceUnavailableError
from monitor.marks import GapMark
from monitor.watched import Name

POLL = timedelta(milliseconds=250)
SOON = 10.0
"""Seconds after which a file that cannot be read is looked at again, at most."""

log = logging.getLogger(__name__)


class FileSource(Recorded, tag="file", tag_field="kind", frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Reads post/1 documents from a file of NDJSON lines."""

    ABOUT: ClassVar[About] = OWN._replace(
        access="the right to read the file",
        resumes="goes on behind the last line that was committed, through rotation; a gap where lines may be lost",
    )

    name: Name
    """What the source is called in metrics, alerts and the archive."""
    path: str
    """The file: `.ndjson` or `.jsonl`."""
    follow: bool = False
    """Waits for lines appended to the file, through rotation, instead of ending with it."""


class FileCollector:
    """The collector of a FileSource; its resume point is a Place, in older stores an offset in bytes."""

    def __init__(self, settings: FileSource, clock: Clock) -> None:
        self._settings = settings
        self._clock = clock

    @property
    def name(self) -> str:
        """The source's name in the configuration."""
        return self._settings.name

    @property
    def stale_after(self) -> None:
        """A file may rest as long as it likes."""

    async def payloads(self, since: str | None) -> AsyncIterator[Payload | GapMark | Contact]:
        """Whole lines behind `since`, CHUNK bytes at most at a time; a GapMark where lines may be lost."""
        tail = Tail(Path(self._settings.path), self._place(since), follow=self._settings.follow)
        read_all_at: datetime | None = None
        try:
            while True:
                looks_at = self._clock.now()
                found = await asyncio.to_thread(self._look, tail)
                if isinstance(found, Piece):
                    yield Payload(self.name, found.lines, found.place.text(), found.posts)
                elif isinstance(found, Lost):
                    yield self._gap(found, read_all_at)
                elif not self._settings.follow:
                    return
                else:
                    read_all_at = looks_at
                    if not tail.missing:
                        yield Contact(rests=True)
                    await self._clock.sleep(POLL)
        finally:
            tail.close()

    def parse(self, bodies: Sequence[bytes], seen_at: datetime) -> Parsed:
        """The posts in these lines."""
        return parse(bodies, self.name, seen_at, as_sent=True)

    def _place(self, since: str | None) -> Place | None:
        if since is None:
            return None
        try:
            return Place.read(since)
        except ValueError:
            said = "source %s: the resume point in the store is not understood; the file is read from its begin"
            log.warning(said, self.name, extra={"source": self.name})
            return None

    def _gap(self, lost: Lost, read_all_at: datetime | None) -> GapMark:
        """Since the last look that found nothing unread; after a start, since the last writing that was seen."""
        now = self._clock.now()
        begins = read_all_at or datetime.fromtimestamp(lost.after / 1e9, UTC) if lost.after or read_all_at else now
        said = "source %s: %s"
        log.warning(said, self.name, lost.why, extra={"source": self.name})
        return GapMark(source=self.name, begins=min(begins, now), ends=now, why=lost.why)

    def _look(self, tail: Tail) -> Piece | Lost | None:
        """On a thread; what cannot be read now but may be later is unavailable."""
        path = self._settings.path
        try:
            return tail.look()
        except FileNotFoundError as error:
            why = f"{path}: no such file"
            raise SourceUnavailableError(why, within=SOON) from error
        except PermissionError as error:
            why = f"{path}: permission denied; give the monitor's user the right to read it, and to enter its folder"
            raise SourceUnavailableError(why, within=SOON) from error
        except (IsADirectoryError, NotADirectoryError) as error:
            why = f"{path}: {error.strerror}"
            raise SourceRefusedError(why) from error
        except OSError as error:
            why = f"{path}: {error.strerror}"
            raise SourceUnavailableError(why, within=SOON) from error
