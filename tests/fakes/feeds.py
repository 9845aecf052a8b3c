"""Feeds and web previews of channels, as their servers give them; every text is made up here."""

from datetime import datetime, timedelta
from html import escape
from typing import NamedTuple

from aiohttp import web

from tests.fakes.polled import stamp

ENTRIES = 20
MESSAGES = 20


class Said(NamedTuple):
    """One entry or message."""

    number: int
    text: str
    at: datetime


class FakeFeed:
    """A feed of the last entries, with validators; Atom or RSS."""

    def __init__(self, *, atom: bool = True, size: int = ENTRIES) -> None:
        self.atom = atom
        self.size = size
        self.entries: list[Said] = []
        self.headers: dict[str, str] = {}

    def add(self, count: int, at: datetime, text: str = "The bridge is closed, entry") -> None:
        for _ in range(count):
            number = len(self.entries) + 1
            self.entries.append(Said(number, f"{text} {number}", at))

    async def answers(self, request: web.Request) -> web.StreamResponse:
        version = f'"{len(self.entries)}-{hash(tuple(self.entries))}"'
        if request.headers.get("If-None-Match") == version:
            return web.Response(status=304, headers={"ETag": version} | self.headers)
        body = (atom if self.atom else rss)(self.entries[-self.size :])
        return web.Response(body=body.encode(), headers={"ETag": version} | self.headers, content_type="text/xml")


def atom(entries: list[Said]) -> str:
    inner = "".join(
        f"<entry><id>urn:news:{one.number}</id><title>{escape(one.text)}</title>"
        f'<link href="https://news.example/{one.number}"/><updated>{stamp(one.at)}</updated>'
        f'<summary type="html">&lt;p&gt;More on {one.number}&lt;/p&gt;</summary></entry>'
        for one in reversed(entries)
    )
    return (
        '<?xml version="1.0" encoding="utf-8"?><feed xmlns="http://www.w3.org/2005/Atom" xml:lang="en">'
        f"<title>News</title><id>urn:news</id><updated>2021-09-03T12:00:00Z</updated>{inner}</feed>"
    )


def rss(entries: list[Said]) -> str:
    inner = "".join(
        f'<item><guid isPermaLink="false">{one.number}</guid><title>{escape(one.text)}</title>'
        f"<link>https://www.news.example/{one.number}</link>"
        f"<pubDate>{one.at:%a, %d %b %Y %H:%M:%S} GMT</pubDate>"
        f'<enclosure url="https://news.example/{one.number}.jpg" type="image/jpeg" length="1"/></item>'
        for one in reversed(entries)
    )
    return f'<?xml version="1.0"?><rss version="2.0"><channel><title>News</title>{inner}</channel></rss>'


class FakeChannel:
    """A public channel's web preview, as many messages to a page as it is told."""

    def __init__(self, name: str = "harbour_news", size: int = MESSAGES) -> None:
        self.name = name
        self.size = size
        self.messages: dict[int, Said] = {}
        self.views: dict[int, str] = {}
        self.drifted = False
        self.last = 0

    def add(self, count: int, at: datetime, text: str = "The bridge is closed, message") -> None:
        for _ in range(count):
            self.last += 1
            self.messages[self.last] = Said(self.last, f"{text} {self.last}", at)

    def edit(self, number: int, text: str) -> None:
        self.messages[number] = self.messages[number]._replace(text=text)

    async def answers(self, request: web.Request) -> web.StreamResponse:
        if request.path != f"/s/{self.name}":
            return web.Response(status=302, headers={"Location": f"https://t.me{request.path.removeprefix('/s')}"})
        numbers = sorted(self.messages)
        if "after" in request.query:
            numbers = [one for one in numbers if one > int(request.query["after"])][: self.size]
        if "before" in request.query:
            numbers = [one for one in numbers if one < int(request.query["before"])]
        page = preview(self.name, [self.messages[one] for one in numbers[-self.size :]], self.views)
        return web.Response(
            text=page.replace("datetime=", "data-at=") if self.drifted else page, content_type="text/html"
        )


def preview(name: str, messages: list[Said], views: dict[int, str] | None = None) -> str:
    inner = "".join(message(name, one, (views or {}).get(one.number, "1.2K")) for one in messages)
    return (
        '<html><body><div class="tgme_channel_info_counter"><span class="counter_value">8.5K</span> '
        '<span class="counter_type">subscribers</span></div><section class="tgme_channel_history">'
        f"{inner}</section></body></html>"
    )


def message(name: str, said: Said, views: str, more: str = "") -> str:
    link = f"https://t.me/{name}/{said.number}"
    return (
        f'<div class="tgme_widget_message_wrap"><div class="tgme_widget_message" data-post="{name}/{said.number}">'
        f'<div class="tgme_widget_message_bubble">{more}'
        f'<div class="tgme_widget_message_text js-message_text" dir="auto">{escape(said.text)}<br/>second line</div>'
        f'<div class="tgme_widget_message_info"><span class="tgme_widget_message_views">{views}</span>'
        f'<span class="tgme_widget_message_meta"><a class="tgme_widget_message_date" href="{link}">'
        f'<time datetime="{(said.at + timedelta()).isoformat()}">12:09</time></a></span></div></div></div></div>'
    )
