"""A feed's bytes → its entries as post/1 documents: RSS and Atom in all their dialects, through feedparser. Pure.

The bytes are handed over as a stream: feedparser takes bytes by themselves for the name of a file to open. What it
calls bozo – a feed that is not well-formed – is read as far as it goes, as every reader does.
"""

import hashlib
from calendar import timegm
from collections.abc import Iterator
from datetime import UTC, datetime
from io import BytesIO
from typing import Any
from urllib.parse import urlsplit

import feedparser

from monitor.collect.html import text_of
from monitor.collect.news import Document
from monitor.collect.post1 import MAX_ID
from monitor.errors import PostRejectedError

PLATFORM = "rss"
_PICTURES = ("image/", "video/", "audio/")
_MOST_MEDIA = 10
_BROKEN = (ValueError, LookupError, TypeError, AttributeError, AssertionError, ArithmeticError, RecursionError, OSError)
"""What feedparser lets through of the parsers below it when a feed is nonsense."""


def entries(body: bytes, feed: str, seen_at: datetime) -> Iterator[Document]:
    """The entries of the feed at the address `feed`; one that does not say when it was published was when it was seen.

    Raises PostRejectedError where it is no feed.
    """
    try:
        read = feedparser.parse(BytesIO(body), response_headers={"content-location": feed})
        found = [_entry(entry, read.get("feed", {}), feed, seen_at) for entry in read.get("entries", [])]
    except _BROKEN as error:
        reason = "wrong_type"
        raise PostRejectedError(reason, str(error)) from error
    if not found and not read.get("version"):
        reason = "wrong_type"
        raise PostRejectedError(reason, "no feed")
    yield from found


def _entry(entry: Any, feed: Any, address: str, seen_at: datetime) -> Document:  # noqa: ANN401 -- feedparser's own dicts
    link = str(entry.get("link") or "")
    title = text_of(str(entry.get("title") or ""))
    told = str(entry.get("summary") or "") or next(
        (str(one.get("value") or "") for one in entry.get("content", [])), ""
    )
    summary = text_of(told)
    site = _site(link, entry, address)
    updated = entry.get("updated_parsed") if "updated_parsed" in entry else None  # asked for otherwise, it warns
    published = _time(entry.get("published_parsed")) or _time(updated) or seen_at
    return {
        "id": _key(str(entry.get("id") or ""), link, title, site),
        "platform": PLATFORM,
        "text": f"{title}\n{summary}" if title and summary and summary != title else title or summary,
        "created_at": published.isoformat(),
        "author": site,
        "lang": str(entry.get("language") or feed.get("language") or "") or None,
        "url": link or None,
        "media": _media(entry) or None,
    }


def _key(name: str, link: str, title: str, site: str) -> str:
    """The entry's own id, made different from those of other feeds where it is no address or other global name."""
    own = name or link or hashlib.sha1(title.encode("utf-8", "replace"), usedforsecurity=False).hexdigest()
    whole = own if ":" in own else f"{site}:{own}"
    return whole if len(whole) <= MAX_ID else hashlib.sha256(whole.encode("utf-8", "replace")).hexdigest()


def _site(link: str, entry: Any, address: str) -> str:  # noqa: ANN401 -- feedparser's own dicts
    """Who publishes it, as a host: where an aggregator names its source, that one."""
    source = entry.get("source")
    named = (str(source.get("href") or source.get("link") or "") if source else "", link, address)
    hosts = (_host(one) for one in named)
    return next((host for host in hosts if host), "unknown")[:MAX_ID]


def _host(address: str) -> str:
    try:
        return (urlsplit(address).hostname or "").removeprefix("www.")
    except ValueError:
        return ""


def _time(parsed: Any) -> datetime | None:  # noqa: ANN401 -- a struct_time in UTC, or nothing
    try:
        return datetime.fromtimestamp(timegm(parsed), UTC) if parsed else None
    except (ValueError, OverflowError, OSError):
        return None


def _media(entry: Any) -> list[dict[str, str]]:  # noqa: ANN401 -- feedparser's own dicts
    named = [*entry.get("enclosures", []), *entry.get("media_content", [])]
    pairs = [(str(one.get("href") or one.get("url") or ""), str(one.get("type") or "")) for one in named]
    return [{"url": url, "kind": kind} for url, kind in pairs if url and kind.startswith(_PICTURES)][:_MOST_MEDIA]
