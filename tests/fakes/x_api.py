"""X's interface as far as the monitor uses it: rules, the stream, the search; a post is made up and costs nothing."""

import json
from typing import Any

from aiohttp import web

from tests.fakes.answers import x_post
from tests.fakes.clock import settle

EPOCH_MS = 1_288_834_974_657
TOKEN = "bearer-of-nothing"


def post_id(at: float, number: int = 0) -> int:
    """The id of a post of a time, in seconds since 1970."""
    return (round(at * 1000) - EPOCH_MS << 22) + number


class FakeX:
    """Sends what is `said` to the stream that is open; the search knows everything."""

    def __init__(self) -> None:
        self.rules: dict[str, dict[str, str]] = {}
        self.posts: list[dict[str, Any]] = []
        self.streams: list[web.StreamResponse] = []
        self.page = 100
        self.searches: list[dict[str, str]] = []
        self.connects = 0
        self.late: list[dict[str, Any]] = []
        self.wrong = ""
        """A question or rule with these words is refused, and all rules that come with it."""

    async def answers(self, request: web.Request) -> web.StreamResponse:
        if request.headers.get("Authorization") != f"Bearer {TOKEN}":
            return web.json_response({"title": "Unauthorized"}, status=401)
        if request.path == "/2/tweets":
            wanted = request.query["ids"].split(",")
            there = [one for one in self.posts if one["id"] in wanted]
            gone = {"title": "Not Found Error", "type": "https://api.x.com/2/problems/resource-not-found"}
            return web.json_response({"data": there} if there else {"errors": [gone for _ in wanted]})
        kind = request.path.removeprefix("/2/tweets/search/")
        if kind == "stream/rules":
            return await self._ruled(request)
        return await (self._stream(request) if kind == "stream" else self._search(request))

    async def say(self, post: dict[str, Any]) -> None:
        """A post is made, and sent where somebody listens."""
        self.posts.append(post)
        await self.send(json.dumps({"data": post, "matching_rules": []}).encode())

    async def send(self, line: bytes) -> None:
        for stream in self.streams:
            try:
                await stream.write(line + b"\r\n")
            except ConnectionError:
                continue

    def hang_up(self, request: web.Request | None = None) -> None:  # noqa: ARG002 -- all of them
        """Every stream ends without a word."""
        streams, self.streams = self.streams, []
        for stream in streams:
            transport = stream._req.transport if stream._req is not None else None  # noqa: SLF001 -- aiohttp's
            if transport is not None:
                transport.abort()

    async def _ruled(self, request: web.Request) -> web.StreamResponse:
        if request.method == "POST":
            asked = json.loads(await request.read())
            if self.wrong and any(self.wrong in rule["value"] for rule in asked.get("add", ())):
                return self._not_taken()
            for rule in asked.get("add", ()):
                name = str(1_000 + len(self.rules))
                self.rules[name] = {"id": name, **rule}
            for name in asked.get("delete", {}).get("ids", ()):
                del self.rules[name]
            return web.json_response({"meta": {}}, status=201 if "add" in asked else 200)
        return web.json_response({"data": list(self.rules.values()), "meta": {}} if self.rules else {"meta": {}})

    async def _stream(self, request: web.Request) -> web.StreamResponse:
        self.connects += 1
        stream = web.StreamResponse(headers={"x-rate-limit-remaining": "49", "x-rate-limit-reset": "1"})
        await stream.prepare(request)
        self.streams.append(stream)
        while request.transport is not None and not request.transport.is_closing() and stream in self.streams:
            await settle()
        return stream

    def _not_taken(self) -> web.Response:
        wrong = {"message": f"Reference to invalid operator {self.wrong}"}
        return web.json_response({"title": "Invalid Request", "errors": [wrong]}, status=400)

    async def _search(self, request: web.Request) -> web.StreamResponse:
        self.searches.append(dict(request.query))
        if self.wrong and self.wrong in request.query["query"]:
            return self._not_taken()
        since = int(request.query.get("since_id", 0))
        found = sorted((one for one in self.posts if int(one["id"]) > since), key=lambda one: -int(one["id"]))
        begin = int(request.query.get("next_token", 0))
        page = found[begin : begin + self.page]
        meta: dict[str, Any] = {"result_count": len(page)}
        if page:
            meta |= {"newest_id": page[0]["id"], "oldest_id": page[-1]["id"]}
        if begin + self.page < len(found):
            meta["next_token"] = str(begin + self.page)
        return web.json_response({"data": page, "meta": meta} if page else {"meta": meta})


def said(at: float, number: int, text: str = "The bridge has come down") -> dict[str, Any]:
    return x_post(str(post_id(at, number)), text)
