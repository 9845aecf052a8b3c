"""A Mastodon server on loopback: its stream over one socket, its timelines, its limits; built from its documents."""

import asyncio
import json
from collections import deque
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
from aiohttp import web

from monitor.clock import Clock
from tests.fakes.platform import platform

BEGIN = datetime(2026, 11, 23, 12, tzinfo=UTC)
TOKEN = "a-users-token"


def name_of(number: int) -> str:
    """The id of a post that was written so many seconds after the begin."""
    milliseconds = (BEGIN + timedelta(seconds=number) - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(milliseconds=1)
    return str((milliseconds << 16) + 7)


def status(number: int, content: str = "", *, tags: tuple[str, ...] = ("flood",), **more: Any) -> dict[str, Any]:  # noqa: ANN401
    """A status as the server sends it."""
    account = {"id": "9", "username": "ann", "acct": "ann@far.example", "followers_count": 12, "bot": False}
    account |= {"created_at": "2022-11-05T00:00:00.000Z", "display_name": "Ann", "note": "<p>Harbour</p>"}
    written = (BEGIN + timedelta(seconds=number)).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return {
        "id": name_of(number),
        "created_at": written,
        "in_reply_to_id": None,
        "sensitive": False,
        "spoiler_text": "",
        "visibility": "public",
        "language": "en",
        "uri": f"https://far.example/users/ann/statuses/{number}",
        "url": f"https://far.example/@ann/{number}",
        "replies_count": 0,
        "reblogs_count": 0,
        "favourites_count": 0,
        "edited_at": None,
        "content": content or f"<p>post {number}</p>",
        "reblog": None,
        "account": account,
        "media_attachments": [],
        "tags": [{"name": tag, "url": f"https://far.example/tags/{tag}"} for tag in tags],
        "quote": None,
        "card": None,
        "poll": None,
    } | more


class Instance:
    """Posts are told to sockets that stand, and kept in its timelines."""

    def __init__(self, clock: Clock) -> None:
        self.url = ""
        self.clock = clock
        self.posts: list[dict[str, Any]] = []
        self.sockets: dict[web.WebSocketResponse, set[str]] = {}
        self.paged = deque[float]()
        self._changed = asyncio.Event()
        self.violations = 0
        """Requests beyond 300 in fifteen minutes."""
        self.limit = 300
        self.asked: list[web.Request] = []
        self.refuses: str = ""
        self.limited = False
        """Whether it says nothing of itself to strangers (limited federation)."""
        self.unsearchable = ""
        """A term that its search does not understand."""
        self.searchable: list[dict[str, Any]] = []
        """What its search finds; without any it refuses."""
        self.breaks: Callable[[], bool] = lambda: False
        """Whether the connection ends before a message."""

    async def say(self, one: dict[str, Any], *, event: str = "update", late: bool = False) -> None:
        """Writes or edits a post; `late`: its own server was slow, it is told of now."""
        if event == "update":
            self.posts.append(one)
        for tag in one["tags"]:
            if not late:
                await self._tell({"stream": ["hashtag", tag["name"]], "event": event, "payload": json.dumps(one)})

    async def delete(self, name: str) -> None:
        self.posts = [one for one in self.posts if one["id"] != name]
        await self._tell({"stream": ["hashtag", "flood"], "event": "delete", "payload": name})

    async def _tell(self, message: dict[str, Any]) -> None:
        for socket, streams in list(self.sockets.items()):
            if "/".join(message["stream"]) not in streams:
                continue
            if self.breaks():
                del self.sockets[socket]
                await socket.close()
            else:
                await socket.send_json(message)

    async def handle(self, request: web.Request) -> web.StreamResponse:
        self.asked.append(request)
        stranger = request.headers.get("Authorization") != f"Bearer {TOKEN}"
        if request.path == "/api/v2/instance" and not (stranger and self.limited):
            told = {"configuration": {"urls": {"streaming": self.url.replace("http", "ws")}}}
            return web.json_response(told)
        if stranger:
            return web.json_response({"error": "Invalid access token"}, status=401)
        if request.path == "/api/v1/streaming":
            return await self._stream(request)
        if request.path.startswith("/api/v1/statuses"):
            return self._statuses(request)
        if request.path == "/api/v2/search":
            return self._searched(request)
        return self._timeline(request)

    async def _stream(self, request: web.Request) -> web.StreamResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        self.sockets[socket] = set()
        async for message in socket:
            asked = msgspec.json.decode(message.data)
            if self.refuses:
                await socket.send_json({"error": self.refuses, "status": 401})
            streams = self.sockets.get(socket, set())
            self._changed.set()
            streams.add("/".join([asked["stream"], asked["tag"]]) if "tag" in asked else asked["stream"])
        self.sockets.pop(socket, None)
        return socket

    def _searched(self, request: web.Request) -> web.Response:
        if not self.searchable:
            return web.json_response({"error": "This action is outside the authorized scopes"}, status=403)
        term, begin = request.query["q"].split('"')[1], int(request.query["offset"])
        if term == self.unsearchable:
            return web.json_response({"error": "The query is not understood"}, status=422)
        found = [one for one in self.searchable if term in one["content"]]
        return web.json_response({"accounts": [], "statuses": found[begin : begin + int(request.query["limit"])]})

    def _statuses(self, request: web.Request) -> web.Response:
        asked = request.query.getall("id[]", [])
        if not asked:
            name = request.path.rpartition("/")[2]
            one = next((one for one in self.posts if one["id"] == name), None)
            return web.json_response(one or {"error": "Record not found"}, status=200 if one else 404)
        return web.json_response([one for one in self.posts if one["id"] in asked][:20])

    def _timeline(self, request: web.Request) -> web.Response:
        headers = {}
        if "min_id" in request.query:
            now = self.clock.monotonic()
            while self.paged and self.paged[0] <= now - 900:
                self.paged.popleft()
            left = self.limit - len(self.paged)
            reset = (self.clock.now() + timedelta(minutes=15)).isoformat().replace("+00:00", "Z")
            headers = {"X-RateLimit-Limit": "300", "X-RateLimit-Reset": reset}
            if left <= 0:
                self.violations += 1
                return web.json_response({"error": "Too many requests"}, status=429, headers=headers)
            self.paged.append(now)
            headers["X-RateLimit-Remaining"] = str(left - 1)
        tag = request.path.rpartition("/")[2]
        least = request.query.get("min_id", "")
        wanted = [one for one in self.posts if tag == "public" or tag in {known["name"] for known in one["tags"]}]
        wanted = sorted(wanted, key=lambda one: int(one["id"]))
        limit = int(request.query["limit"])
        page = [one for one in wanted if int(one["id"]) > int(least)][:limit] if least else wanted[-limit:]
        return web.json_response(page[::-1], headers=headers)

    async def listened(self, streams: int = 1) -> None:
        """Waits until a socket follows so many streams."""
        async with asyncio.timeout(10):
            while not any(len(found) >= streams for found in self.sockets.values()):
                self._changed.clear()
                await self._changed.wait()


@asynccontextmanager
async def instance(clock: Clock) -> AsyncIterator[Instance]:
    server = Instance(clock)
    async with platform(server.handle) as url:
        server.url = url
        yield server
