"""A Bluesky server with accounts on loopback: sessions by app password, and the search that wants one."""

from typing import Any

import msgspec
from aiohttp import web

from tests.fakes.clock import settle

LOGIN, PASSWORD = "desk.example", "abcd-efgh-ijkl-mnop"


def view(uri: str, text: str, at: str, **more: Any) -> dict[str, Any]:  # noqa: ANN401
    """A post as the search shows it."""
    did = uri.split("/")[2]
    record = {"$type": "app.bsky.feed.post", "text": text, "createdAt": at, "langs": ["en"]}
    author = {"did": did, "handle": "ann.example", "displayName": "Ann"}
    return {"uri": uri, "cid": "bafy", "author": author, "record": record, "indexedAt": at, "likeCount": 3} | more


class Account:
    """Answers what is asked of `service`."""

    def __init__(self) -> None:
        self.url = ""
        self.posts: list[dict[str, Any]] = []
        """The newest first."""
        self.page = 100
        self.searches: list[dict[str, str]] = []
        self.sessions = self.renewals = 0
        self.faults: list[web.Response] = []
        """Answers to the next searches."""
        self._valid = ""

    async def asked(self, searches: int) -> None:
        """Waits until so many searches were answered."""
        while len(self.searches) < searches:
            await settle()

    def end_session(self, *, renewable: bool = True) -> None:
        """The session has ended."""
        self._valid = "" if renewable else "none"

    async def handle(self, request: web.Request) -> web.StreamResponse:
        what = request.path.rpartition("/")[2]
        if what == "com.atproto.server.createSession":
            asked = msgspec.json.decode(await request.read())
            if asked != {"identifier": LOGIN, "password": PASSWORD}:
                return _refused("AuthenticationRequired", 401)
            self.sessions += 1
            return self._given()
        if what == "com.atproto.server.refreshSession":
            if self._valid == "none" or not request.headers["Authorization"].startswith("Bearer renews-"):
                return _refused("ExpiredToken", 400)
            self.renewals += 1
            return self._given()
        if request.headers.get("Authorization") != f"Bearer {self._valid}":
            return _refused("ExpiredToken", 400)
        return self.faults.pop(0) if self.faults else self._searched(request)

    def _searched(self, request: web.Request) -> web.Response:
        self.searches.append(dict(request.query))
        begin = int(request.query.get("cursor", 0))
        term = request.query["q"].split('"')[1].lower()
        between = [one for one in self.posts if request.query["since"] <= one["indexedAt"] < request.query["until"]]
        found = [one for one in between if term in one["record"]["text"].lower()]
        more = {"cursor": str(begin + self.page)} if begin + self.page < len(found) else {}
        return web.json_response({"posts": found[begin : begin + self.page], **more})

    def _given(self) -> web.Response:
        number = self.sessions + self.renewals
        self._valid = f"session-{number}"
        given = {"accessJwt": self._valid, "refreshJwt": f"renews-{number}", "did": "did:plc:desk", "handle": LOGIN}
        return web.json_response(given)


def _refused(error: str, status: int) -> web.Response:
    return web.json_response({"error": error, "message": "no"}, status=status)
