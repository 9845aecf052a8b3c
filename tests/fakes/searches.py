"""Platforms that are searched – Reddit, YouTube, GDELT, Google's fact checks – as far as the monitor asks them."""

import base64
import json
from datetime import UTC, datetime
from typing import Any

from aiohttp import web

from tests.fakes.answers import (
    article,
    claim,
    gdelt_list,
    reddit_comment,
    reddit_listing,
    reddit_post,
    youtube_answer,
    youtube_comment,
    youtube_found,
    youtube_video,
)

KEY = "key-of-nothing"


class FakeReddit:
    """One community, whose posts all match; `deleted` are shells, `removed` are not told at all."""

    def __init__(self) -> None:
        self.posts: list[dict[str, Any]] = []
        self.comments: list[dict[str, Any]] = []
        self.tokens = 0
        self.token = ""
        self.shut: dict[str, int] = {}
        """Community → the status with which it is refused."""
        self.only: tuple[str, slice] | None = None
        """A question with these words finds only this part of the posts."""

    def add(self, count: int, **more: object) -> None:
        self.posts += [reddit_post(f"p{len(self.posts) + one}", **more) for one in range(count)]  # type: ignore[arg-type]

    def comment(self, count: int) -> None:
        self.comments += [reddit_comment(f"c{len(self.comments) + one}") for one in range(count)]

    def delete(self, name: str) -> None:
        for one in (*self.posts, *self.comments):
            if one["data"]["name"] == name:
                said = "body" if "body" in one["data"] else "selftext"
                one["data"] |= {said: "[deleted]", "author": "[deleted]"}

    async def answers(self, request: web.Request) -> web.StreamResponse:
        if request.path == "/api/v1/access_token":
            given = request.headers["Authorization"] == "Basic " + base64.b64encode(f"app:{KEY}".encode()).decode()
            self.tokens += 1
            self.token = f"token-{self.tokens}"
            body = {"access_token": self.token, "expires_in": 86_400}
            return web.json_response(body) if given else web.json_response({"error": 401}, status=401)
        if request.headers.get("Authorization") != f"Bearer {self.token}":
            return web.json_response({"message": "Unauthorized"}, status=401)
        assert request.query["raw_json"] == "1"
        community = request.path.split("/")[2] if request.path.startswith("/r/") else ""
        if community in self.shut:
            status = self.shut[community]
            return web.json_response({"reason": "private", "error": status}, status=status)
        every = self.comments if request.path.endswith("/comments") else self.posts
        if self.only is not None and self.only[0] in request.query.get("q", ""):
            every = every[self.only[1]]
        if request.path == "/api/info":
            wanted = request.query["id"].split(",")
            assert len(wanted) <= 100
            return self._given([one for one in (*self.posts, *self.comments) if one["data"]["name"] in wanted])
        names = [one["data"]["name"] for one in reversed(every)]
        begin = names.index(request.query["after"]) + 1 if "after" in request.query else 0
        page = every[::-1][begin : begin + 100]
        more = begin + 100 < min(len(every), 1000)
        return self._given(page, page[-1]["data"]["name"] if page and more else None)

    def _given(self, page: list[dict[str, Any]], after: str | None = None) -> web.Response:
        headers = {"x-ratelimit-used": "1", "x-ratelimit-remaining": "586.0", "x-ratelimit-reset": "412"}
        return web.Response(body=reddit_listing(page, after), headers=headers, content_type="application/json")


