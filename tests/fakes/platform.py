"""A platform on loopback: answers what a test tells it, and keeps what it was asked."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from aiohttp import web
from aiohttp.test_utils import TestServer
from prometheus_client import CollectorRegistry

from monitor.metrics import Metrics

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def metrics() -> Metrics:
    """Metrics that nobody reads."""
    return Metrics(CollectorRegistry(), version="0")


def shown(metrics: Metrics, name: str, **labels: str) -> float | None:
    """What one metric shows."""
    registry: CollectorRegistry = metrics._registry  # noqa: SLF001
    return registry.get_sample_value(name, labels)


@asynccontextmanager
async def platform(handler: Handler, **more: Handler) -> AsyncIterator[str]:
    """Serves every path by `handler`, but `/<name>…` by the handler of that name; gives the address without `/`."""
    app = web.Application(client_max_size=1 << 26)
    for name, one in more.items():
        app.router.add_route("*", f"/{name}{{rest:.*}}", one)
    app.router.add_route("*", "/{rest:.*}", handler)
    server = TestServer(app)
    await server.start_server()
    try:
        yield str(server.make_url("")).rstrip("/")
    finally:
        await server.close()
