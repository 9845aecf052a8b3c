"""Everything that is served over HTTP, assembled: health, metrics, the door for posts, the JSON API.

A request passes, in this order: JSON for whatever refuses it; the watch over idle connections; who may ask
(`access.py`); its page. Where a token is set, all but `/healthz`, signed posts and what is pressed on a card want it.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta

from aiohttp import web
from aiohttp.typedefs import Middleware
from prometheus_client import CollectorRegistry

from monitor.clock import Clock, SystemClock
from monitor.errors import SettingsError
from monitor.web import access, api
from monitor.web.idle import Idle
from monitor.web.ingest import Ingest
from monitor.web.office import Office
from monitor.web.pages import Health, SourceHealth, pages
from monitor.web.refused import RefusedError, Respond, in_json

__all__ = ["Health", "SourceHealth", "serving"]

HEADERS = timedelta(seconds=20)
"""How long a connection may go without a whole request."""
MOST_CONNECTIONS = 1024
LINGER = 2.0
"""Seconds for which the rest of a refused body is read and thrown away, so that the answer arrives."""

log = logging.getLogger(__name__)


@asynccontextmanager
async def serving(
    host: str,
    port: int,
    *,
    health: Callable[[], Health],
    registry: CollectorRegistry,
    token: str | None,
    clock: Clock | None = None,
    ingest: Ingest | None = None,
    office: Office | None = None,
    signed: Sequence[web.RouteDef] = (),
    version: str = "",
) -> AsyncIterator[int]:
    """Answers while the context lasts and yields the port, which the system chooses for port 0.

    `signed` are pages whose requests are signed, each in its way, and need no token.

    Raises SettingsError if it cannot listen there, or would be open to other machines without a token.
    """
    if token is None and not access.is_loopback(host):
        raise SettingsError([f"web: {host} is open to other machines; name a token with token_env or token_file"])
    idle = Idle(clock or SystemClock(), HEADERS, MOST_CONNECTIONS)
    application = web.Application(middlewares=[in_json, idle.at_work, _guard(token, ingest, signed)])
    application.add_routes([*pages(health, registry), *signed])
    if ingest is not None:
        application.add_routes(_door(ingest))
    if office is not None:
        application.add_routes(api.routes(office, version))
    runner = web.AppRunner(
        application,
        access_log=None,
        logger=_log_of_server(),
        shutdown_timeout=1.0,
        keepalive_timeout=HEADERS.total_seconds(),
        lingering_time=LINGER,
        auto_decompress=False,
    )
    await runner.setup()
    try:
        await _listen(runner, host, port)
        async with _swept(idle, runner):
            yield int(runner.addresses[0][1])
    finally:
        await runner.cleanup()


@asynccontextmanager
async def _swept(idle: Idle, runner: web.AppRunner) -> AsyncIterator[None]:
    """Closes idle connections while the context lasts."""
    if runner.server is None:
        yield
        return
    sweeping = asyncio.create_task(idle.sweep(runner.server), name="idle connections")
    try:
        yield
    finally:
        sweeping.cancel()
        await asyncio.wait([sweeping])


async def _listen(runner: web.AppRunner, host: str, port: int) -> None:
    try:
        await web.TCPSite(runner, host, port).start()
    except OSError as error:
        why = (error.strerror or str(error)).rpartition("): ")[2]
        advice = "choose another host or port under [web], or stop what listens there"
        raise SettingsError([f"web: cannot listen on {host} port {port} ({why}); {advice}"]) from error


def _guard(token: str | None, ingest: Ingest | None, pages: Sequence[web.RouteDef]) -> Middleware:
    ours = {page.handler for page in pages}

    @web.middleware
    async def guarded(request: web.Request, handler: Respond) -> web.StreamResponse:
        posts = ingest is not None and request.path.startswith("/ingest/")
        signed = posts and ingest is not None and ingest.signed(request.match_info.get("source"))
        signed = signed or request.match_info.handler in ours
        try:
            if request.path != "/healthz" and not signed:
                access.check(request.method, request.headers, token)
        except RefusedError as error:
            if posts and ingest is not None:
                ingest.turned_away(request.match_info.get("source"), error)
            raise
        return await handler(request)

    return guarded


def _door(ingest: Ingest) -> list[web.RouteDef]:
    """Posts for the first configured source, and for one by name."""
    return [web.post("/ingest/v1/posts", ingest.take), web.post("/ingest/v1/posts/{source}", ingest.take)]


def _log_of_server() -> logging.Logger:
    """The log of aiohttp: bugs are told, but not what clients do wrong; they are told that themselves."""
    server = logging.getLogger(f"{__name__}.aiohttp")
    server.addFilter(_is_ours)
    return server


def _is_ours(record: logging.LogRecord) -> bool:
    error = record.exc_info[1] if record.exc_info else None
    return error is None or not type(error).__module__.startswith("aiohttp.http")
