"""What a payload of Bluesky's events says, as post/1 documents and accounts that are gone. Pure."""

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from monitor.collect.bluesky_wire import PLATFORM, POST, REPOST, Event, Record, Reply, View, event, time_of
from monitor.collect.claims import posted
from monitor.collect.parsed import Gone
from monitor.collect.post1 import MAX_ID
from monitor.errors import PostRejectedError

_VIEW = msgspec.json.Decoder(View)


Told = Mapping[str, Any] | PostRejectedError | Gone
"""A post/1 document, why a line is none, or an account that is gone."""


def documents(body: bytes, web: str) -> Iterator[Told]:
    """What a payload says; addresses for people begin with `web`."""
    for line in body.split(b"\n"):
        if not line.strip():
            continue
        try:
            yield from _documents(event(line), web)
        except PostRejectedError as error:
            yield error


def _documents(told: Event, web: str) -> Iterator[Told]:
    if told.kind == "found":
        yield from (_found(one, web) for one in told.posts)
        return
    if told.fold is not None:
        for uri, likes, reposts, replies in told.fold.counts:
            counts = {"likes": likes, "reposts": reposts, "replies": replies}
            yield {"id": uri, "platform": PLATFORM, "op": "counts", **counts}
        for uri in told.fold.gone:
            yield {"id": uri, "platform": PLATFORM, "op": "delete"}
        yield from map(_gone, told.fold.accounts)
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
    yield _written(told, record) | {"op": commit.operation} | _said(record, told.uri, web)


def _gone(did: str) -> Gone | PostRejectedError:
    """An account that is gone, if a post could name it as its author."""
    if "\0" in did:
        return PostRejectedError("wrong_type", "did")
    return Gone(PLATFORM, did) if len(did) <= MAX_ID else PostRejectedError("over_size", "did")


def _found(raw: bytes, web: str) -> Mapping[str, Any] | PostRejectedError:
    """A post that was searched for, with its counts."""
    try:
        view = _VIEW.decode(raw)
        seen = time_of(view.indexed_at)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        return PostRejectedError("wrong_type", str(error))
    except PostRejectedError as error:
        return error
    counts = {"likes": view.like_count, "reposts": view.repost_count, "replies": view.reply_count}
    return {
        "id": view.uri,
        "platform": PLATFORM,
        "author": view.author.did,
        "created_at": posted(view.record.created_at, seen).isoformat(),
        **{name: max(0, count) for name, count in counts.items()},
        **_said(view.record, view.uri, web),
    }


def _said(record: Record, uri: str, web: str) -> dict[str, Any]:
    """What a post says, and what it is about."""
    reply = record.reply or Reply()
    did, _, rkey = uri.removeprefix("at://").partition(f"/{POST}/")
    return {
        "text": record.text,
        "lang": record.langs[0] if record.langs else None,
        "reply_to": reply.parent.uri if reply.parent is not None else None,
        "root": reply.root.uri if reply.root is not None else None,
        "quote_of": record.quoted,
        "url": f"{web}/profile/{did}/post/{rkey}",
    }


def _written(told: Event, record: Record) -> dict[str, Any]:
    posted_at = posted(record.created_at, told.at)
    return {"id": told.uri, "platform": PLATFORM, "author": told.did, "created_at": posted_at.isoformat()}
