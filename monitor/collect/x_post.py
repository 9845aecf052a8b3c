"""What X sends – a line of the stream, an answer of the search, of a look-up – as post/1 documents. Pure.

X has two vocabularies for the same things, an older one of tweets and retweets and a newer one of posts and reposts,
and nobody says which is sent: both are read. An edit has an id of its own; here a post keeps the id of its first
version, so an edit is told twice: as that post, for those who do not know it, and as its update.
"""

import re
from collections.abc import Iterator
from datetime import UTC, datetime

import msgspec
from msgspec import UNSET, Raw, Struct, UnsetType

from monitor.collect.news import Document, Found
from monitor.errors import PostRejectedError
from monitor.records import Op

PLATFORM = "x"
_LONGEST_ID = 20
_EPOCH_MS = 1_288_834_974_657
"""When the ids begin to count, in milliseconds since 1970."""
_RETOLD = re.compile(r"^RT @\w{1,30}: ")


class _Metrics(Struct, gc=False):
    retweet_count: int | None = None
    repost_count: int | None = None
    reply_count: int | None = None
    like_count: int | None = None
    impression_count: int | None = None


class _Reference(Struct, gc=False):
    type: str
    id: str


class _Note(Struct, gc=False):
    text: str | None = None


class _Post(Struct, gc=False):
    id: str
    text: str | None = None
    author_id: str | None = None
    conversation_id: str | None = None
    created_at: str | None = None
    lang: str | None = None
    edit_history_tweet_ids: list[str] | None = None
    edit_history_post_ids: list[str] | None = None
    referenced_tweets: list[_Reference] | None = None
    referenced_posts: list[_Reference] | None = None
    public_metrics: _Metrics | None = None
    note_tweet: _Note | None = None
    note_post: _Note | None = None


class _Followed(Struct, gc=False):
    followers_count: int | None = None


class _User(Struct, gc=False):
    id: str
    verified: bool | None = None
    created_at: str | None = None
    public_metrics: _Followed | None = None


class _Includes(Struct, gc=False):
    users: list[Raw] | None = None
    tweets: list[Raw] | None = None
    posts: list[Raw] | None = None


class _Answer(Struct):
    data: Raw | UnsetType = UNSET
    includes: _Includes | None = None


class _Trouble(Struct):
    type: str = ""
    title: str = ""


class _Problem(_Trouble):
    data: Raw | UnsetType = UNSET
    errors: list[_Trouble] | None = None


_OF_ONE_POST = frozenset({"resource-not-found", "not-authorized-for-resource"})
_PROBLEM = msgspec.json.Decoder(_Problem)
_ANSWER = msgspec.json.Decoder(_Answer)
_MANY = msgspec.json.Decoder(list[Raw])
_POST = msgspec.json.Decoder(_Post)
_USER = msgspec.json.Decoder(_User)
_WRONG = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)


def posts(body: bytes, of: str = "") -> Iterator[Found]:  # noqa: ARG001 -- a Reads
    """The posts of a line or an answer; none where it has no data."""
    try:
        answer = _ANSWER.decode(body)
        raw = _raw(answer)
    except _WRONG as error:
        reason = "not_json" if not body.lstrip().startswith(b"{") else "wrong_type"
        raise PostRejectedError(reason, str(error)) from error
    users = dict(_users(answer.includes))
    for one in raw:
        try:
            post = _POST.decode(one)
        except _WRONG as error:
            yield PostRejectedError("wrong_type", str(error))
            continue
        yield from _told(post, users.get(post.author_id or ""))


def bought(body: bytes) -> tuple[int, int]:
    """How many posts and users an answer holds, those that come along included: each costs; none where it is none."""
    try:
        answer = _ANSWER.decode(body)
        number = len(_raw(answer))
    except _WRONG:
        return 0, 0
    along = answer.includes or _Includes()
    return number + len(along.tweets or ()) + len(along.posts or ()), len(along.users or ())


