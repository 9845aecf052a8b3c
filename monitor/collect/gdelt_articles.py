"""GDELT's lists of articles → articles as post/1 documents. Pure."""

import hashlib
from collections.abc import Iterator
from datetime import UTC, datetime

import msgspec
from msgspec import Raw, Struct

from monitor.collect.html import text_of
from monitor.collect.news import Document, Found
from monitor.collect.post1 import MAX_ID
from monitor.errors import PostRejectedError

PLATFORM = "gdelt"
_WRONG = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)


class _Article(Struct, gc=False):
    url: str
    title: str
    seendate: str
    domain: str | None = None
    socialimage: str | None = None


class _Articles(Struct, gc=False):
    articles: list[Raw] = []


def articles(body: bytes, of: str = "") -> Iterator[Found]:  # noqa: ARG001 -- a Reads
    """The articles of an answer; none where GDELT found none, which it says by an empty object."""
    try:
        found = msgspec.json.decode(body, type=_Articles).articles
    except _WRONG as error:
        reason = "wrong_type"
        raise PostRejectedError(reason, str(error)) from error
    for raw in found:
        try:
            yield _told(msgspec.json.decode(raw, type=_Article))
        except _WRONG as error:
            yield PostRejectedError("wrong_type", str(error))


def _told(article: _Article) -> Document:
    """GDELT tells when it saw an article, not when that was published: the later of the two."""
    short = len(article.url) <= MAX_ID
    picture = article.socialimage or ""
    return {
        "id": article.url if short else hashlib.sha256(article.url.encode("utf-8", "replace")).hexdigest(),
        "platform": PLATFORM,
        "text": text_of(article.title),
        "created_at": _time(article.seendate),
        "author": article.domain,
        "url": article.url,
        "media": [{"url": picture, "kind": "image"}] if picture.startswith("https://") else None,
    }


def _time(text: str) -> str:
    """`20261123T121500Z` as an RFC 3339 time; anything else as it is, which no one can read."""
    try:
        return datetime.strptime(text, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC).isoformat()
    except ValueError:
        return text
