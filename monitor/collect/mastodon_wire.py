"""What a Mastodon server sends – events of its stream, pages of its timelines – as post/1 documents.

A post is known by its `uri`, which is the same on every server; ids are a server's own. A payload is raw lines, each an
event or a page (a JSON list of statuses), behind a line of our own that says which ids are which addresses.
"""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import msgspec
from msgspec import Struct

from monitor.collect.claims import Count, known_time, posted
from monitor.collect.html import text_of
from monitor.collect.parsed import Unnamed
from monitor.collect.post1 import MAX_TEXT
from monitor.errors import PostRejectedError

PLATFORM = "mastodon"
_COUNTED = ("id", "platform", "author_followers", "replies", "reposts", "likes")
_VISIBLE = frozenset({"public", "unlisted"})
_KINDS = {"image": "image", "gifv": "video", "video": "video", "audio": "audio"}


class _Account(Struct, gc=False):
    acct: str
    followers_count: Count | None = None
    created_at: str | None = None


class _Media(Struct, gc=False):
    type: str = ""
    url: str | None = None


class _Reblogged(Struct, gc=False):
    uri: str


class _Quote(Struct, gc=False):
    quoted_status: _Reblogged | None = None


class Status(Struct, gc=False):
    """What of a status is of use."""

    id: str
    uri: str
    account: _Account
    created_at: str = ""
    edited_at: str | None = None
    content: str = ""
    spoiler_text: str = ""
    visibility: str = "public"
    language: str | None = None
    in_reply_to_id: str | None = None
    url: str | None = None
    replies_count: Count = 0
    reblogs_count: Count = 0
    favourites_count: Count = 0
    reblog: _Reblogged | None = None
    quote: _Quote | None = None
    media_attachments: list[_Media] = []


class Event(Struct, gc=False):
    """A message of the stream; its payload is JSON once more, or an id."""

    event: str = ""
    payload: str = ""
    stream: list[str] = []
    error: str = ""


class Own(Struct, omit_defaults=True):
    """What the collector knows that the raw lines do not say."""

    uris: dict[str, str] = {}
    """Id → address, of posts that others answer."""
    gone: list[str] = []
    """Addresses of posts that were deleted."""
    unnamed: list[str] = []
    """Ids of posts that were deleted and whose addresses are not known any more."""
    counted: list[str] = []
    """Addresses of posts that are read again: what is said of them are counts, and an edit if there was one."""


class _Owned(Struct):
    own: Own | None = None


_STATUS = msgspec.json.Decoder(Status)
_PAGE = msgspec.json.Decoder(list[msgspec.Raw])
_EVENT = msgspec.json.Decoder(Event)
_OWN = msgspec.json.Decoder(_Owned)
_MARK = b'{"own":'


def owned(own: Own) -> bytes:
    """The line of our own."""
    return msgspec.json.encode(_Owned(own))


def status(document: bytes | str) -> Status:
    """One status; raises PostRejectedError."""
    try:
        return _STATUS.decode(document)
    except (msgspec.MsgspecError, UnicodeError, RecursionError) as error:
        raise PostRejectedError(_reason(document), str(error)) from error


def page(document: bytes) -> list[bytes]:
    """The statuses of a page, as they are; raises PostRejectedError."""
    try:
        return [bytes(one) for one in _PAGE.decode(document)]
    except (msgspec.MsgspecError, UnicodeError, RecursionError) as error:
        raise PostRejectedError(_reason(document), str(error)) from error


class Found(NamedTuple):
    """A status, and the line that it is in."""

    line: bytes
    status: Status


def found_in(answer: bytes) -> list[Found]:
    """The statuses of a page that are of use, the oldest first, each a line of its own; raises PostRejectedError.

    One that is not understood is left out, a page full of them is refused.
    """
    found: list[Found] = []
    why: PostRejectedError | None = None
    for one in page(answer):
        try:
            found.append(Found(b"[" + one.replace(b"\n", b" ") + b"]", status(one)))
        except PostRejectedError as error:
            why = error
    if why is not None and not found:
        raise why
    return sorted(found, key=lambda one: (len(one.status.id), one.status.id))


