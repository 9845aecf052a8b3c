"""Reads a collector as its supervisor does, without its pauses, and keeps what came."""

import asyncio
from collections.abc import Callable
from contextlib import aclosing
from datetime import UTC, datetime
from typing import Any

import polars as pl

from monitor.arrivals import Contact, Payload
from monitor.collect.collector import Collector
from monitor.errors import SourceUnavailableError
from monitor.marks import GapMark

PATIENCE = 30
"""Seconds after which what is waited for does not come."""
SEEN = datetime(2026, 11, 23, 13, tzinfo=UTC)


class Collected:
    """All that came of a source, over all its connections."""

    def __init__(self) -> None:
        self.payloads: list[Payload] = []
        self.gaps: list[GapMark] = []
        self.failures: list[str] = []
        self.since: str | None = None

    async def read(
        self, collector: Collector, enough: Callable[["Collected"], bool], patience: float = PATIENCE
    ) -> None:
        """Goes on behind what came before until `enough`; tries again at once where the source is unavailable."""
        async with asyncio.timeout(patience):
            while not enough(self):
                await self._connection(collector, enough)

    async def _connection(self, collector: Collector, enough: Callable[["Collected"], bool]) -> None:
        try:
            async with aclosing(collector.payloads(self.since)) as arrivals:  # type: ignore[type-var]
                async for arrival in arrivals:
                    self._take(arrival)
                    if enough(self):
                        return
        except SourceUnavailableError as error:
            self.failures.append(str(error))

    def _take(self, arrival: Payload | GapMark | Contact) -> None:
        if isinstance(arrival, GapMark):
            self.gaps.append(arrival)
        elif isinstance(arrival, Payload):
            self.payloads.append(arrival)
            self.since = arrival.resume if arrival.resume is not None else self.since

    def posts(self, collector: Collector) -> pl.DataFrame:
        """All posts, in the order in which they came; none of the payloads may hold anything else."""
        parsed = collector.parse([payload.body for payload in self.payloads], SEEN)
        assert not any(parsed.rejected)
        return parsed.posts

    def of(self, collector: Collector, op: str, *columns: str) -> list[Any]:
        """One or more columns of the documents of one op."""
        frame = self.posts(collector).filter(pl.col("op") == op)
        return frame[columns[0]].to_list() if len(columns) == 1 else frame.select(columns).rows()
