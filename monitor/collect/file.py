"""Posts from an NDJSON file on this machine, from a byte offset on; waits for more where it is followed."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from datetime import datetime, timedelta
from pathlib import Path

from msgspec import Struct

from monitor.arrivals import Contact, Payload
from monitor.clock import Clock
from monitor.collect.post1 import Parsed, parse
from monitor.errors import SourceRefusedError, SourceUnavailableError
from monitor.records import GapMark, Name

CHUNK = 1 << 20
POLL = timedelta(milliseconds=250)


class FileSource(Struct, tag="file", tag_field="kind", frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Reads post/1 documents from a file of NDJSON lines."""

    name: Name
    """What the source is called in metrics, alerts and the archive."""
    path: str
    """The file: `.ndjson` or `.jsonl`."""
    follow: bool = False
    """Waits for lines appended to the file instead of ending with it."""


class FileCollector:
    """The collector of a FileSource; its resume point is the offset in bytes after the last whole line."""

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
        """Whole lines from byte `since` on, about CHUNK bytes at a time."""
        offset = int(since or 0)
        while True:
            lines = await asyncio.to_thread(self._read, offset)
            if lines:
                offset += len(lines)
                yield Payload(self.name, lines, str(offset), lines.count(b"\n"))
            elif self._settings.follow:
                yield Contact()
                await self._clock.sleep(POLL)
            else:
                return

    def parse(self, bodies: Sequence[bytes], seen_at: datetime) -> Parsed:
        """The posts in these lines."""
        return parse(bodies, self.name, seen_at)

    def _read(self, offset: int) -> bytes:
        """Whole lines from `offset`; a last line without newline counts where the file is not followed."""
        path = Path(self._settings.path)
        try:
            with path.open("rb") as file:
                file.seek(offset)
                block = file.read(CHUNK)
                while b"\n" not in block and (more := file.read(CHUNK)):
                    block += more
        except FileNotFoundError as error:
            why = f"{path}: no such file"
            raise SourceUnavailableError(why) from error
        except OSError as error:
            why = f"{path}: {error.strerror}"
            raise SourceRefusedError(why) from error
        whole = block[: block.rfind(b"\n") + 1]
        return whole if whole or self._settings.follow else block