class FakeYoutube:
    """Videos, the newest last, with their comments; `spent` quotas refuse."""

    def __init__(self) -> None:
        self.videos: list[str] = []
        self.views: dict[str, int] = {}
        self.comments: dict[str, list[str]] = {}
        self.written: dict[str, str] = {}
        """When a comment was written, where it matters."""
        self.closed: dict[str, tuple[int, str]] = {}
        """Video → status and reason with which its comments are refused."""
        self.spent: set[str] = set()
        self.calls: list[str] = []
        self.numbers = True
        """Whether videos tell theirs."""

    def refused(self, reason: str, status: int = 403) -> web.Response:
        body = {"error": {"code": status, "message": reason, "errors": [{"reason": reason, "domain": "youtube"}]}}
        return web.json_response(body, status=status)

    async def answers(self, request: web.Request) -> web.StreamResponse:
        kind = request.path.strip("/")
        self.calls.append(kind)
        if request.query.get("key") != KEY:
            return self.refused("forbidden")
        if kind in self.spent:
            return self.refused("quotaExceeded")
        if kind == "search":
            return self._given([youtube_found(one) for one in self.videos[:-51:-1]])
        if kind == "videos":
            wanted = request.query["id"].split(",")
            assert len(wanted) <= 50
            there = [one for one in wanted if one in self.videos]
            told = [youtube_video(one, self.views.get(one, 10)) for one in there]
            return self._given(told if self.numbers else [one | {"statistics": {}} for one in told])
        video = request.query["videoId"]
        if video in self.closed:
            status, reason = self.closed[video]
            return self.refused(reason, status)
        begin = int(request.query.get("pageToken", "0"))
        every = self.comments.get(video, [])[::-1]
        times = {one: {"at": self.written[one]} if one in self.written else {} for one in every}
        page = [youtube_comment(one, video, **times[one]) for one in every[begin : begin + 100]]
        return self._given(page, str(begin + 100) if begin + 100 < len(every) else "")

    def _given(self, items: list[dict[str, Any]], token: str = "") -> web.Response:
        return web.Response(body=youtube_answer(items, token), content_type="application/json")


class FakeGdelt:
    """Articles by the second at which GDELT saw them; what it says instead is played first."""

    def __init__(self) -> None:
        self.articles: list[tuple[datetime, dict[str, Any]]] = []
        self.says: list[web.Response] = []
        self.asked_at: list[dict[str, str]] = []

    def add(self, count: int, at: datetime) -> None:
        for _ in range(count):
            self.articles.append((at, article(len(self.articles), f"{at:%Y%m%dT%H%M%SZ}")))

    async def answers(self, request: web.Request) -> web.StreamResponse:
        self.asked_at.append(dict(request.query))
        if self.says:
            return self.says.pop(0)
        begin, end = (
            datetime.strptime(request.query[name], "%Y%m%d%H%M%S").replace(tzinfo=UTC)
            for name in ("startdatetime", "enddatetime")
        )
        found = [one for at, one in reversed(self.articles) if begin <= at <= end][: int(request.query["maxrecords"])]
        return web.Response(body=gdelt_list(found), content_type="application/json")


class FakeFactChecks:
    """Claims that were reviewed, ten to a page; and one page of a fact-checker."""

    def __init__(self) -> None:
        self.claims: list[dict[str, Any]] = []
        self.page = "<html></html>"
        self.queries: list[dict[str, str]] = []

    def add(self, count: int, rating: str = "Mostly invented") -> None:
        for _ in range(count):
            number = len(self.claims)
            self.claims.append(
                claim(f"The bridge came down, version {number}", rating, f"https://checks.example/{number}")
            )

    async def answers(self, request: web.Request) -> web.StreamResponse:
        if request.path == "/page":
            return web.Response(text=self.page, content_type="text/html")
        self.queries.append(dict(request.query))
        if request.query.get("key") != KEY:
            return web.json_response({"error": {"code": 403, "status": "PERMISSION_DENIED"}}, status=403)
        begin = int(request.query.get("pageToken", "0"))
        found: dict[str, Any] = {"claims": self.claims[begin : begin + 10]} if self.claims[begin:] else {}
        if begin + 10 < len(self.claims):
            found["nextPageToken"] = str(begin + 10)
        return web.Response(body=json.dumps(found).encode(), content_type="application/json")
