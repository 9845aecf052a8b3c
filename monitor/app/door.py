"""Builds the door through which posts are pushed, from the configuration."""

import logging
from collections.abc import Sequence

from monitor import settings
from monitor.arrivals import Answered, Request
from monitor.clock import Clock
from monitor.collect.ingest import IngestSource
from monitor.metrics import Metrics
from monitor.pipeline import Intake
from monitor.store.marks import REQUESTS_KEPT
from monitor.store.reader import Reader
from monitor.web.ingest import Ingest

log = logging.getLogger(__name__)


def door(configured: settings.Settings, intake: Intake, reader: Reader, clock: Clock, metrics: Metrics) -> Ingest:
    """The door of all ingest sources; `reader` says what was answered before."""

    async def recall(source: str, request: Request) -> Sequence[Answered]:
        return await reader.recall(source, request, clock.now() - REQUESTS_KEPT)

    def count(source: str, status: int, reason: str) -> None:
        metrics.ingest_requests.labels(source, str(status), reason).inc()
        if reason:
            said = "source %s: a request was refused: %s (%d)"
            log.warning(said, source or "(none)", reason, status, extra={"source": source, "reason": reason})

    ingest = Ingest(intake, recall, clock, count)
    let_in(ingest, configured)
    for source in configured.monitor.sources:
        if isinstance(source, IngestSource):
            metrics.ingest_requests.labels(source.name, "202", "")
    return ingest


def let_in(ingest: Ingest, configured: settings.Settings) -> None:
    """The ingest sources of a configuration, also of one that replaces another."""
    sources = [source for source in configured.monitor.sources if isinstance(source, IngestSource)]
    ingest.serve(sources, {name: word.reveal().encode() for name, word in configured.source_secrets.items()})
