"""Health and metrics over HTTP.

`/healthz` 200 while the event loop turns · `/readyz` 200 once everything has started, 503 before; the body tells how
fresh each source is, because ready does not mean that posts arrive · `/metrics` for Prometheus. Where a token is set,
all but `/healthz` want it.
"""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import datetime

import msgspec
from aiohttp import web
from msgspec import Struct
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest

from monitor.errors import SettingsError
from monitor.web.access import allowed, is_loopback

Respond = Callable[[web.Request], Awaitable[web.StreamResponse]]


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


@asynccontextmanager
async def serving(
    host: str, port: int, *, health: Callable[[], Health], registry: CollectorRegistry, token: str | None
) -> AsyncIterator[int]:
    """Answers while the context lasts and yields the port, which the system chooses for port 0.

    Raises SettingsError if it cannot listen there, or would be open to other machines without a token.
    """
    if token is None and not is_loopback(host):
        raise SettingsError([f"web: {host} is open to other machines; name a token with token_env or token_file"])
    runner = web.AppRunner(_application(health, registry, token), access_log=None, shutdown_timeout=1.0)
    await runner.setup()
    try:
        await _listen(runner, host, port)
        yield int(runner.addresses[0][1])
    finally:
        await runner.cleanup()


async def _listen(runner: web.AppRunner, host: str, port: int) -> None:
    try:
        await web.TCPSite(runner, host, port).start()
    except OSError as error:
        why = (error.strerror or str(error)).rpartition("): ")[2]
        advice = "choose another host or port under [web], or stop what listens there"
        raise SettingsError([f"web: cannot listen on {host} port {port} ({why}); {advice}"]) from error


def _application(health: Callable[[], Health], registry: CollectorRegistry, token: str | None) -> web.Application:
    async def alive(_: web.Request) -> web.StreamResponse:
        return web.Response(text="alive\n")

    async def ready(_: web.Request) -> web.StreamResponse:
        now = health()
        return web.Response(
            body=msgspec.json.encode(now), content_type="application/json", status=200 if now.ready else 503
        )

    async def metrics(_: web.Request) -> web.StreamResponse:
        return web.Response(body=generate_latest(registry), headers={"Content-Type": CONTENT_TYPE_LATEST})

    @web.middleware
    async def guarded(request: web.Request, handler: Respond) -> web.StreamResponse:
        if request.path != "/healthz" and not allowed(request.headers.get("Authorization", ""), token):
            raise web.HTTPUnauthorized(headers={"WWW-Authenticate": "Bearer"}, text="a token is needed\n")
        return await handler(request)

    application = web.Application(middlewares=[guarded])
    application.add_routes([web.get("/healthz", alive), web.get("/readyz", ready), web.get("/metrics", metrics)])
    return application
