"""What Jetstream sends, in both of its versions, as events.

Version 1 sends events as they are, version 2 wraps them and may end with an error. Between the raw lines of a payload
stand lines of our own, made while they came (`bluesky_fold.py`): the counts of likes, reposts and replies, and the
posts of accounts that are gone; and the posts of a search, as the search shows them (`bluesky_search.py`).
"""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

import msgspec
from msgspec import Struct, field

from monitor.collect.claims import Count
from monitor.errors import PostRejectedError

PLATFORM = "bluesky"
POST, REPOST, LIKE = "app.bsky.feed.post", "app.bsky.feed.repost", "app.bsky.feed.like"
OUTDATED = "OutdatedCursor"
_V2 = "network.bsky.jetstream.subscribeEvents#"
_PASSING = frozenset({"desynchronized", "throttled"})
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class _Ref(Struct, gc=False):
    uri: str


class _Quoted(Struct, gc=False):
    uri: str | None = None
    record: _Ref | None = None


class _Embed(Struct, gc=False):
    record: _Quoted | None = None


class Reply(Struct, gc=False):
    """What a post answers."""

    root: _Ref | None = None
    parent: _Ref | None = None


class Record(Struct, rename="camel", gc=False):
    """What of a post, repost or like is of use."""

    text: str = ""
    created_at: str = ""
    langs: list[str] | None = None
    reply: Reply | None = None
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


class Account(Struct, gc=False):
    """How an account stands."""

    active: bool = True
    status: str = ""

    @property
    def gone(self) -> bool:
        """Whether its posts are to be seen no more; where only its server limps, they are."""
        return not self.active and self.status not in _PASSING


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
    account: Account | None = None
    name: str = ""
    message: str = ""


class _Author(Struct, gc=False):
    did: str


class View(Struct, rename="camel", gc=False):
    """A post as the search shows it."""

    uri: str
    author: _Author
    record: Record
    indexed_at: str = ""
    like_count: Count = 0
    repost_count: Count = 0
    reply_count: Count = 0


class Fold(Struct, omit_defaults=True):
    """A line of our own: what events said of posts that came before them."""

    counts: list[tuple[str, Count, Count, Count]] = []
    """Address of a post, and its likes, reposts and replies by now."""
    gone: list[str] = []
    """Addresses of posts whose account was deleted or suspended, as far as they are remembered."""
    accounts: list[str] = []
    """Accounts that were deleted or suspended."""


class _Line(Struct, gc=False):
    did: str = ""
    time_us: int | None = None
    kind: str = ""
    commit: _Commit | None = None
    account: Account | None = None
    cursor: int | None = None
    type: str = field(name="$type", default="")
    payload: _Payload | None = None
    error: str = ""
    message: str = ""
    fold: Fold | None = None
    posts: list[msgspec.Raw] | None = None


_LINE = msgspec.json.Decoder(_Line)


class Event(NamedTuple):
    """One event, whichever version sent it."""

    kind: str
    """`commit`, `account`, `identity`, `sync`, `info`, `error` – or `fold`, `found`, or what the future brings."""
    did: str = ""
    at: datetime = _EPOCH
    """When the server saw it."""
    seq: int | None = None
    commit: _Commit | None = None
    account: Account | None = None
    said: str = ""
    """Name and message of an `info` or `error`."""
    fold: Fold | None = None
    posts: Sequence[bytes] = ()
    """Posts as a search shows them."""

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
    if read.posts is not None:
        return Event("found", posts=tuple(map(bytes, read.posts)))
    if read.type == "error":
        return Event("error", said=f"{read.error}: {read.message}")
    payload = read.payload
    if payload is None:
        if read.time_us is None:
            reason = "missing_field"
            raise PostRejectedError(reason, "time_us")
        return Event(read.kind, read.did, _at(read.time_us), read.cursor, read.commit, read.account)
    kind = payload.type.removeprefix(_V2)
    if kind == "info":
        return Event(kind, said=f"{payload.name}: {payload.message}")
    commit = None
    if kind == "commit":
        commit = _Commit(payload.operation, payload.collection, payload.rkey, payload.rev, payload.record)
    return Event(kind, payload.did, time_of(payload.time), payload.seq, commit, payload.account)


def microseconds(at: datetime) -> int:
    """A time as version 1 spells it."""
    return (at - _EPOCH) // timedelta(microseconds=1)


def _at(microseconds: int) -> datetime:
    try:
        return _EPOCH + timedelta(microseconds=microseconds)
    except OverflowError as error:
        reason = "bad_time"
        raise PostRejectedError(reason) from error


def time_of(text: str) -> datetime:
    """A time as version 2 spells it; raises PostRejectedError."""
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