def troubles(body: bytes) -> tuple[str, ...]:
    """What X complains of in an answer without data, as the last words of its problem types and titles.

    That posts that were asked for are gone, or not for us, is no complaint, also where none of them is left.
    """
    try:
        answer = _PROBLEM.decode(body)
    except _WRONG:
        return ()
    if answer.data is not UNSET:
        return ()
    said = [(one.type.rpartition("/")[2], one.title) for one in (answer, *(answer.errors or ()))]
    return tuple(dict.fromkeys(word for words in said if words[0] not in _OF_ONE_POST for word in words if word))


def newest(body: bytes) -> int:
    """The largest id of an answer's posts; 0 where it has none."""
    try:
        found = [_POST.decode(one).id for one in _raw(_ANSWER.decode(body))]
    except _WRONG:
        return 0
    return max((int(one) for one in found if one.isascii() and one.isdigit() and len(one) < _LONGEST_ID), default=0)


def _raw(answer: _Answer) -> list[Raw]:
    data = b"" if answer.data is UNSET else bytes(answer.data).strip()
    return _MANY.decode(data) if data.startswith(b"[") else [Raw(data)] if data not in {b"", b"null"} else []


def _users(includes: _Includes | None) -> Iterator[tuple[str, _User]]:
    for one in (includes.users or ()) if includes is not None else ():
        try:
            user = _USER.decode(one)
        except _WRONG:
            continue
        yield user.id, user


def _told(post: _Post, user: _User | None) -> Iterator[Document]:
    references = {one.type: one.id for one in (*(post.referenced_tweets or ()), *(post.referenced_posts or ()))}
    versions = post.edit_history_tweet_ids or post.edit_history_post_ids or [post.id]
    repost_of = references.get("retweeted") or references.get("reposted")
    document: Document = {
        "id": versions[0],
        "platform": PLATFORM,
        "text": _text(post, retold=repost_of is not None),
        "created_at": post.created_at,
        "author": post.author_id,
        "lang": post.lang,
        "reply_to": references.get("replied_to"),
        "repost_of": repost_of,
        "quote_of": references.get("quoted"),
        "root": post.conversation_id if post.conversation_id not in versions else None,
        "url": f"https://x.com/i/web/status/{post.id}" if post.id.isalnum() else None,
        **_counts(post.public_metrics),
        **_author(user),
    }
    yield document
    if len(versions) > 1:
        yield {**document, "op": Op.UPDATE.value}


def _text(post: _Post, *, retold: bool) -> str | None:
    """The whole text: long posts carry theirs in a note; a repost is cut and says whom it repeats."""
    whole = (post.note_tweet and post.note_tweet.text) or (post.note_post and post.note_post.text) or post.text
    return _RETOLD.sub("", whole) if whole and retold else whole


def _counts(metrics: _Metrics | None) -> Document:
    if metrics is None:
        return {}
    reposts = metrics.retweet_count if metrics.repost_count is None else metrics.repost_count
    counts = {"reposts": reposts, "likes": metrics.like_count, "replies": metrics.reply_count}
    counts |= {"views": metrics.impression_count}
    return {name: count for name, count in counts.items() if count is not None and count >= 0}


def _author(user: _User | None) -> Document:
    if user is None:
        return {}
    followers = user.public_metrics.followers_count if user.public_metrics is not None else None
    known = {"author_followers": followers, "author_created_at": user.created_at, "author_verified": user.verified}
    return {name: value for name, value in known.items() if value is not None}


class Next(Struct):
    """What a page of a search says of the next one."""

    next_token: str = ""
    oldest_id: str = ""


class _Paged(Struct):
    meta: Next = msgspec.field(default_factory=Next)


def paged(body: bytes) -> Next:
    """Where a search goes on, and how far back it has come."""
    try:
        return msgspec.json.decode(body, type=_Paged).meta
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return Next()


def time_of(post: int) -> datetime:
    """When a post was made, of its id."""
    return datetime.fromtimestamp(((post >> 22) + _EPOCH_MS) / 1000, UTC)


def id_at(at: datetime) -> int:
    """The smallest id of a time."""
    return max(0, round(at.timestamp() * 1000) - _EPOCH_MS) << 22
