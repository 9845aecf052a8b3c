"""Reddit's listings → posts and comments as post/1 documents. Pure.

What its author or a moderator has deleted comes as a shell, `[deleted]` or `[removed]`: that is told as a delete, as
Reddit's terms ask, and so is what remains of an account that was deleted.
"""

from collections.abc import Iterator
from datetime import UTC, datetime

import msgspec
from msgspec import Raw, Struct

from monitor.collect.news import Document, Found
from monitor.errors import PostRejectedError
from monitor.records import Op

PLATFORM = "reddit"
_SHELLS = frozenset({"[deleted]", "[removed]", "[ Removed by Reddit ]", "[deleted by user]"})
_COMMENT = "t1"
_POST = "t3"
_WRONG = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)


class _Thing(Struct, gc=False):
    name: str
    created_utc: float
    author: str | None = None
    title: str | None = None
    selftext: str | None = None
    body: str | None = None
    permalink: str | None = None
    parent_id: str | None = None
    link_id: str | None = None
    link_title: str | None = None
    crosspost_parent: str | None = None
    removed_by_category: str | None = None
    score: float | None = None
    num_comments: float | None = None
    num_crossposts: float | None = None


class _Child(Struct, gc=False):
    kind: str
    data: Raw


class _Children(Struct, gc=False):
    children: list[Raw]
    after: str | None = None


class _Listing(Struct, gc=False):
    data: _Children
    kind: str = ""


_LISTING = msgspec.json.Decoder(_Listing)
_ONE = msgspec.json.Decoder(_Child)
_DATA = msgspec.json.Decoder(_Thing)


def things(body: bytes, of: str = "") -> Iterator[Found]:  # noqa: ARG001 -- a Reads
    """The posts and comments of a listing."""
    for raw in _listing(body).data.children:
        try:
            child = _ONE.decode(raw)
            if child.kind in {_POST, _COMMENT}:
                yield _told(_DATA.decode(child.data))
        except _WRONG as error:
            yield PostRejectedError("wrong_type", str(error))


def after(body: bytes) -> str:
    """Where the listing goes on; "" at its end."""
    return _listing(body).data.after or ""


def _listing(body: bytes) -> _Listing:
    try:
        return _LISTING.decode(body)
    except _WRONG as error:
        reason = "wrong_type"
        raise PostRejectedError(reason, str(error)) from error


def _told(thing: _Thing) -> Document:
    said = (thing.selftext or "") if thing.body is None else thing.body
    if said in _SHELLS or thing.author in _SHELLS or (thing.title or "") in _SHELLS or thing.removed_by_category:
        return {"id": thing.name, "platform": PLATFORM, "op": Op.DELETE.value}
    counts = {"likes": thing.score, "replies": thing.num_comments, "reposts": thing.num_crossposts}
    return {
        "id": thing.name,
        "platform": PLATFORM,
        "text": f"{thing.title}\n{said}" if thing.title and said else thing.title or said,
        "created_at": _time(thing.created_utc),
        "author": thing.author,
        "reply_to": thing.parent_id,
        "root": thing.link_id,
        "parent_text": thing.link_title if thing.parent_id and thing.parent_id == thing.link_id else None,
        "quote_of": thing.crosspost_parent,
        "url": f"https://www.reddit.com{thing.permalink}" if (thing.permalink or "").startswith("/") else None,
        **{name: int(count) for name, count in counts.items() if count is not None and 0 <= count < _MOST},
    }


_MOST = 2**53


def _time(seconds: float) -> str | None:
    try:
        return datetime.fromtimestamp(seconds, UTC).isoformat()
    except (ValueError, OverflowError, OSError):
        return None
