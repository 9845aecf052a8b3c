"""The newsroom's chat of the demo: takes the webhook receiver's signed messages on a loopback port and keeps them."""

import asyncio
import hashlib
import hmac
from datetime import timedelta
from types import TracebackType
from typing import NamedTuple, Self

import msgspec
from aiohttp import web

HOST = "127.0.0.1"
MOST_BYTES = 1 << 20


class Message(NamedTuple):
    """One message as it arrived."""

    key: str
    """The idempotency key."""
    text: str
    """The card in plain text."""


class _Card(msgspec.Struct):
    text: str
    """All a chat needs of the body."""


class Chat:
    """A server that verifies signatures, drops repeats by idempotency key and keeps `messages` in order of arrival."""

    def __init__(self, secret: str) -> None:
        self._secret = secret.encode()
        self._known: set[str] = set()
        self._runner: web.AppRunner | None = None
        self.url = ""
        self.messages: list[Message] = []
        self.repeats = 0
        self.refused = 0
        self._arrival = asyncio.Condition()

    async def __aenter__(self) -> Self:
        """Listens on a free port of the loopback interface; `url` says which."""
        app = web.Application(client_max_size=MOST_BYTES)
        app.router.add_post("/chat", self._take)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0)
        await self._runner.setup()
        await web.TCPSite(self._runner, HOST, 0).start()
        host, port = self._runner.addresses[0][:2]
        self.url = f"http://{host}:{port}/chat"
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stops listening."""
        if self._runner is not None:
            await self._runner.cleanup()

    async def has(self, count: int, within: timedelta) -> bool:
        """Whether `count` messages are there, waiting for them as long as `within`."""
        try:
            async with asyncio.timeout(within.total_seconds()), self._arrival:
                await self._arrival.wait_for(lambda: len(self.messages) >= count)
        except TimeoutError:
            return False
        return True

    async def _take(self, request: web.Request) -> web.Response:
        body = await request.read()
        stamp, key = request.headers.get("X-Timestamp", ""), request.headers.get("Idempotency-Key", "")
        if not key or not self._signed(stamp, body, request.headers.get("X-Signature-256", "")):
            self.refused += 1
            return web.Response(status=401, text="the signature does not fit")
        if key in self._known:
            self.repeats += 1
            return web.Response(text="known")
        try:
            card = msgspec.json.decode(body, type=_Card)
        except (msgspec.MsgspecError, UnicodeDecodeError):
            self.refused += 1
            return web.Response(status=400, text="no message")
        self._known.add(key)
        self.messages.append(Message(key, card.text))
        async with self._arrival:
            self._arrival.notify_all()
        return web.Response(text=f"message {len(self.messages)}")

    def _signed(self, stamp: str, body: bytes, signature: str) -> bool:
        expected = hmac.new(self._secret, f"{stamp}.".encode() + body, hashlib.sha256).hexdigest()
        return hmac.compare_digest(f"sha256={expected}".encode(), signature.encode("utf-8", "replace"))
