"""One channel of a chat: what was asked of it, and what people there see."""

import asyncio
from collections.abc import Callable
from typing import Any, NamedTuple

import msgspec
from aiohttp import web

from tests.fakes.seen import Seen


class Asked(NamedTuple):
    """A request that came."""

    method: str
    path: str
    query: str
    headers: dict[str, str]
    body: Any


class Chat:
    """One channel. `answers` are given first, one to a request."""

    def __init__(self, take: Callable[["Chat", Asked], web.Response]) -> None:
        self._take = take
        self.answers: list[web.StreamResponse] = []
        self.asked: list[Asked] = []
        self.messages: dict[str, Seen] = {}
        """Id → what stands there now."""
        self.replies: list[str] = []
        self.transactions: dict[str, str] = {}
        self.labels: dict[str, str] = {}
        """Id of a message → the key in its metadata."""
        self._hangs: dict[int, asyncio.Event] = {}
        self.refusals: dict[int, web.StreamResponse] = {}
        """Number of a request → its answer."""
        self.pictures: dict[str, bytes] = {}
        """Message, or what it hangs under → the PNG that is seen there."""
        self.files: dict[str, bytes] = {}
        """What was uploaded, and is not seen anywhere yet."""

    async def take(self, request: web.Request) -> web.StreamResponse:
        body = await received(request)
        asked = Asked(request.method, request.path, request.query_string, dict(request.headers), body)
        number = len(self.asked)
        self.asked.append(asked)
        if number in self._hangs:
            await self._hangs[number].wait()
        if number in self.refusals:
            return self.refusals[number]
        if self.answers:
            return self.answers.pop(0)
        return self._take(self, asked)

    def hang(self, number: int) -> asyncio.Event:
        """Leaves a request without an answer until the event is set."""
        self._hangs[number] = asyncio.Event()
        return self._hangs[number]

    def put(self, seen: Seen, key: str = "") -> str:
        """A new message's id."""
        key = key or str(1000 + len(self.messages))
        self.messages[key] = seen
        return key

    def shown(self) -> list[str]:
        return [seen.text for seen in self.messages.values()]


async def received(request: web.Request) -> Any:  # noqa: ANN401
    """The body: JSON, the fields of a form – files as bytes –, or bytes."""
    if request.content_type == "application/json":
        return msgspec.json.decode(await request.read())
    if request.content_type == "application/x-www-form-urlencoded":
        return dict(await request.post())
    if request.content_type == "multipart/form-data":
        fields = await request.post()
        return {name: one.file.read() if isinstance(one, web.FileField) else one for name, one in fields.items()}
    return await request.read()
