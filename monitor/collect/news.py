"""What a poll's answer holds that is new: the answer as it came, behind one line that says which of its posts are news.

A platform that is polled says the same again and again. The collector finds out what changed and frames the answer with
that line; `parsed` makes post/1 documents of the news and of nothing else. An answer without the line is all news, so
that answers recorded elsewhere can be played back too. The line without an answer moves the resume point, and is all.
"""

import zlib
from collections import Counter, OrderedDict
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

import msgspec
from msgspec import Struct

from monitor.collect import post1
from monitor.collect.parsed import Parsed
from monitor.collect.post1 import MAX_TEXT
from monitor.errors import PostRejectedError
from monitor.records import Op

_BEGIN = b'{"news":'
_COUNTS = ("author_followers", "reposts", "likes", "replies", "views")
_REMEMBERED = 2_000
_SAVED = 150
"""Posts of each part of a source that are known after a restart."""

Document = dict[str, Any]
"""A post/1 document of op create."""
Found = Document | PostRejectedError
Reads = Callable[[bytes, str], Iterable[Found]]
"""An answer, and which part of the source it is of → its posts; raises PostRejectedError where it is none at all."""


class News(Struct, frozen=True, omit_defaults=True):
    """What of an answer is new, by the posts' ids."""

    of: str = ""
    """Which part of the source it is an answer of: a feed's address, a channel, an event."""
    fresh: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    """Known, with another text."""
    counted: tuple[str, ...] = ()
    """Known, with other counts."""
    gone: tuple[str, ...] = ()
    """Known, and deleted."""

    def __bool__(self) -> bool:
        """Whether there is any."""
        return bool(self.fresh or self.changed or self.counted or self.gone)

    @property
    def posts(self) -> int:
        """How many documents come of it, about."""
        return len(self.fresh) + 2 * len(self.changed) + len(self.counted) + len(self.gone)


class _Framed(Struct, frozen=True):
    news: News


_LINE = msgspec.json.Decoder(_Framed)


def framed(news: News, answer: bytes) -> bytes:
    """The payload of an answer."""
    return msgspec.json.encode(_Framed(news)) + b"\n" + answer


def unframed(body: bytes) -> tuple[News | None, bytes]:
    """A payload's news and answer; None where it does not say what is new. Raises PostRejectedError."""
    if not body.startswith(_BEGIN):
        return None, body
    line, _, answer = body.partition(b"\n")
    try:
        return _LINE.decode(line).news, answer
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        reason = "not_json"
        raise PostRejectedError(reason, str(error)) from error


def parsed(bodies: Sequence[bytes], source: str, platform: str, seen_at: datetime, reads: Reads) -> Parsed:
    """The posts that are news in framed answers, as `reads` finds them; whatever cannot be used is counted."""
    lines: list[bytes] = []
    refused: list[Counter[str]] = []
    for body in bodies:
        rejected: Counter[str] = Counter()
        documents: list[Document] = []
        try:
            news, answer = unframed(body)
            for found in reads(answer, news.of if news else "") if answer or news is None else ():
                if isinstance(found, PostRejectedError):
                    rejected[found.reason] += 1
                else:
                    documents.append(found)
            documents = _told(documents, news, platform)
        except PostRejectedError as error:
            rejected[error.reason] += 1
        lines.append(b"\n".join(map(_encoded, documents)))
        refused.append(rejected)
    made = post1.parse(lines, source, seen_at)
    both = [mine + theirs for mine, theirs in zip(refused, made.rejected, strict=True)]
    return made._replace(rejected=both)


def _told(documents: list[Document], news: News | None, platform: str) -> list[Document]:
    """Documents → what is to be told of them: new ones as they are, others as an update or as counts."""
    if news is None:
        return documents
    fresh, changed, counted = set(news.fresh), set(news.changed), set(news.counted)
    told: list[Document] = []
    for document in documents:
        name = document.get("id")
        if name in fresh:
            told.append(document)
        elif name in changed:
            told.append({**document, "op": Op.UPDATE.value})
        elif name in counted:
            counts = {key: document[key] for key in ("id", "platform", *_COUNTS) if key in document}
            told.append({**counts, "op": Op.COUNTS.value})
    told += [{"id": name, "platform": platform, "op": Op.DELETE.value} for name in news.gone]
    return told


