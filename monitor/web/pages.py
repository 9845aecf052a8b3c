"""What is seen of the monitor from outside: alive, ready, and every metric."""

from collections.abc import Callable
from datetime import datetime

from aiohttp import web
from msgspec import Struct
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest

from monitor.web.refused import answer


class SourceHealth(Struct, frozen=True, kw_only=True):
    """How a source is doing, as `/readyz` shows it."""

    name: str
    state: str
    """A word of `monitor.collect.supervise.SourceState`."""
    last_post_at: datetime | None = None
    """When its newest post arrived; None if none has."""


class Health(Struct, frozen=True, kw_only=True):
    """The body of `/readyz`."""

    ready: bool
    """Everything has started, and the store can be used."""
    at: datetime
    """When this was so."""
    store: str = "good"
    """Why the store cannot be used now, or `good`."""
    sources: tuple[SourceHealth, ...] = ()


def pages(health: Callable[[], Health], registry: CollectorRegistry) -> list[web.RouteDef]:
    """`/healthz` 200 while the event loop turns, `/readyz` 200 or 503, `/metrics` for Prometheus.

    Ready is not fresh: the body of `/readyz` tells when each source's newest post arrived.
    """

    async def alive(_: web.Request) -> web.StreamResponse:
        return web.Response(text="alive\n")

    async def ready(_: web.Request) -> web.StreamResponse:
        now = health()
        return answer(200 if now.ready else 503, now)

    async def metrics(_: web.Request) -> web.StreamResponse:
        return web.Response(body=generate_latest(registry), headers={"Content-Type": CONTENT_TYPE_LATEST})

    return [web.get("/healthz", alive), web.get("/readyz", ready), web.get("/metrics", metrics)]
