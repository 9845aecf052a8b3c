"""Messages as Telegram's own protocol has them, written down as JSON → post/1 documents. Pure.

The protocol is binary; what is kept of a message is an object of its own, so that it can be recorded and played back.
"""

from collections.abc import Iterator

import msgspec
from msgspec import Raw, Struct

from monitor.collect.news import Document, Found
from monitor.collect.telegram_page import PLATFORM, messages
from monitor.errors import PostRejectedError

_WRONG = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)


class Sent(Struct, omit_defaults=True, gc=False):
    """A message of a channel."""

    channel: str
    number: int
    at: str
    """When it was sent, in ISO 8601."""
    text: str = ""
    views: int | None = None
    forwards: int | None = None
    replies: int | None = None
    reactions: int | None = None
    answers: int | None = None
    """The number of the message in the same channel that it answers."""
    forwarded: str | None = None
    """Channel and number of the message that it repeats, as in `harbour_news/17`."""
    edited: bool = False


def written(sent: list[Sent]) -> bytes:
    """Messages as one payload."""
    return msgspec.json.encode(sent)


def document(sent: Sent) -> Document:
    """A message as a post."""
    name = f"{sent.channel}/{sent.number}"
    counts = {"views": sent.views, "reposts": sent.forwards, "replies": sent.replies, "likes": sent.reactions}
    return {
        "id": name,
        "platform": PLATFORM,
        "text": sent.text,
        "created_at": sent.at,
        "author": sent.channel,
        "reply_to": f"{sent.channel}/{sent.answers}" if sent.answers is not None else None,
        "repost_of": sent.forwarded,
        "url": f"https://t.me/{name}",
        **{name: count for name, count in counts.items() if count is not None and 0 <= count < _MOST},
    }


_MOST = 2**53


def read(body: bytes, channel: str) -> Iterator[Found]:
    """The messages of a payload, whichever way Telegram was read: a page of the web preview, or JSON."""
    if not body.lstrip().startswith(b"["):
        yield from messages(body, channel)
        return
    try:
        found = msgspec.json.decode(body, type=list[Raw])
    except _WRONG as error:
        reason = "not_json"
        raise PostRejectedError(reason, str(error)) from error
    for raw in found:
        try:
            yield document(msgspec.json.decode(raw, type=Sent))
        except _WRONG as error:
            yield PostRejectedError("wrong_type", str(error))
