"""A source as the contract suite of collectors asks for it."""

from collections.abc import Awaitable, Callable
from typing import NamedTuple

from monitor.arrivals import Payload
from monitor.collect.collector import Collector


class Feed(NamedTuple):
    """A source of thirty posts."""

    collector: Collector
    collect: Callable[[str | None], Awaitable[list[Payload]]]
    """All it brings behind a resume point, settled."""
