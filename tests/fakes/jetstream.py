"""A Jetstream server on loopback, in both versions, built from what its documentation says; it keeps what it sent."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any, NamedTuple

import msgspec
import zstandard
from aiohttp import web

from tests.fakes.platform import platform

BEGIN = datetime(2026, 11, 23, 12, tzinfo=UTC)
FIRST = 1_000
"""The number of the first event."""
DICTIONARY = 20260811
POST, REPOST, LIKE = "app.bsky.feed.post", "app.bsky.feed.repost", "app.bsky.feed.like"
_V2 = "network.bsky.jetstream.subscribeEvents#"


class Happening(NamedTuple):
    """One event of the network."""

    did: str
    kind: str = "commit"
    operation: str = "create"
    collection: str = POST
    rkey: str = ""
    record: dict[str, Any] | None = None
    account: dict[str, Any] | None = None

    @property
    def uri(self) -> str:
        return f"at://{self.did}/{self.collection}/{self.rkey}"


def post(number: int, text: str = "", *, did: str = "did:plc:writer", **more: Any) -> Happening:  # noqa: ANN401
    record = {"$type": POST, "text": text or f"post {number}", "createdAt": "2026-11-23T11:00:00.000Z", **more}
    return Happening(did, rkey=f"3k{number:011d}", record=record)


def about(collection: str, subject: str, number: int, *, did: str = "did:plc:reader") -> Happening:
    """A like or a repost."""
    record = {"$type": collection, "subject": {"uri": subject, "cid": "bafy"}, "createdAt": "2026-11-23T11:00:00.000Z"}
    return Happening(did, collection=collection, rkey=f"3l{number:011d}", record=record)


def delete(of: Happening) -> Happening:
    return of._replace(operation="delete", record=None)


class Jetstream:
    """Events are numbered from FIRST, one per millisecond; connections get those behind their cursor, then new ones."""

    def __init__(self) -> None:
        self.url = ""
        self.events: list[Happening] = []
        self.floor = FIRST
        """Events before this number are gone."""
        self.versions = {"v1", "v2"}
        self.asked: list[web.Request] = []
        self.dictionary = b""
        self.breaks: Callable[[int], bool] = lambda _: False
        """Whether the connection ends before an event; given how many it sent."""
        self.ends_with: list[dict[str, str]] = []
        """Frames of version 2, each sent to one connection after all events, which then ends."""
        self.at_rest = asyncio.Event()
        """Set when a connection was sent all there is."""
        self._new = asyncio.Event()

    def say(self, *happenings: Happening) -> None:
        self.events += happenings
        self._new.set()
        self._new = asyncio.Event()

    async def handle(self, request: web.Request) -> web.StreamResponse:
        self.asked.append(request)
        version = "v1" if request.path == "/subscribe" else "v2"
        if version not in self.versions:
            return web.Response(status=404)
        if request.path.endswith("getZstdDictionary"):
            known = request.query["id"] == str(DICTIONARY) and self.dictionary
            return web.Response(body=self.dictionary) if known else web.Response(status=404)
        return await (self._v1(request) if version == "v1" else self._v2(request))

    async def _v2(self, request: web.Request) -> web.StreamResponse:
        cursor = int(request.query.get("cursor", FIRST + len(self.events)))
        if any(name.startswith("wanted") for name in request.query):
            return web.json_response({"error": "InvalidRequest", "message": "unknown parameter"}, status=400)
        if cursor < self.floor:
            said = f"cursor is below the retention floor {self.floor}"
            return web.json_response({"error": "CursorTooOld", "message": said}, status=400)
        packed = "zstdDictionary" in request.query
        if packed and (request.query["zstdDictionary"] != str(DICTIONARY) or not self.dictionary):
            return web.json_response({"error": "UnknownZstdDictionary", "message": "unknown"}, status=400)
        wanted = request.query.getall("collections", [])
        await self._send(request, cursor - FIRST, wanted, self.v2, packed=packed)
        return web.Response()

    async def _v1(self, request: web.Request) -> web.StreamResponse:
        cursor = request.query.get("cursor")
        since = len(self.events)
        if cursor is not None and int(cursor) < 10**15:
            since = int(cursor) - FIRST
        elif cursor is not None:
            asked = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=int(cursor))
            since = -((BEGIN - asked) // timedelta(milliseconds=1))
        since = max(since, self.floor - FIRST)
        packed = request.query.get("compress") == "true"
        wanted = request.query.getall("wantedCollections", [])
        await self._send(request, since, wanted, self.v1, packed=packed)
        return web.Response()

    async def _send(
        self,
        request: web.Request,
        since: int,
        wanted: list[str],
        wire: Callable[[int], dict[str, Any]],
        *,
        packed: bool,
    ) -> None:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        dictionary = zstandard.ZstdCompressionDict(self.dictionary) if packed else None
        compressor = zstandard.ZstdCompressor(dict_data=dictionary, write_content_size=False)
        sent, at = 0, max(0, since)
        reading = asyncio.ensure_future(socket.receive())
        with contextlib.suppress(ConnectionError):
            while not reading.done():
                while at < len(self.events):
                    happening = self.events[at]
                    at += 1
                    if happening.kind == "commit" and wanted and happening.collection not in wanted:
                        continue
                    if self.breaks(sent):
                        reading.cancel()
                        request.transport.abort()  # type: ignore[union-attr]
                        return
                    text = msgspec.json.encode(wire(at - 1))
                    await (socket.send_bytes(compressor.compress(text)) if packed else socket.send_str(text.decode()))
                    sent += 1
                if self.ends_with:
                    await socket.send_json(self.ends_with.pop(0))
                    break
                self.at_rest.set()
                waiting = asyncio.ensure_future(self._new.wait())
                await asyncio.wait([reading, waiting], return_when=asyncio.FIRST_COMPLETED)
                waiting.cancel()
        reading.cancel()
        await socket.close()

    def v2(self, index: int) -> dict[str, Any]:
        one = self.events[index]
        body: dict[str, Any] = {"$type": _V2 + one.kind, "seq": FIRST + index, "did": one.did, "time": _iso(index)}
        if one.kind == "commit":
            body |= {"rev": f"r{index}", "operation": one.operation, "collection": one.collection, "rkey": one.rkey}
            body |= {"cid": "bafy", "record": one.record} if one.record is not None else {}
        elif one.account is not None:
            body[one.kind] = one.account
        return {"$type": "message", "payload": body}

    def v1(self, index: int) -> dict[str, Any]:
        one = self.events[index]
        microseconds = (BEGIN - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1) + index * 1000
        body: dict[str, Any] = {"did": one.did, "time_us": microseconds, "kind": one.kind}
        if one.kind == "commit":
            commit = {"rev": f"r{index}", "operation": one.operation, "collection": one.collection, "rkey": one.rkey}
            body["commit"] = commit | ({"record": one.record, "cid": "bafy"} if one.record is not None else {})
        elif one.account is not None:
            body[one.kind] = one.account
        return body


def _iso(index: int) -> str:
    return (BEGIN + timedelta(milliseconds=index)).isoformat(timespec="microseconds").replace("+00:00", "Z")


@asynccontextmanager
async def jetstream() -> AsyncIterator[Jetstream]:
    server = Jetstream()
    async with platform(server.handle) as url:
        server.url = url
        yield server


def trained(chance: Random) -> bytes:
    """A dictionary trained on posts like those that are sent."""
    server = Jetstream()
    words = ["harbour", "bridge", "flood", "drill", "ferry", "gone", "open", "closed", "after", "fire"]
    server.events = [post(number, " ".join(chance.choices(words, k=12))) for number in range(2000)]
    samples: list[Any] = [msgspec.json.encode(server.v2(index)) for index in range(2000)]
    return zstandard.train_dictionary(16_384, samples).as_bytes()
