"""What YouTube's interface sends – searches, videos, comment threads – as post/1 documents. Pure.

One reader takes all three, by the `kind` of each item. Numbers of videos come as strings, those of comments as numbers;
an item that YouTube leaves out, or fills with less than was asked for, is no mistake.
"""

from collections.abc import Iterator

import msgspec
from msgspec import Raw, Struct

from monitor.collect.html import text_of
from monitor.collect.news import Document, Found
from monitor.errors import PostRejectedError
from monitor.records import Op

PLATFORM = "youtube"
_WRONG = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)
_DIGITS = 15


class _Channel(Struct, gc=False):
    value: str | None = None


class _Snippet(Struct, gc=False):
    publishedAt: str | None = None  # noqa: N815 -- YouTube's
    channelId: str | None = None  # noqa: N815 -- YouTube's
    title: str | None = None
    description: str | None = None
    textOriginal: str | None = None  # noqa: N815 -- YouTube's
    textDisplay: str | None = None  # noqa: N815 -- YouTube's
    authorChannelId: _Channel | None = None  # noqa: N815 -- YouTube's
    likeCount: int | None = None  # noqa: N815 -- YouTube's
    defaultLanguage: str | None = None  # noqa: N815 -- YouTube's
    defaultAudioLanguage: str | None = None  # noqa: N815 -- YouTube's


class _Statistics(Struct, gc=False):
    viewCount: str | None = None  # noqa: N815 -- YouTube's
    likeCount: str | None = None  # noqa: N815 -- YouTube's
    commentCount: str | None = None  # noqa: N815 -- YouTube's


class _Kind(Struct, gc=False):
    kind: str


class _SearchId(Struct, gc=False):
    videoId: str | None = None  # noqa: N815 -- YouTube's


class _Found(Struct, gc=False):
    id: _SearchId
    snippet: _Snippet


class _Video(Struct, gc=False):
    id: str
    snippet: _Snippet | None = None
    statistics: _Statistics | None = None


class _Comment(Struct, gc=False):
    id: str
    snippet: _Snippet


class _ThreadSnippet(Struct, gc=False):
    videoId: str  # noqa: N815 -- YouTube's
    topLevelComment: _Comment  # noqa: N815 -- YouTube's
    totalReplyCount: int | None = None  # noqa: N815 -- YouTube's


class _Thread(Struct, gc=False):
    snippet: _ThreadSnippet


class _Answer(Struct, gc=False):
    items: list[Raw] = []
    nextPageToken: str = ""  # noqa: N815 -- YouTube's


class _Reason(Struct, gc=False):
    reason: str = ""


class _Trouble(Struct, gc=False):
    errors: list[_Reason] = []
    message: str = ""


class _Refused(Struct, gc=False):
    error: _Trouble


def items(body: bytes, of: str = "") -> Iterator[Found]:  # noqa: ARG001 -- a Reads
    """The videos and comments of an answer."""
    for raw in answer(body).items:
        try:
            kind = msgspec.json.decode(raw, type=_Kind).kind
            if kind == "youtube#searchResult":
                yield from _found(msgspec.json.decode(raw, type=_Found))
            elif kind == "youtube#video":
                yield _video(msgspec.json.decode(raw, type=_Video))
            elif kind == "youtube#commentThread":
                yield _comment(msgspec.json.decode(raw, type=_Thread).snippet)
        except _WRONG as error:
            yield PostRejectedError("wrong_type", str(error))


def answer(body: bytes) -> _Answer:
    """An answer's items and where it goes on; raises PostRejectedError where it is none."""
    try:
        return msgspec.json.decode(body, type=_Answer)
    except _WRONG as error:
        reason = "wrong_type"
        raise PostRejectedError(reason, str(error)) from error


def reasons(body: bytes) -> set[str]:
    """Why YouTube refuses, in its own words."""
    try:
        return {one.reason for one in msgspec.json.decode(body, type=_Refused).error.errors}
    except _WRONG:
        return set()


def _found(result: _Found) -> Iterator[Document]:
    video = result.id.videoId
    if video:
        yield _of_video(video, result.snippet, unescaped=False)


def _video(video: _Video) -> Document:
    """With its numbers; without a snippet only them."""
    said = video.statistics or _Statistics()
    counts = {"views": _number(said.viewCount), "likes": _number(said.likeCount), "replies": _number(said.commentCount)}
    known = {name: count for name, count in counts.items() if count is not None}
    if video.snippet is None:
        return {"id": video.id, "platform": PLATFORM, "op": Op.COUNTS.value, **known}
    return _of_video(video.id, video.snippet, unescaped=True) | known


def _of_video(video: str, snippet: _Snippet, *, unescaped: bool) -> Document:
    """Titles of a search come escaped as HTML, those of a look-up do not."""
    title, about = snippet.title or "", snippet.description or ""
    if not unescaped:
        title, about = text_of(title), text_of(about)
    return {
        "id": video,
        "platform": PLATFORM,
        "text": f"{title}\n{about}" if title and about else title or about,
        "created_at": snippet.publishedAt,
        "author": snippet.channelId,
        "lang": snippet.defaultAudioLanguage or snippet.defaultLanguage,
        "url": f"https://www.youtube.com/watch?v={video}",
    }


def _comment(thread: _ThreadSnippet) -> Document:
    comment = thread.topLevelComment
    said, video = comment.snippet, thread.videoId
    counts = {"likes": said.likeCount, "replies": thread.totalReplyCount}
    return {
        "id": comment.id,
        "platform": PLATFORM,
        "text": text_of(said.textDisplay or "") if said.textOriginal is None else said.textOriginal,
        "created_at": said.publishedAt,
        "author": said.authorChannelId.value if said.authorChannelId is not None else None,
        "reply_to": video,
        "root": video,
        "url": f"https://www.youtube.com/watch?v={video}&lc={comment.id}",
        **{name: count for name, count in counts.items() if count is not None and count >= 0},
    }


def _number(text: str | None) -> int | None:
    return int(text) if text and text.isascii() and text.isdigit() and len(text) <= _DIGITS else None
