"""What every source is to the rest of the house: payloads with a resume point, and a parse without I/O."""

from collections.abc import AsyncIterator
from datetime import datetime
from typing import Protocol

from monitor.collect.post1 import Decoded
from monitor.records import Payload


class Collector(Protocol):
    """One configured source."""

    @property
    def name(self) -> str:
        """The source's name in the configuration."""
        ...

    def payloads(self, since: str | None) -> AsyncIterator[Payload]:
        """Payloads after the resume point `since`, in the source's order; ends where the source has an end.

        Raises SourceUnavailableError where trying again can help, SourceRefusedError where it cannot.
        """
        ...

    def parse(self, body: bytes, seen_at: datetime) -> Decoded:
        """The posts in a payload; pure, and never raises for what a source may send."""
        ...