def event(line: bytes) -> Event:
    """One message of the stream; raises PostRejectedError."""
    try:
        return _EVENT.decode(line)
    except (msgspec.MsgspecError, UnicodeError, RecursionError) as error:
        raise PostRejectedError(_reason(line), str(error)) from error


Told = Mapping[str, Any] | PostRejectedError | Unnamed
"""A post/1 document, with the server's own id of it as `local`; why it is none; or a deletion that names no post."""


def documents(body: bytes, instance: str, seen_at: datetime) -> Iterator[Told]:
    """What a payload of the server `instance` says."""
    own = Own()
    for line in body.split(b"\n"):
        if not line.strip():
            continue
        try:
            if line.startswith(_MARK):
                own = _own(line)
                yield from ({"id": uri, "platform": PLATFORM, "op": "delete"} for uri in own.gone)
                yield from map(Unnamed, own.unnamed)
            elif line.lstrip().startswith(b"["):
                for one in page(line):
                    yield from _read(one, "create", own, instance, seen_at)
            else:
                told = event(line)
                if told.event in {"update", "status.update"}:
                    op = "create" if told.event == "update" else "update"
                    yield from _read(told.payload, op, own, instance, seen_at)
        except PostRejectedError as error:
            yield error


def _read(
    one: bytes | str, op: str, own: Own, instance: str, seen_at: datetime
) -> Iterator[Mapping[str, Any] | PostRejectedError]:
    try:
        found = status(one)
    except PostRejectedError as error:
        yield error
        return
    if found.visibility not in _VISIBLE:
        return
    again = found.uri in own.counted
    document = _document(found, "update" if again else op, own, instance, seen_at)
    if again and found.edited_at is None:
        document = {name: document[name] for name in _COUNTED} | {"op": "counts"}
    yield document


def _document(found: Status, op: str, own: Own, instance: str, seen_at: datetime) -> Mapping[str, Any]:
    account = found.account
    media = [
        {"url": one.url, "kind": _KINDS.get(one.type, "file"), "sha256": None}
        for one in found.media_attachments
        if one.url is not None
    ]
    quoted = found.quote.quoted_status if found.quote is not None else None
    return {
        "id": found.uri,
        "local": found.id,
        "platform": PLATFORM,
        "op": op,
        "text": "" if found.reblog is not None else said(found),
        "created_at": posted(found.created_at, seen_at).isoformat(),
        "author": account.acct if "@" in account.acct else f"{account.acct}@{host(instance)}",
        "author_followers": max(0, account.followers_count or 0),
        "author_created_at": known_time(account.created_at),
        "lang": found.language,
        "reply_to": own.uris.get(found.in_reply_to_id) if found.in_reply_to_id is not None else None,
        "repost_of": found.reblog.uri if found.reblog is not None else None,
        "quote_of": quoted.uri if quoted is not None else None,
        "replies": max(0, found.replies_count),
        "reposts": max(0, found.reblogs_count),
        "likes": max(0, found.favourites_count),
        "url": found.url,
        "media": msgspec.json.encode(media).decode() if media else None,
    }


def said(found: Status) -> str:
    """The text that people read, behind the warning that they read before it."""
    text = text_of(found.content)
    return (f"{found.spoiler_text}\n{text}" if found.spoiler_text else text)[:MAX_TEXT]


def host(address: str) -> str:
    """The name of a server, of its address."""
    try:
        return urlsplit(address).hostname or ""
    except ValueError:
        return ""


def _own(line: bytes) -> Own:
    try:
        return _OWN.decode(line).own or Own()
    except (msgspec.MsgspecError, UnicodeError, RecursionError) as error:
        reason = "wrong_type"
        raise PostRejectedError(reason, str(error)) from error


def _reason(document: bytes | str) -> str:
    """Why a document is none, as one of REJECTIONS."""
    try:
        found: object = msgspec.json.decode(document)
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        return "not_json"
    if not isinstance(found, dict):
        return "not_an_object"
    return "missing_field" if not {"id", "uri", "account"} <= found.keys() and "event" not in found else "wrong_type"