def _encoded(document: Mapping[str, object]) -> bytes:
    """One line; half a surrogate pair, which is no character, is replaced, and a text that is too long is cut."""
    clean = {key: value for key, value in document.items() if value is not None}
    if isinstance(text := clean.get("text"), str):
        clean["text"] = text[:MAX_TEXT]
    try:
        return msgspec.json.encode(clean)
    except UnicodeEncodeError:
        whole = {
            key: value.encode("utf-8", "replace").decode() if isinstance(value, str) else value
            for key, value in clean.items()
        }
        return msgspec.json.encode(whole)


def digest(name: str) -> str:
    """Eight hexadecimal digits that stand for a post's id in a resume point."""
    return f"{zlib.crc32(name.encode('utf-8', 'surrogatepass')):08x}"


class Known:
    """The posts that one part of a source brought of late, and what was said of them then."""

    def __init__(self, saved: str = "") -> None:
        """`saved`: what an earlier Known was saved as."""
        self._posts: OrderedDict[str, tuple[int, int]] = OrderedDict()
        self._before = OrderedDict.fromkeys(saved[at : at + 8] for at in range(0, len(saved), 8))

    def __contains__(self, name: str) -> bool:
        """Whether this post was brought."""
        return name in self._posts or digest(name) in self._before

    def __len__(self) -> int:
        """How many there are, those of before a restart included."""
        return len(self._posts.keys()) + len(self._before)

    def news(self, of: str, documents: Iterable[Found], gone: Iterable[str] = ()) -> News:
        """What is new in an answer's posts; they are not known before `learn`."""
        fresh: dict[str, None] = {}
        changed: list[str] = []
        counted: list[str] = []
        for document in documents:
            if isinstance(document, PostRejectedError) or not isinstance(name := document.get("id"), str):
                continue
            said, known = _said(document), self._posts.get(name)
            if document.get("op") == Op.DELETE.value:
                if name in self:
                    fresh[name] = None
            elif document.get("op") == Op.COUNTS.value:
                if known is not None and known[1] != said[1]:
                    counted.append(name)
            elif known is None and digest(name) not in self._before:
                fresh[name] = None
            elif known is not None and known[0] != said[0]:
                changed.append(name)
            elif known is not None and known[1] != said[1]:
                counted.append(name)
        return News(of, tuple(fresh), tuple(changed), tuple(counted), tuple(gone))

    def learn(self, documents: Iterable[Found], gone: Iterable[str] = ()) -> None:
        """These were brought; the oldest make room."""
        for document in documents:
            if isinstance(document, PostRejectedError) or not isinstance(name := document.get("id"), str):
                continue
            if document.get("op") == Op.DELETE.value:
                self.forget(name)
                continue
            text, counts = _said(document)
            if document.get("op") == Op.COUNTS.value:
                if name in self._posts:
                    self._posts[name] = self._posts[name][0], counts
                continue
            self._posts[name] = text, counts
            self._posts.move_to_end(name)
            self._before.pop(digest(name), None)
        for name in gone:
            self.forget(name)
        while len(self._posts) > _REMEMBERED:
            self._posts.popitem(last=False)

    def forget(self, name: str) -> None:
        """This post is no more."""
        self._posts.pop(name, None)
        self._before.pop(digest(name), None)

    def names(self) -> list[str]:
        """Those of this run, the oldest first."""
        return list(self._posts)

    def saved(self, coming: Iterable[Found] = ()) -> str:
        """All that a resume point needs to know them again, `coming` being learnt already."""
        names = [str(one["id"]) for one in coming if not isinstance(one, PostRejectedError) and "id" in one]
        digests = [*self._before, *map(digest, self._posts), *map(digest, names)]
        last = list(OrderedDict.fromkeys(reversed(digests)))[:_SAVED]
        return "".join(reversed(last))


def looked_again(known: Known, asked: Sequence[str], documents: Sequence[Found]) -> News:
    """What has become of posts that were asked for by their ids: one that is missing, or comes as deleted, is gone.

    One that is looked at for the first time is told as an update, for nobody knows what it was; `known` learns them.
    """
    whole = [one for one in documents if not isinstance(one, PostRejectedError)]
    there = {str(one["id"]): one for one in whole if one.get("op", Op.CREATE.value) == Op.CREATE.value}
    news = known.news("", there.values())
    gone = tuple(name for name in asked if name not in there)
    known.learn(there.values(), gone)
    return News("", changed=(*news.fresh, *news.changed), counted=news.counted, gone=gone)


def _said(document: Document) -> tuple[int, int]:
    counts = tuple(document.get(key) for key in _COUNTS[1:])
    return hash(str(document.get("text", ""))[:MAX_TEXT]), hash(counts)
