"""Telegram by its web preview: the page that t.me shows to anybody, twenty messages at once."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from urllib.parse import quote

from monitor.clock import Clock
from monitor.collect.http import Http, opened
from monitor.collect.http_rates import Budget, Limit
from monitor.collect.news import Document
from monitor.collect.telegram_page import messages, there
from monitor.collect.telegram_pages import Opens, Page, Pages
from monitor.collect.telegram_settings import TelegramSource
from monitor.errors import PostRejectedError, SourceRefusedError, SourceUnavailableError
from monitor.metrics import Metrics

_MOVED = (301, 302, 303, 307, 308)


def preview(settings: TelegramSource, clock: Clock, metrics: Metrics) -> Opens:
    """Channels by their web preview, within `per_minute`."""
    budget = Budget(Limit(settings.per_minute, timedelta(minutes=1)), clock)

    @asynccontextmanager
    async def opens() -> AsyncIterator[Pages]:
        async with opened(settings.name, settings, clock, metrics) as http:
            yield _Preview(settings, http, budget, metrics)

    return opens


class _Preview:
    """Implements Pages."""

    def __init__(self, settings: TelegramSource, http: Http, budget: Budget, metrics: Metrics) -> None:
        self._settings = settings
        self._http = http
        self._budget = budget
        self._metrics = metrics

    async def page(self, channel: str, after: int | None = None, before: int | None = None) -> Page:
        """As Pages says; a page that is not understood is drift, which is shown."""
        address = f"{self._settings.site.rstrip('/')}/s/{quote(channel)}"
        params = [(name, str(one)) for name, one in (("after", after), ("before", before)) if one]
        answer = await self._http.get(address, params=params, budgets=(self._budget,), also=_MOVED)
        if answer.status in _MOVED:
            why = "has no public web preview, or does not exist"
            raise SourceRefusedError(why)
        understood = _understood(answer.body, channel)
        held = there(answer.body)
        page = b"tgme_" in answer.body
        drift = (held - len(understood)) / held if held else 0 if page else 1
        self._metrics.source_drift.labels(self._settings.name).set(drift)
        if not understood and (held or not page):
            why = "the page is not understood: the web preview has changed, or something else answers"
            raise SourceUnavailableError(why)
        return Page(answer.body, understood, whole=held == len(understood))


def _understood(body: bytes, channel: str) -> list[Document]:
    """The messages that could be read whole."""
    try:
        found = [one for one in messages(body, channel) if isinstance(one, dict)]
    except PostRejectedError:
        return []
    return [one for one in found if one["id"] and one.get("created_at")]
