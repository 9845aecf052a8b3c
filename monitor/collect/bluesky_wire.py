"""What Jetstream sends, in both of its versions, as events; and what a batch of events says as post/1 documents.

Version 1 sends events as they are, version 2 wraps them and may end with an error. Between the raw lines of a payload
stand lines of our own, made while they came (`bluesky_fold.py`): the counts of likes, reposts and replies, and the
posts of accounts that are gone.
"""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

import msgspec
from msgspec import Struct, field

from monitor.collect.claims import Count, posted
from monitor.errors import PostRejectedError

PLATFORM = "bluesky"
POST, REPOST, LIKE = "app.bsky.feed.post", "app.bsky.feed.repost", "app.bsky.feed.like"
OUTDATED = "OutdatedCursor"
_V2 = "network.bsky.jetstream.subscribeEvents#"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class _Ref(Struct, gc=False):
    uri: str


class _Quoted(Struct, gc=False):
    uri: str | None = None
    record: _Ref | None = None


class _Embed(Struct, gc=False):
    record: _Quoted | None = None


class _Reply(Struct, gc=False):
    root: _Ref | None = None
    parent: _Ref | None = None


class Record(Struct, rename="camel", gc=False):
    """What of a post, repost or like is of use."""

    text: str = ""
    created_at: str = ""
    langs: list[str] | None = None
    reply: _Reply | None = None
    embed: _Embed | None = None
    subject: _Ref | None = None

    @property
    def quoted(self) -> str | None:
        """The address of the post that it quotes."""
        quote = self.embed.record if self.embed is not None else None
        if quote is None:
            return None
        return quote.record.uri if quote.record is not None else quote.uri


class _Commit(Struct, gc=False):
    operation: str
    collection: str
    rkey: str
    rev: str = ""
    record: Record | None = None


class _Account(Struct, gc=False):
    active: bool = True


class _Payload(Struct, gc=False):
    type: str = field(name="$type", default="")
    seq: int | None = None
    did: str = ""
    time: str = ""
    rev: str = ""
    operation: str = ""
    collection: str = ""
    rkey: str = ""
    record: Record | None = None
    account: _Account | None = None
    name: str = ""
    message: str = ""


class Fold(Struct, omit_defaults=True):
    """A line of our own: what events said of posts that came before them."""

    counts: list[tuple[str, Count, Count, Count]] = []
    """Address of a post, and its likes, reposts and replies by now."""
    gone: list[str] = []
    """Addresses of posts whose account was deleted or suspended."""


class _Line(Struct, gc=False):
    did: str = ""
    time_us: int | None = None
    kind: str = ""
    commit: _Commit | None = None
    account: _Account | None = None
    cursor: int | None = None
    type: str = field(name="$type", default="")
    payload: _Payload | None = None
    error: str = ""
    message: str = ""
    fold: Fold | None = None


_LINE = msgspec.json.Decoder(_Line)


class Event(NamedTuple):
    """One event, whichever version sent it."""

    kind: str
    """`commit`, `account`, `identity`, `sync`, `info`, `error` – or `fold`, or what the future brings."""
    did: str = ""
    at: datetime = _EPOCH
    """When the server saw it."""
    seq: int | None = None
    commit: _Commit | None = None
    active: bool = True
    said: str = ""
    """Name and message of an `info` or `error`."""
    fold: Fold | None = None

    @property
    def uri(self) -> str:
        """The address of the record that a commit is about."""
        return f"at://{self.did}/{self.commit.collection}/{self.commit.rkey}" if self.commit is not None else ""


def event(line: bytes) -> Event:
    """One line; raises PostRejectedError where it is none."""
    try:
        read = _LINE.decode(line)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise PostRejectedError(_reason(line), str(error)) from error
    if read.fold is not None:
        return Event("fold", fold=read.fold)
    if read.type == "error":
        return Event("error", said=f"{read.error}: {read.message}")
    payload = read.payload
    if payload is None:
        if read.time_us is None:
            reason = "missing_field"
            raise PostRejectedError(reason, "time_us")
        active = read.account is None or read.account.active
        return Event(read.kind, read.did, _at(read.time_us), read.cursor, read.commit, active)
    kind = payload.type.removeprefix(_V2)
    if kind == "info":
        return Event(kind, said=f"{payload.name}: {payload.message}")
    commit = None
    if kind == "commit":
        commit = _Commit(payload.operation, payload.collection, payload.rkey, payload.rev, payload.record)
    active = payload.account is None or payload.account.active
    return Event(kind, payload.did, _time(payload.time), payload.seq, commit, active)


def documents(body: bytes, web: str) -> Iterator[Mapping[str, Any] | PostRejectedError]:
    """The post/1 documents of a payload, or why a line is none; addresses for people begin with `web`."""
    for line in body.split(b"\n"):
        if not line.strip():
            continue
        try:
            yield from _documents(event(line), web)
        except PostRejectedError as error:
            yield error


def _documents(told: Event, web: str) -> Iterator[Mapping[str, Any]]:
    if told.fold is not None:
        for uri, likes, reposts, replies in told.fold.counts:
            counts = {"likes": likes, "reposts": reposts, "replies": replies}
            yield {"id": uri, "platform": PLATFORM, "op": "counts", **counts}
        for uri in told.fold.gone:
            yield {"id": uri, "platform": PLATFORM, "op": "delete"}
        return
    commit = told.commit
    if told.kind != "commit" or commit is None or commit.collection not in {POST, REPOST}:
        return
    if commit.operation == "delete":
        yield {"id": told.uri, "platform": PLATFORM, "op": "delete"}
        return
    record = commit.record
    if record is None or commit.operation not in {"create", "update"}:
        reason = "missing_field" if record is None else "unknown_op"
        raise PostRejectedError(reason)
    if commit.collection == REPOST:
        if record.subject is None:
            reason = "missing_field"
            raise PostRejectedError(reason, "subject")
        yield _written(told, record) | {"text": "", "repost_of": record.subject.uri}
        return
    reply = record.reply or _Reply()
    yield _written(told, record) | {
        "op": commit.operation,
        "text": record.text,
        "lang": record.langs[0] if record.langs else None,
        "reply_to": reply.parent.uri if reply.parent is not None else None,
        "root": reply.root.uri if reply.root is not None else None,
        "quote_of": record.quoted,
        "url": f"{web}/profile/{told.did}/post/{commit.rkey}",
    }


def _written(told: Event, record: Record) -> dict[str, Any]:
    posted_at = posted(record.created_at, told.at)
    return {"id": told.uri, "platform": PLATFORM, "author": told.did, "created_at": posted_at.isoformat()}


def microseconds(at: datetime) -> int:
    """A time as version 1 spells it."""
    return (at - _EPOCH) // timedelta(microseconds=1)


def _at(microseconds: int) -> datetime:
    try:
        return _EPOCH + timedelta(microseconds=microseconds)
    except OverflowError as error:
        reason = "bad_time"
        raise PostRejectedError(reason) from error


def _time(text: str) -> datetime:
    try:
        found = datetime.fromisoformat(text)
    except ValueError as error:
        reason = "bad_time"
        raise PostRejectedError(reason) from error
    return found if found.tzinfo is not None else found.replace(tzinfo=UTC)


def _reason(line: bytes) -> str:
    """Why a line is no event, as one of REJECTIONS."""
    try:
        document: object = msgspec.json.decode(line)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return "not_json"
    return "wrong_type" if isinstance(document, dict) else "not_an_object"
