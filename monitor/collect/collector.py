"""What every source is to the rest of the house: payloads with a resume point, and a parse without I/O."""

from collections.abc import AsyncIterator, Sequence
from datetime import datetime, timedelta
from typing import Protocol, runtime_checkable

from monitor.arrivals import Contact, Payload
from monitor.collect.parsed import Parsed
from monitor.marks import GapMark


class Collector(Protocol):
    """One configured source."""

    @property
    def name(self) -> str:
        """The source's name in the configuration."""
        ...

    @property
    def stale_after(self) -> timedelta | None:
        """How long a connection may say nothing at all before it is made anew; None: as long as it likes."""
        ...

    def payloads(self, since: str | None) -> AsyncIterator[Payload | GapMark | Contact]:
        """Payloads after the resume point `since`, in the source's order; ends where the source has an end.

        A Contact says that the source is reached although it has nothing to say (connected, a heartbeat); a GapMark
        that something was lost which the source cannot give again. Raises SourceUnavailableError where trying again
        can help, SourceRefusedError where it cannot.
        """
        ...

    def parse(self, bodies: Sequence[bytes], seen_at: datetime) -> Parsed:
        """The posts in a batch of payloads; pure, never raises for what a source may send."""
        ...


@runtime_checkable
class Sampled(Protocol):
    """A collector that cannot be tried by its payloads, since to read them has consequences at the platform."""

    @property
    def sample_costs(self) -> str:
        """What a dry run has for a consequence, which is said before it."""
        ...

    def sample(self) -> AsyncIterator[Payload | GapMark | Contact]:
        """A few payloads for a dry run, then a Contact that rests; raises as `payloads` does."""
        ...
