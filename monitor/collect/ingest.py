"""Posts that others push to the monitor over HTTP: the settings, and the source's side of it.

The door itself is `monitor.web.ingest`: it hands payloads to the channel and answers when they are committed.
"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from datetime import datetime
from typing import Annotated, ClassVar

from msgspec import Meta

from monitor.arrivals import Contact, Payload
from monitor.collect.about import OWN, About
from monitor.collect.parsed import Parsed
from monitor.collect.post1 import parse
from monitor.collect.record import Recorded
from monitor.marks import GapMark
from monitor.watched import Duration, Name


class IngestSource(Recorded, tag="ingest", tag_field="kind", frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Takes post/1 documents that others send to `/ingest/v1/posts`."""

    ABOUT: ClassVar[About] = OWN._replace(
        access="a shared secret that signs each request; none on loopback",
        resumes="the sender sends again what was not answered with 202; a request that comes twice is taken once",
    )

    name: Name
    """What the source is called in metrics, alerts and the archive, and in `/ingest/v1/posts/<name>`."""
    secret_env: str | None = None
    """Environment variable with the secret that signs requests; needed unless `[web]` listens on loopback."""
    secret_file: str | None = None
    """File with that secret, as an alternative to `secret_env`."""
    sign_timestamp: bool = False
    """The signature covers the header X-Timestamp, a dot and the body, instead of the body alone."""
    window: Duration = Duration(minutes=5)
    """How far the X-Timestamp of a signed request may be from our clock."""
    most_bytes: Annotated[int, Meta(ge=1024, le=1 << 26)] = 1 << 22
    """The largest body that is taken, in bytes, packed or not."""
    most_requests: Annotated[int, Meta(ge=1, le=10_000)] = 256
    """Requests in hand at once; more are asked to come again."""
    read_timeout: Duration = Duration(seconds=20)
    """How long a body may take to arrive."""
    answer_timeout: Duration = Duration(seconds=30)
    """How long a request waits for its commit before it is asked to come again."""


class IngestCollector:
    """The collector of an IngestSource: it is up while it runs; its posts come through the door."""

    def __init__(self, settings: IngestSource) -> None:
        self._settings = settings

    @property
    def name(self) -> str:
        """The source's name in the configuration."""
        return self._settings.name

    @property
    def stale_after(self) -> None:
        """Whoever pushes may rest as long as they like."""

    async def payloads(self, since: str | None) -> AsyncIterator[Payload | GapMark | Contact]:  # noqa: ARG002 -- pushed
        """Says that the source is up, and waits until it is ended."""
        yield Contact()
        await asyncio.Event().wait()

    def parse(self, bodies: Sequence[bytes], seen_at: datetime) -> Parsed:
        """The posts in these bodies."""
        return parse(bodies, self.name, seen_at, as_sent=True)
