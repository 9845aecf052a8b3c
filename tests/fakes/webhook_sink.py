"""A webhook on loopback: checks signatures as a receiver should, and answers what a test tells it."""

import asyncio
import hmac
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime  # noqa: TC003 -- read when the class is made
from hashlib import sha256
from typing import Any

import msgspec
from aiohttp import web
from aiohttp.test_utils import TestServer

from monitor.clock import SystemClock

SECRET = b"between us"


class WebhookSink:
    """Keeps the posts it took; `answers` are given first, one to a request, then 204."""

    def __init__(self) -> None:
        self.url = ""
        self.requests: list[web.Request] = []
        self.bodies: list[bytes] = []
        self.taken: dict[str, dict[str, Any]] = {}
        """Idempotency key → document; a key that comes again is taken once."""
        self.taken_at: dict[str, datetime] = {}
        """Idempotency key → when it came first."""
        self.answers: list[web.StreamResponse] = []
        self.open = asyncio.Event()
        """Cleared, no request is answered."""
        self.open.set()
        self.closes = False
        """Whether every connection ends with its answer."""
        self.asked_in_vain = 0
        """Requests that came while it was cleared."""

    async def take(self, request: web.Request) -> web.StreamResponse:
        body = await request.read()
        self.requests.append(request)
        self.bodies.append(body)
        self.asked_in_vain += not self.open.is_set()
        await self.open.wait()
        if self.answers:
            return self.answers.pop(0)
        if not signed(request, body):
            return web.Response(status=401, text="wrong signature")
        self.taken.setdefault(request.headers["Idempotency-Key"], msgspec.json.decode(body))
        self.taken_at.setdefault(request.headers["Idempotency-Key"], SystemClock().now())
        answer = web.Response(status=204)
        if self.closes:
            answer.force_close()
        return answer


def signed(request: web.Request, body: bytes) -> bool:
    """Whether the signature is right: written from the page that documents it, not with the code under test."""
    text = request.headers["X-Timestamp"].encode() + b"." + body
    expected = "sha256=" + hmac.new(SECRET, text, sha256).hexdigest()
    return hmac.compare_digest(expected, request.headers.get("X-Signature-256", ""))


@asynccontextmanager
async def webhook_sink() -> AsyncIterator[WebhookSink]:
    """A sink that listens on a free port of loopback."""
    sink = WebhookSink()
    app = web.Application()
    app.router.add_post("/hook", sink.take)
    server = TestServer(app)
    await server.start_server()
    sink.url = str(server.make_url("/hook"))
    try:
        yield sink
    finally:
        await server.close()
